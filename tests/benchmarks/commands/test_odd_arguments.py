"""Odd arguments of every command: a sentence and exit status 2, before any work; never a traceback, never nothing."""

import pytest
from typer.testing import CliRunner

from stepbench.checking import fuzz
from stepbench.cli import COMMANDS, app
from stepbench.evidence import marks, training_marks
from stepbench.evidence.peers import __main__ as peers
from stepreports import publish

NOWHERE = ["nowhere", "µ/中", "x" * 300, "a\nb", "-", "~", "\U0001f600", "a" + "/b" * 3000]
NOT_COUNTS = ["", "nan", "inf", "-1", "1e3", "0x10", "1.5", "one", "9" * 400]
FILES = ["{folder}", "", ".", "{file}/below", "/proc/none/x"]  # where no file can be written

ODD = {
    "list": [["extra"], [""], ["--json=1"], ["--jsn"], ["--json", "all"]],
    "show": [[], [""], ["numpy-blas", "python-loop"], [" numpy-blas"], ["numpy-blas\n"], *([each] for each in NOWHERE)],
    "check": [
        [""], [","], [" , "], ["numpy-blas", "nope"], ["--require", "nope"], ["numpy-blas", "--require", "cuda"],
        *([each] for each in NOWHERE if each != "-"),
        *(["python-loop", "--seed", each] for each in NOT_COUNTS if each != "9" * 400),
        *(["--storage", each] for each in ["", ",", "nope", "float32", "int8,nope"]),
        ["numpy-blas", "--storage", "int8"], ["numba-fused", "python-loop", "--storage", "int8"],
        *(["torch-distributed-cpu", "--ranks", each] for each in ["0", "1,0", ",", "65", *NOT_COUNTS]),
        ["python-loop", "--ranks", "2"],
        *(["python-loop", option, place] for place in FILES for option in ("--json", "--markdown")),
        *(["--kernel", each] for each in ["", ".", "{folder}", "{file}", *NOWHERE]),
    ],
    "report": [
        [], [""], ["{folder}"], ["{file}"], ["{folder}", "{file}"], ["", ""],
        *([each] for each in NOWHERE if each != "-"),
        *(["a", "b", "--fail-slower", each] for each in ["", "nan", "inf", "-1", "-5%", "ten", "5%%", "%"]),
        ["a", "--fail-slower", "10"], ["a", "b", "c", "--fail-slower", "10"], ["a", "--out", "x"],
        ["a", "b", "--fail-missing"], ["a", "b", "--fail-unknown"], ["a", "b", "--json", "x"],
        ["a", "b", "--fail-slower", "1", "--out", "x"], ["a", "b", "--out", "{file}"], ["a", "b", "--out", "{file}/x"],
    ],
    "submit": [
        [], [""], ["{folder}"], ["{file}"], ["a", "b"], *([each] for each in NOWHERE if each != "-"),
        *(["{folder}", "--out", place] for place in FILES),
    ],
    "compare": [
        [], [""], ["{folder}"], ["no-such-commit"], ["--rows", "numpy-blas"], ["HEAD", "HEAD", "HEAD"],
        *([each, "--kernel", "nope.py"] for each in NOWHERE if each != "-"), ["HEAD", "--rows", "nope"],
        ["HEAD", "--rows", ""], ["HEAD", "--kernel", "nope.py"], ["HEAD", "--kernel", "a.py", "--rows", "numpy-blas"],
        ["--kernel", "nope.py"], ["--kernel", "nope.py", "--kernel", "nope.py"],
        *(["--kernel", each, "--kernel", each] for each in ["", ".", "{folder}", "{file}", *NOWHERE]),
        *(["--fail-slower", each] for each in ["", "nan", "inf", "-1", "-5%", "ten", "5%%", "%"]),
        *(["--max-time", each] for each in ["", "nan", "inf", "-1", "0", "1e9", "soon"]),
        *([option, place] for place in FILES for option in ("--json", "--markdown")), ["--out", ""],
        *(["--each", each] for each in ["", "..", "HEAD", "..HEAD", "a...b", "nope..", "--all..", *NOWHERE]),
        ["HEAD", "--each", "HEAD~1.."], ["--each", "HEAD~1..", "--json", "x"], ["--each", "HEAD~1..", "--rows", ""],
    ],
    "history": [
        [], [""], ["{folder}"], ["{file}"], *([each] for each in NOWHERE if each != "-"),
        *(["--least-change", each] for each in ["", "0", "nan", "inf", "-1", "ten"]),
        *(["--least-commits", each] for each in ["1", *NOT_COUNTS]), *(["--out", place] for place in FILES),
        *([option, place] for place in FILES for option in ("--json", "--markdown")), ["--reference", ""],
    ],
    "scale": [
        ["extra"], *(["--ranks", each] for each in ["0", "1,0", ",", "65", *NOT_COUNTS]),
        *(["--row", each] for each in ["", "nope", "numpy-blas"]), *(["--base", each] for each in ["", ",", "nope"]),
        *(["--sizes", each] for each in ["", "3x3", "0x5", "1000", "999999999x9999"]), ["--dtypes", "float16"],
        *(["--timeout", each] for each in ["0", "-1", "nan", "inf", "soon"]),
        *(["--out", place] for place in FILES[1:]),
        *([option, place] for place in FILES for option in ("--json", "--markdown")),
        *(["--hosts", each] for each in ["", ".", "{folder}", "{file}", *NOWHERE]),
    ],
    "doctor": [
        ["extra"], *(["--threads", each] for each in ["0", *NOT_COUNTS]), *(["--json", place] for place in FILES),
        *(["--ranks", each] for each in ["0", "1025", *NOT_COUNTS]), ["--ranks", "2", "--threads", "1"],
        *(["--ranks", "2", "--timeout", each] for each in ["0", "-1", "nan", "inf", "soon"]), ["--timeout", "5"],
    ],
    "learn": [
        ["extra"], *(["--lang", each] for each in ["", "fr", "EN", "../en", "zh\n"]),
        *(["--out", place] for place in FILES),
    ],
    "train": [
        [], [""], ["{folder}"], ["{file}"], *([each] for each in NOWHERE if each != "-"),
        *(["breast-cancer", "--out", place] for place in FILES),
        *(["breast-cancer", "--steps", each] for each in ["0", *NOT_COUNTS] if each != "9" * 400),
        *(["breast-cancer", option, each] for option in ("--l2", "--tol", "--learning-rate", "--held-out")
          for each in ("", "nan", "inf", "-1", "much")),
        *(["breast-cancer", "--seed", each] for each in NOT_COUNTS if each != "9" * 400),
        *(["breast-cancer", option, "nope"] for option in ("--row", "--optimizer", "--dtype", "--storage")),
        *(["breast-cancer", option, ""] for option in ("--row", "--optimizer", "--dtype", "--batch-size", "--target")),
    ],
    "tune": [["extra"], ["--preset", "quick"]],
    "new-kernel": [
        [], *([each] for each in ("", "Numpy", "numpy ", "c", *NOWHERE) if each != "-"), ["numpy", "numba"],
        *(["numpy", "--out", place] for place in FILES), ["numpy", "--out", "kernel.txt"],
    ],
    "predict": [
        [], [""], ["{file}"], ["{file}", "breast-cancer"], ["{folder}", "breast-cancer"], ["", "breast-cancer"],
        *([each, "breast-cancer"] for each in NOWHERE if each != "-"),
        *(["{file}", "breast-cancer", "--out", place] for place in FILES),
    ],
    "run": [
        ["extra"], *(["--rows", each] for each in ["", ",", *NOWHERE]), ["--kernel", ""], ["--resume", ""],
        *(["--preset", each] for each in ["", *NOWHERE]),
        *(["--storage", each] for each in ["", ",", "nope", "float32", "int8,nope"]),
        ["--storage", "int8", "--dtypes", "float64"], ["--storage", "int8", "--rows", "numpy-blas"],
    ],
}  # fmt: skip
CASES = [(command, arguments) for command, lists in ODD.items() for arguments in lists]


def test_every_command_has_its_odd_arguments():
    assert set(ODD) == set(COMMANDS)


@pytest.mark.parametrize(("command", "arguments"), CASES, ids=lambda each: ascii(each)[:80])
def test_odd_arguments_are_a_sentence(command, arguments, tmp_path, monkeypatch):
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "a-file").write_text("nothing of use\n")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    given = [each.format(folder="a-folder", file="a-file") for each in arguments]
    finished = CliRunner().invoke(app, [command, *given])
    assert finished.exit_code == 2, (finished.output, finished.exception)
    assert finished.output.strip()
    assert "Traceback" not in finished.output
    assert sorted(tmp_path.rglob("*")) == before, "bad input leaves nothing behind"


MODULES = {
    fuzz: [["nope"], ["--problems", "-1"], ["--problems", "nan"], ["--seed", "-1"], ["--kernel", "nowhere.py"], [""]],
    marks: [["nowhere"], ["a-file"], ["--write"], ["--check"], ["a", "b"]],
    training_marks: [["--json", "a-folder"], ["--json", "a-file/x"], ["--write"], ["--check"], ["--json"], ["extra"]],
    peers: [
        ["extra"], ["--json", "a-folder"], ["--peer"], ["--peer", "nope"], ["--peer", "stepbench"],
        *(["--sizes", each] for each in ["", ",", "nope", "0x1", "100x4,"]),
        *(["--dtypes", each] for each in ["", ",", "float16", "float64,nope"]),
    ],
    publish: [["nowhere"], ["a-file"], [""], ["--check", "nowhere"]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("module", "arguments"), [(module, each) for module, lists in MODULES.items() for each in lists], ids=str
)
def test_odd_arguments_of_a_module_that_is_run_are_a_sentence(module, arguments, tmp_path, monkeypatch, capsys):
    (tmp_path / "a-folder").mkdir()
    (tmp_path / "a-file").write_text("nothing of use\n")
    monkeypatch.chdir(tmp_path)
    try:
        status = module.main(arguments)
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert capsys.readouterr().err.strip()
