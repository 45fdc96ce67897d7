"""Tuned on first use: a run that takes its time measures first what was never measured here, in another process."""

import json
import re

import numba
import pytest

from runs import stepbench
from stepbench.commands import tune
from stepbench.machine import child_processes
from stepbench.machine.child_processes import Finished
from stepkernels.catalog import CATALOG
from stepkernels.rows.numba_fused.reading_plan import ReadingPlan
from stepkernels.rows.numba_fused.tuned_plans import write
from stepkernels.rows.numba_fused.tuning import kinds

PLAN = ReadingPlan(apart=False, ahead=4096)
EVERYTHING = {str(kind): PLAN for threads in {1, numba.get_num_threads()} for kind, _ in kinds(threads)}
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
    monkeypatch.setattr(
        child_processes,
        "run_to_its_end",
        lambda command, environment, _: asked.append((list(command), environment)) or answer[0],
    )
    return asked, answer


def test_what_was_never_tuned_is_tuned_in_another_process(file, child, capsys, monkeypatch):
    """On as many threads as this one would ask about: else it would never be tuned."""
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    tune.tune_what_is_not(FUSED)
    [(command, environment)] = child[0]
    assert command == ["module", "stepbench", "tune", "--missing"]
    assert environment["NUMBA_NUM_THREADS"] == "2"
    assert "numba-fused: found" in capsys.readouterr().out
    write(file, EVERYTHING)
    tune.tune_what_is_not(FUSED)
    tune.tune_what_is_not(FUSED[:1])
    assert len(child[0]) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("threads", [1, 2])
def test_what_was_cut_short_is_gone_on_with_and_on_one_thread_there_is_nothing_more(file, monkeypatch, threads):
    monkeypatch.setattr(numba, "get_num_threads", lambda: threads)
    single, parallel = FUSED[1:]
    known = [str(kind) for kind, _ in kinds(1)]
    write(file, dict.fromkeys(known[:1], PLAN))
    assert single.is_untuned()
    write(file, dict.fromkeys(known, PLAN))
    assert not single.is_untuned()
    assert parallel.is_untuned() == (threads > 1)


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


def test_a_run_says_which_rows_could_be_tuned_and_were_not(file):
    (told,) = tune.untuned_sentences(FUSED)
    assert told.startswith("numba-fused")
    assert "numpy-blas" not in told
    assert "stepbench tune measures in half a minute" in told
    write(file, EVERYTHING)
    assert tune.untuned_sentences(FUSED) == []


@pytest.mark.slow
def test_the_command_leaves_out_what_it_knows(tmp_path):
    path = tmp_path / "tuning.json"
    write(path, EVERYTHING)
    before = json.loads(path.read_text("utf-8"))
    finished = stepbench("tune", "--missing", STEPBENCH_TUNING=str(path))
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == ""
    assert json.loads(path.read_text("utf-8")) == before
