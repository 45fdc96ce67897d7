"""Tuned on first use: a run that takes its time measures first what was never measured here, in another process."""

import json
import re

import pytest

from runs import stepbench
from stepbench.commands import tune
from stepbench.machine import child_processes
from stepbench.machine.child_processes import Finished
from stepkernels.catalog import CATALOG
from stepkernels.rows.numba_fused.reading_plan import ReadingPlan
from stepkernels.rows.numba_fused.tuned_plans import Kind, write

PLAN = ReadingPlan(apart=False, ahead=4096)
FUSED = [CATALOG[name] for name in ("numpy-blas", "numba-fused", "numba-fused-parallel")]


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "tuning.json"
    monkeypatch.setenv("STEPBENCH_TUNING", str(path))
    write(path, {})  # and whatever this process had read is forgotten
    return path


@pytest.fixture
def child(monkeypatch):
    """What a child process is asked for, and answers."""
    asked, answer = [], [Finished(0, "numba-fused: found\n", "")]
    monkeypatch.setattr(child_processes, "run_to_its_end", lambda command, *_: asked.append(list(command)) or answer[0])
    return asked, answer


def test_what_was_never_tuned_is_tuned_in_another_process(file, child, capsys):
    tune.tune_what_is_not(FUSED)
    assert child[0] == [["module", "stepbench", "tune", "--missing"]]
    assert "numba-fused: found" in capsys.readouterr().out
    kinds = [
        Kind(dtype, wide, threads) for dtype in ("float32", "float64") for wide in (True, False) for threads in (1, 2)
    ]
    write(file, {str(kind): PLAN for kind in kinds})
    tune.tune_what_is_not(FUSED)
    tune.tune_what_is_not(FUSED[:1])
    assert len(child[0]) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("file")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [(Finished(1, "", "no memory\n"), "no memory"), (Finished(None, "", ""), "did not end in 600 s")],
)
def test_where_it_fails_the_run_goes_on_and_says_so(child, answer, reason, capsys):
    child[1][0] = answer
    tune.tune_what_is_not(FUSED)
    told = " ".join(capsys.readouterr().err.split())
    assert re.search(f"plan that is the default everywhere: .*{reason}", told)


@pytest.mark.slow
def test_the_command_leaves_out_what_it_knows(tmp_path):
    path = tmp_path / "tuning.json"
    kinds = [
        Kind(dtype, wide, threads) for dtype in ("float32", "float64") for wide in (True, False) for threads in (1, 2)
    ]
    write(path, {str(kind): PLAN for kind in kinds})
    before = json.loads(path.read_text("utf-8"))
    finished = stepbench("tune", "--missing", STEPBENCH_TUNING=str(path))
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == ""
    assert json.loads(path.read_text("utf-8")) == before
