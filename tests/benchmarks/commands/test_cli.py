"""The command line: exit statuses, JSON, and a sentence for every bad input, with nothing left half-written."""

import json

import pytest

from runs import KERNELS, stepbench
from stepkernels.catalog import CATALOG

BAD_RUNS = {
    "row": (("--rows", "numpy-blast"), "There is no row called 'numpy-blast'"),
    "size": (("--sizes", "10by20"), "is not a size"),
    "dtype": (("--dtypes", "float16"), "no dtype called 'float16'"),
    "op": (("--ops", "stride"), "no operation called 'stride'"),
    "data": (("--data", "iris"), "no data set called 'iris'"),
    "preset": (("--preset", "huge"), "no preset called 'huge'"),
    "optimizer": (("--optimizer", "sgd"), "no optimizer called 'sgd'"),
    "threads": (("--threads", "9999"), "9999 threads cannot be given"),
    "memory": (("--sizes", "100000000x100000"), "GiB are available"),
    "required": (("--require", "numpy-blast"), "'numpy-blast' is required but not among"),
    "resume": (("--resume", "nowhere"), "is not a run folder"),
}


@pytest.mark.parametrize(("arguments", "sentence"), BAD_RUNS.values(), ids=list(BAD_RUNS))
def test_bad_input_is_a_sentence_and_leaves_nothing(tmp_path, arguments, sentence):
    out = () if "--resume" in arguments else ("--out", tmp_path / "run")
    finished = stepbench("run", *arguments, *out)
    assert finished.returncode == 2
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "run").exists()


def test_an_output_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    finished = stepbench("run", "--rows", "numpy-blas", "--out", tmp_path / "file" / "run")
    assert finished.returncode == 2
    assert "cannot be written" in finished.stderr


@pytest.mark.parametrize("variable", ["NUMBA_ENABLE_CUDASIM", "TRITON_INTERPRET"])
def test_a_simulator_is_never_timed(tmp_path, variable):
    finished = stepbench("run", "--rows", "numpy-blas", "--out", tmp_path / "run", **{variable: "1"})
    assert finished.returncode == 2
    assert f"{variable} is set" in finished.stderr


def test_list_as_json_has_every_row_with_a_reason_where_it_cannot_run():
    rows = json.loads(stepbench("list", "--json").stdout)["rows"]
    assert [row["name"] for row in rows] == list(CATALOG)
    assert all(row["available"] or row["reason"] for row in rows)


def test_show_prints_a_rows_own_source():
    shown = stepbench("show", "numpy-blas")
    assert shown.returncode == 0
    assert "def backward(" in shown.stdout


def test_dry_run_says_what_it_would_take_and_writes_nothing(tmp_path):
    finished = stepbench("run", "--preset", "standard", "--dry-run", "--out", tmp_path / "run")
    assert finished.returncode == 0
    assert "at a time; about" in finished.stdout
    assert not (tmp_path / "run").exists()


def test_a_required_row_that_cannot_run_is_a_failure(tmp_path):
    missing = next((name for name, row in CATALOG.items() if row.unavailable()), None)
    if missing is None:
        pytest.skip("every row can run here")
    finished = stepbench(
        "run", "--sizes", "37x5", "--rows", f"numpy-blas,{missing}", "--require", missing, "--out", tmp_path / "run"
    )
    assert finished.returncode == 1
    assert f"{missing} was required and did not run" in finished.stderr


def test_a_kernel_of_ones_own_is_timed_beside_the_rows(tmp_path):
    kernel = KERNELS / "matrix_form.py"
    finished = stepbench(
        "run", "--sizes", "37x5", "--rows", "numpy-blas", "--kernel", kernel, "--out", tmp_path / "run"
    )
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize(
    "command", [(), ("run",), ("report",), ("list",), ("show",), ("check",), ("learn",), ("train",), ("predict",)]
)
def test_every_command_has_help(command):
    finished = stepbench(*command, "--help")
    assert finished.returncode == 0
    assert "Usage" in finished.stdout
