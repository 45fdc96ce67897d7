"""A small run, timed once for all tests that only read it."""

import pytest

from runs import SMALL, brief


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory):
    """A small run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("run") / "unbroken"
    finished = brief(*SMALL, "--out", folder)
    assert finished.returncode == 0, finished.stderr
    assert "went to what is not a timed round" in finished.stdout
    return folder
