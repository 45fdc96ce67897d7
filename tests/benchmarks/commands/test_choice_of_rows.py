"""Which rows must run, and under which name each is told."""

import pytest

from checks import kernel_file
from runs import KERNELS, brief, failures, stepbench
from stepbench.commands.choice_of_rows import required_rows, rows_to_time
from stepkernels import ProblemError
from stepkernels.catalog import CATALOG


def test_the_kernel_of_a_file_must_run(tmp_path):
    body = "def bind(problem, config): return numpy_blas.Workspace(problem, config, 'C')\n"
    path = kernel_file(tmp_path, body, ", library='no_such_library'")
    finished = stepbench("check", "--kernel", path)
    assert finished.returncode == 1
    assert "own: unavailable  no_such_library is not installed" in finished.stdout
    assert "own is required to agree, and was unavailable." in finished.stderr


def test_a_row_named_to_check_or_run_that_cannot_run_here_is_a_failure_with_its_reason():
    missing = next((name for name, row in CATALOG.items() if row.unavailable()), None)
    if missing is None:
        pytest.skip("every row can run here")
    checked = stepbench("check", missing)
    assert checked.returncode == 1
    assert f"{missing} was asked for by name and did not run: " in checked.stderr
    planned = stepbench("run", "--rows", f"numpy-blas,{missing}", "--dry-run")
    assert planned.returncode == 1
    assert f"{missing} was asked for by name and cannot run: " in planned.stderr


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


def test_a_kernel_without_named_rows_stands_beside_the_matrix_form_and_the_fastest_fused_row():
    beside = [row.name for row in rows_to_time(None, [KERNELS / "matrix_form.py"])]
    fused = max((row for row in CATALOG.values() if row.auto_from is not None), key=lambda row: row.auto_from)
    assert beside == ["numpy-blas", fused.name, "my-matrix-form"]
    assert [row.name for row in rows_to_time("python-loop", [KERNELS / "matrix_form.py"])][:-1] == ["python-loop"]


def test_a_kernel_that_planted_data_show_to_be_wrong_is_not_timed_where_its_fault_would_be_hidden(tmp_path):
    wrong, size = KERNELS / "wrong.py", ("--sizes", "20000x5", "--threads", 1)
    alone = brief("run", "--kernel", wrong, *size, "--out", tmp_path / "alone")
    assert alone.returncode == 1
    assert "wrong disagrees on planted data (" in alone.stderr
    assert not (tmp_path / "alone").exists()
    beside = brief("run", "--kernel", wrong, "--rows", "numpy-blas", *size, "--out", tmp_path / "beside")
    assert beside.returncode == 1
    (failure,) = failures(tmp_path / "beside")
    assert (failure["row"], failure["kind"], failure["skipped"]) == ("wrong", "disagreement", False)
    assert "wrong failed before anything was timed: it disagrees on planted data" in beside.stderr
