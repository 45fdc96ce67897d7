"""The command line: exit statuses, JSON, and a sentence for every bad input, with nothing left half-written."""

import ast
import json
import re

import pytest
from typer.testing import CliRunner

from runs import KERNELS, ROOT, brief, stepbench
from stepbench.cli import COMMANDS, app
from stepbench.commands.show import as_source
from stepkernels.catalog import CATALOG
from stepkernels.sources import source_files


def here(*arguments):
    """The command line in this process: for what is refused or told before anything is begun."""
    return CliRunner().invoke(app, [*map(str, arguments)])


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
    finished = here("run", *arguments, *out)
    assert finished.exit_code == 2, finished.output
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "run").exists()


def test_an_output_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    finished = stepbench("run", "--rows", "numpy-blas", "--sizes", "37x5", "--out", tmp_path / "file" / "run")
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


def test_show_prints_a_rows_own_source_to_a_pipe_as_it_stands():
    shown = stepbench("show", "numpy-blas")
    assert shown.returncode == 0
    assert shown.stdout == (ROOT / "kernels/stepkernels/rows/numpy_blas.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("row", CATALOG.values(), ids=list(CATALOG))
def test_what_show_writes_to_a_pipe_is_python_whatever_files_a_row_has(row):
    told = as_source(source_files(row))
    defined = {node.name for node in ast.parse(told).body if isinstance(node, ast.FunctionDef)}
    assert "bind" in defined
    assert all(file.name in told for file in source_files(row)[1:])


def test_the_version_is_told():
    finished = stepbench("--version")
    assert finished.returncode == 0
    assert re.fullmatch(r"stepbench (\d+\.\d+\S*|from a checkout, not installed)\n", finished.stdout)


def test_dry_run_says_what_it_would_take_and_writes_nothing(tmp_path):
    finished = stepbench("run", "--preset", "standard", "--dry-run", "--out", tmp_path / "run")
    assert finished.returncode == 0
    assert "at a time; about" in finished.stdout
    assert not (tmp_path / "run").exists()


def test_a_required_row_that_cannot_run_is_a_failure(tmp_path):
    missing = next((name for name, row in CATALOG.items() if row.unavailable()), None)
    if missing is None:
        pytest.skip("every row can run here")
    finished = brief(
        "run",
        "--sizes",
        "37x5",
        "--threads",
        1,
        "--rows",
        f"numpy-blas,{missing}",
        "--require",
        missing,
        "--out",
        tmp_path / "run",
    )
    assert finished.returncode == 1
    assert f"{missing} was required and did not run" in finished.stderr


def test_a_kernel_of_ones_own_is_timed_beside_the_rows(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kernel = KERNELS / "matrix_form.py"
    finished = brief(
        "run", "--sizes", "37x5", "--rows", "numpy-blas", "--threads", 1, "--kernel", kernel, "--out", tmp_path / "run",
        "--json", tmp_path / "ranking.json", "--markdown", tmp_path / "summary.md",
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert "my-matrix-form, your kernel, takes" in finished.stdout
    (case,) = json.loads((tmp_path / "ranking.json").read_text())["cases"]
    assert {row["row"]: row["own_kernel"] for row in case["rows"]} == {"numpy-blas": False, "my-matrix-form": True}
    assert "`my-matrix-form` (yours)" in (tmp_path / "summary.md").read_text()
    assert {path.name for path in tmp_path.iterdir()} == {"run", "ranking.json", "summary.md"}, "and nothing else"


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_every_command_has_help(command):
    finished = here(*command, "--help")
    assert finished.exit_code == 0
    assert "Usage" in finished.stdout
    assert "bool" not in finished.stdout


OPTION_VALUES = {
    "seed": (("--seed", "-1"), "-1 is no seed"),
    "large seed": (("--seed", "9" * 30), "is no seed"),
    "timeout nan": (("--timeout", "nan"), "--timeout is no time to wait"),
    "timeout 0": (("--timeout", "0"), "--timeout is no time to wait"),
    "timeout inf": (("--timeout", "inf"), "--timeout is no time to wait"),
    "timeout large": (("--timeout", "1e300"), "--timeout is no time to wait"),
    "timeout negative": (("--timeout", "-3"), "--timeout is no time to wait"),
    "max-time negative": (("--max-time", "-1"), "--max-time is no time to wait"),
    "max-time 0": (("--max-time", "0"), "--max-time is no time to wait"),
    "max-time nan": (("--max-time", "nan"), "--max-time is no time to wait"),
    "max-time inf": (("--max-time", "inf"), "--max-time is no time to wait"),
    "threads": (("--threads", "0"), "0 threads cannot be given"),
    "threads large": (("--threads", "9" * 400), "threads cannot be given"),
    "no rows": (("--rows", ""), "names no row"),
    "no rows but a comma": (("--rows", ","), "names no row"),
    "no sizes": (("--sizes", ","), "Of the sizes asked for there is none"),
    "no threads": (("--threads", ""), "Of the threads asked for there is none"),
    "no ops": (("--ops", ""), "No operation was given"),
    "no dtypes": (("--dtypes", ""), "No dtype was given"),
    "no data": (("--data", ""), "Of the sizes asked for there is none"),
    "a size of many digits": (("--sizes", f"{'9' * 5000}x2"), "is not a size"),
    "a size beyond any number": (("--sizes", f"{'9' * 400}x2"), "is not a size"),
    "anyway": (("--anyway",), "--anyway belongs to --resume"),
}


def test_a_value_that_is_refused_is_a_sentence_of_a_process_too(tmp_path):
    finished = stepbench("run", "--rows", "numpy-blas", "--seed", "-1", "--out", tmp_path / "run")
    assert finished.returncode == 2
    assert "-1 is no seed" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry run"])
@pytest.mark.parametrize(("arguments", "sentence"), OPTION_VALUES.values(), ids=list(OPTION_VALUES))
def test_what_is_no_value_of_an_option_is_refused(tmp_path, arguments, sentence, dry):
    rows = () if "--rows" in arguments else ("--rows", "numpy-blas")
    finished = here("run", *rows, *arguments, *dry, "--out", tmp_path / "run")
    assert finished.exit_code == 2, finished.output
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments", [("--rows", "numpy-blas"), ("--seed", "5"), ("--preset", "full"), ("--cold",), ("--out", "x")]
)
def test_what_the_plan_has_settled_is_refused_with_resume(tmp_path, arguments):
    finished = here("run", "--resume", tmp_path, *arguments)
    assert finished.exit_code == 2
    assert f"leave out {arguments[0]}" in finished.stderr
