"""What the tests of the reports share: a standard run with its report, only to be read, and a run of one record."""

from __future__ import annotations

import pytest

import stepreports
from synthetic_runs import ROWS, entry, write_run


@pytest.fixture(scope="session")
def standard(tmp_path_factory):
    return stepreports.write_report(write_run(tmp_path_factory.mktemp("standard"))).parent


@pytest.fixture
def small(tmp_path):
    return write_run(tmp_path / "machine" / "run", [entry(ROWS[1], 1000, 20)])
