"""Numba with nowhere to keep what it compiles, and Numba told to compile nothing: a cache, and a reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba", reason="these are settings of Numba")

from runs import ROOT, environment
from stepkernels import ProblemError
from stepkernels.catalog import CATALOG
from stepkernels.classifier.choice import choose_row

ROWS = [name for name, row in CATALOG.items() if row.library == "numba"]


def printed_by(code: str, path: Path, **variables: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=240,
        env={
            name: value for name, value in environment().items() if name not in ("NUMBA_CACHE_DIR", "PYTHONPATH")
        } | {"PYTHONPATH": str(path), "PYTHONDONTWRITEBYTECODE": "1"} | variables,
        check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout


@pytest.fixture
def read_only(tmp_path):
    """The package where nothing can be kept, for root neither: a file lies where each folder of a cache would."""
    for source in (ROOT / "kernels").rglob("*"):
        if "__pycache__" in source.parts or source.is_dir():
            continue
        target = tmp_path / "packages" / source.relative_to(ROOT / "kernels")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source) if source.suffix not in (".py", ".cu") else target.write_bytes(source.read_bytes())
    for folder in [tmp_path / "packages", *(tmp_path / "packages").rglob("*/")]:
        if folder.is_dir():
            (folder / "__pycache__").touch()
    (tmp_path / "home").touch()
    return tmp_path


# Each row takes a step; then, where Numba keeps what it compiled.
STEPS = """
import os
from stepkernels import Config, synthetic_problem
from stepkernels.catalog import CATALOG
for name in {rows!r}:
    row = CATALOG[name]
    assert row.unavailable() is None
    workspace = row.bind(synthetic_problem(50, 3), Config())
    workspace.step()
    print(name, float(workspace.snapshot().J) > 0)
print(os.environ.get("NUMBA_CACHE_DIR"))
"""


def test_where_nothing_can_be_kept_there_is_a_temporary_cache(read_only):
    home, temporary = str(read_only / "home"), read_only / "temporary"
    temporary.mkdir()
    code = (
        STEPS.format(rows=ROWS) + "print(sum(files != [] for *_, files in os.walk(os.environ['NUMBA_CACHE_DIR'])) > 0)"
    )
    printed = printed_by(
        code, read_only / "packages", HOME=home, XDG_CACHE_HOME=home, TMPDIR=str(temporary)
    ).split()  # fmt: skip
    assert printed[:-2] == [word for name in ROWS for word in (name, "True")]
    assert Path(printed[-2]).parent == temporary
    assert printed[-1] == "True"
    assert list(temporary.iterdir()) == [], "it goes with the process"


def test_a_kernel_file_of_ones_own_gets_it_too(read_only):
    """Also where Numba was loaded long before, and by a child of the process that made it."""
    folder = read_only / "own"
    folder.mkdir()
    (folder / "__pycache__").touch()
    (folder / "own.py").write_text("from numba import njit\n\n@njit(cache=True)\ndef f(x):\n    return x + 1\n")
    code = (
        "import numba, os, subprocess, sys\nfrom stepkernels import Implementation\n"
        f"row = Implementation(name='own', library='numba', module={str(folder / 'own.py')!r})\n"
        "print(row.load().f(1))\n"
        "print(os.path.isdir(os.environ['NUMBA_CACHE_DIR']), len(os.listdir(os.environ['NUMBA_CACHE_DIR'])) > 0)\n"
    )
    home = str(read_only / "home")
    printed = printed_by(code, read_only / "packages", HOME=home, XDG_CACHE_HOME=home)
    assert printed.split() == ["2", "True", "True"]


def test_where_there_is_a_place_it_is_left_alone(tmp_path):
    code = STEPS.format(rows=["numba-loop"])
    assert printed_by(code, ROOT / "kernels").split()[-1] == "None"
    kept = printed_by(code, ROOT / "kernels", NUMBA_CACHE_DIR=str(tmp_path)).split()[-1]
    assert Path(kept) == tmp_path


def test_no_temporary_folder_either_is_a_sentence(read_only):
    home = str(read_only / "home")
    code = (
        "import tempfile\nfrom stepkernels.catalog import CATALOG\n"
        "tempfile._get_default_tempdir = lambda: (_ for _ in ()).throw(FileNotFoundError('none'))\n"
        "try:\n    CATALOG['numba-fused'].load()\nexcept OSError as error:\n    print(error)\n"
    )
    printed = printed_by(code, read_only / "packages", HOME=home, XDG_CACHE_HOME=home)
    assert "Set NUMBA_CACHE_DIR to a folder that can be written" in printed


REASONS = """
from stepkernels import Config, LogisticRegression, ProblemError, synthetic_problem
from stepkernels.catalog import CATALOG
problem = synthetic_problem(50, 3)
for name in {rows!r}:
    print(name, CATALOG[name].unavailable())
    try:
        CATALOG[name].bind(problem, Config())
    except ProblemError as error:
        print(error)
print(LogisticRegression(l2=0.1).fit(problem.X, problem.y).row_)
"""


def test_numba_told_to_compile_nothing_is_a_reason():
    printed = printed_by(REASONS.format(rows=ROWS), ROOT / "kernels", NUMBA_DISABLE_JIT="1").splitlines()
    for name, reason, error in zip(ROWS, printed[::2], printed[1::2], strict=False):
        assert reason == f"{name} NUMBA_DISABLE_JIT is set, so that Numba compiles nothing; unset it"
        assert error == f"{name} cannot run here: NUMBA_DISABLE_JIT is set, so that Numba compiles nothing; unset it."
    assert printed[-1] == "numpy-blas", '"auto" takes what there is'


def test_numba_told_so_by_a_file_or_by_code_is_a_reason_when_it_is_bound():
    code = "import numba\nnumba.config.DISABLE_JIT = 1\n" + REASONS.format(rows=["numba-fused"])
    printed = printed_by(code, ROOT / "kernels")
    assert printed.count("Numba's setting DISABLE_JIT is on") == 2


@pytest.mark.parametrize("value", ["0", "", "perhaps"])
def test_what_numba_does_not_take_for_a_yes_is_none(monkeypatch, value):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", value)
    assert CATALOG["numba-fused"].unavailable() is None


def test_only_rows_of_numba_are_concerned(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert CATALOG["numpy-blas"].unavailable() is None
    with pytest.raises(ProblemError, match="numba-loop cannot run here: NUMBA_DISABLE_JIT is set"):
        choose_row("numba-loop", 10)
