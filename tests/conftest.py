"""What the tests share: the rows of the catalogue, those that can run here, and a skip with its reason for the rest."""

from __future__ import annotations

import functools
import os
import tempfile

import pytest

from stepkernels import Implementation
from stepkernels.catalog import CATALOG


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--require-gpu", action="store_true", help="a row that needs a GPU fails where it cannot run")


def pytest_configure(config: pytest.Config) -> None:
    """Side by side with others, a test process compiles into a folder of its own: Numba's cache takes one at a time.

    What it starts must not know of the others: pytest-benchmark, which times every case, stands still beside them.
    OpenMP's threads do not spin while they wait: on processors that others need, a step of 0.3 ms took 15.
    """
    if os.environ.pop("PYTEST_XDIST_WORKER", None):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        caches = tempfile.TemporaryDirectory(prefix="stepbench-tests-")
        config.add_cleanup(caches.cleanup)
        os.environ["NUMBA_CACHE_DIR"] = caches.name


def row_parameters() -> list[object]:
    """Every row of the catalogue, those on a GPU marked so."""
    marks = {"cpu": (), "cuda": (pytest.mark.gpu,)}
    return [pytest.param(row, id=row.name, marks=marks[row.device]) for row in CATALOG.values()]


@pytest.fixture(params=row_parameters())
def row(request: pytest.FixtureRequest) -> Implementation:
    """Each row in turn; one that cannot run here is skipped with its reason, or fails where a GPU is required."""
    row: Implementation = request.param
    reason = cannot_run(row)
    if reason is None:
        return row
    if row.device == "cuda" and request.config.getoption("--require-gpu"):
        pytest.fail(f"{row.name} was required: {reason}")
    pytest.skip(reason)


@functools.cache
def cannot_run(row: Implementation) -> str | None:
    return row.unavailable()
