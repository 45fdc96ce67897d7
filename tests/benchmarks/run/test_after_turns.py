"""After the turns: each row in processes of its own, at a large step and a small one; energy from counters alone."""

from __future__ import annotations

import json

import pytest

from runs import benchmarks, brief
from stepbench.cases.case import Case
from stepbench.machine.energy import Spent
from stepbench.run import after_turns
from stepbench.run.after_turns import already_alone, asked_of, computing
from stepbench.run.benchmark_entry import BenchmarkEntry, processors_used
from stepbench.run.participants import participants_of
from stepbench.run.plan import Plan
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op

ROWS = [CATALOG[name] for name in ("python-loop", "numpy-blas", "jax-jit-cpu")]


def plan(*sizes, preset="standard", ops=(Op.STEP,)):
    cases = [Case(op=op, dtype="float64", m=m, n=n) for m, n in sizes for op in ops]
    return Plan(
        preset=preset, cases=tuple(cases), participants=tuple(participants_of(ROWS, lambda _: True)), skips=(),
        generations=1, turns=1, seed=0, timeout_seconds=60.0, max_seconds=None,
    )  # fmt: skip


def test_each_row_is_asked_once_at_the_largest_step_whose_x_is_large_beside_its_vectors():
    found = {each.row.key: each for each in asked_of(plan((1000, 20), (20_000, 50), (90_000, 100), (10**6, 20)))}
    assert set(found) == {"python-loop", "numpy-blas", "jax-jit-cpu"}  # no second copy, no read kernel
    assert (found["numpy-blas"].case.m, found["python-loop"].case.m) == (90_000, 20_000)
    assert (found["numpy-blas"].small.m, found["numpy-blas"].small.n) == (1000, 20)


def test_a_small_case_is_made_where_none_was_timed_but_not_for_a_row_that_would_have_to_compile():
    found = {each.row.key: each.small for each in asked_of(plan((64_000, 60)))}
    assert (found["numpy-blas"].m, found["numpy-blas"].n) == (1000, 60)
    assert found["jax-jit-cpu"] is None


def test_a_step_goes_before_a_phase_and_a_quick_run_asks_nobody():
    ops = (Op.FORWARD, Op.STEP)
    assert {each.case.op for each in asked_of(plan((1000, 20), ops=ops))} == {Op.STEP}
    assert asked_of(plan((1000, 20), preset="quick")) == []


def test_a_resumed_run_asks_again_only_what_failed():
    events = [
        {"event": "alone", "participant": "a", "peak_bytes": 1},
        {"event": "alone", "participant": "b", "reason": "its process failed"},
        {"event": "round", "participant": "c"},
    ]
    assert already_alone(events) == {"a"}


MIB = 2**20
LARGE = {"before_bytes": 50 * MIB, "data_bytes": 80 * MIB, "peak_bytes": 220 * MIB, "held_bytes": 215 * MIB}
SMALL = {"before_bytes": 50 * MIB, "data_bytes": 0, "peak_bytes": 60 * MIB, "held_bytes": 60 * MIB}


def memory_of(alone):
    case = Case(op=Op.STEP, dtype="float64", m=1, n=1)
    object.__setattr__(case, "m", 80 * MIB // 16)
    entry = BenchmarkEntry(
        run_id="", seed=0, participant=None, case=case, timing=None, starts=[], limit=None, alone=alone
    )  # fmt: skip
    return entry._memory()


def test_memory_is_told_beyond_the_libraries_and_the_data_and_what_grows_of_it():
    found = memory_of({**LARGE, "small": SMALL})
    assert found == {
        "peak_bytes": 90 * MIB, "held_bytes": 85 * MIB, "fixed_bytes": 10 * MIB, "copies_of_x": pytest.approx(1.0),
    }  # fmt: skip


def test_memory_that_was_not_measured_is_not_told():
    assert memory_of({}) is None
    assert memory_of({"reason": "its process failed", "small": None}) is None
    assert memory_of({**LARGE, "before_bytes": None}) is None, "where the system does not tell"
    assert memory_of({**LARGE, "small": None})["copies_of_x"] is None


def test_processors_used_are_those_of_the_rounds():
    rounds = [{"processor_seconds": used, "seen_seconds": 2.0} for used in (2.0, 4.0, 4.0)]
    assert processors_used(rounds) == 2.0
    assert processors_used([{"processor_seconds": 0.0, "seen_seconds": 1.0}, {"seconds": 1.0}]) is None


class FakeVisitor:
    """Of a row whose operation takes a millisecond of a clock that only it moves."""

    per_call, timeout = 1e-3, 1.0

    def __init__(self, clock):
        self.clock, self.worker = clock, self

    def awake(self):
        from contextlib import nullcontext

        return nullcontext()

    def ask(self, question, _answer, _timeout):
        self.clock[0] += question.calls * 0.4e-3  # faster than it was when it was paced


class FakeCounters:
    """Ten watts."""

    names = ("made up",)

    def __init__(self, clock):
        self.clock = clock

    def read(self):
        return [self.clock[0]]

    def joules(self, before, after):
        return 10.0 * (after[0] - before[0])


def test_a_round_for_energy_takes_two_seconds_and_more_however_fast_the_row_becomes(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(after_turns.time, "perf_counter", lambda: clock[0])
    spent, calls = computing(FakeVisitor(clock), FakeCounters(clock))
    assert clock[0] >= after_turns.BUSY_SECONDS
    assert calls == pytest.approx(clock[0] / 0.4e-3)
    assert isinstance(spent, Spent)
    assert spent.joules / calls == pytest.approx(10.0 * 0.4e-3)


@pytest.mark.slow
def test_a_run_measures_memory_in_processes_of_their_own_and_says_why_not_energy(tmp_path):
    finished = brief(  # by the preset that has one generation, and something after its turns
        "run", "--preset", "marks-cuda", "--ops", "step", "--dtypes", "float64", "--sizes", "1000x50,20000x50",
        "--rows", "numpy-blas,numpy-blas-fortran", "--threads", 1, "--out", tmp_path,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    found = {
        (entry["extra_info"]["row"], entry["extra_info"]["m"]): entry["extra_info"]
        for entry in benchmarks(tmp_path)
        if entry["extra_info"]["role"] == "row" and not entry["extra_info"]["replica"]
    }
    assert found["numpy-blas", 1000]["memory"] is None
    memory = {row: found[row, 20_000]["memory"] for row in ("numpy-blas", "numpy-blas-fortran")}
    if memory["numpy-blas"] is None:
        pytest.skip("this system does not tell what a process holds")
    assert memory["numpy-blas"]["copies_of_x"] < 0.75 < memory["numpy-blas-fortran"]["copies_of_x"]
    machine = json.loads((tmp_path / "benchmark.json").read_text())["machine_info"]
    assert machine["energy"]["cpu"].startswith(("read from", "not read: "))
    told = (tmp_path / "summary.md").read_text()
    assert "## Memory beside X and y" in told
    assert f"Energy of the processor was {machine['energy']['cpu']}." in told
