"""Which rows must run, and under which name each is told."""

import pytest

from checks import kernel_file
from runs import stepbench
from stepbench.commands.choice_of_rows import required_rows
from stepkernels import ProblemError
from stepkernels.catalog import CATALOG


def test_the_kernel_of_a_file_must_run(tmp_path):
    body = "def bind(problem, config): return numpy_blas.Workspace(problem, config, 'C')\n"
    path = kernel_file(tmp_path, body, ", library='no_such_library'")
    finished = stepbench("check", "--kernel", path)
    assert finished.returncode == 1
    assert "own: unavailable  no_such_library is not installed" in finished.stdout
    assert "own is required to agree, and was unavailable." in finished.stderr


def test_a_device_is_required_by_its_name():
    rows = [CATALOG["numpy-blas"], CATALOG["cupy-fused"], CATALOG["python-loop"]]
    assert required_rows("cpu", rows) == ["numpy-blas", "python-loop"]
    assert required_rows("cuda, python-loop", rows) == ["cupy-fused", "python-loop"]
    with pytest.raises(ProblemError, match="'cuda' is required but not among the rows asked for"):
        required_rows("cuda", rows[:1])


def test_two_kernels_of_one_name_are_told_apart_before_they_are_judged(tmp_path):
    path = kernel_file(tmp_path, "def bind(problem, config): ...\n")
    finished = stepbench("check", "--kernel", path, "--kernel", path)
    assert finished.returncode == 2
    assert "2 rows are called 'own'" in finished.stderr
