"""What the tests of a check share."""

import pytest

from stepkernels.probe import missing_gpu


@pytest.fixture
def without_gpu(monkeypatch):
    """No device to be seen, neither by what was found before nor in what is found after."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    missing_gpu.cache_clear()
    yield
    missing_gpu.cache_clear()
