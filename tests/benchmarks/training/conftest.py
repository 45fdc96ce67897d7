"""A training that many laws are about, done once, and its model in a file."""

from __future__ import annotations

import pytest

from stepbench.training.outputs import write_files
from trainings import CANCER, trained_on


@pytest.fixture(scope="session")
def trained():
    return trained_on(CANCER)


@pytest.fixture
def of_no_group():
    """This process leaves the ranks of a row that another test has bound in it: it can belong to one group alone."""
    from stepkernels.rows.torch_distributed.rank_group import end_group

    end_group()


@pytest.fixture
def model(trained, tmp_path):
    return write_files(trained, tmp_path / "model.npz")[0]
