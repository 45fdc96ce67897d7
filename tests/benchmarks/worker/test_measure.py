"""A case in a worker: bound, proven, timed, proven again, in this order; a row at fault is never timed."""

import gc
from dataclasses import replace

import pytest

from runs import KERNELS
from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.worker.expectations import random_point, save_expectations
from stepbench.worker.faults import DisagreementError, OversizedPoolError, kind_of, reason_of
from stepbench.worker.measure import measure
from stepbench.worker.turnstile import Task
from stepkernels.agreement import Traits
from stepkernels.catalog import CATALOG
from stepkernels.interface import Implementation, Op

ROW = CATALOG["numpy-blas"]
CASE = Case(op=Op.STEP, dtype="float64", m=37, n=5, threads=10_000)  # beyond any pool of a test's process
ROUNDS = 3


class Recorder:
    """A turnstile that lets everything through, and writes down what it is told."""

    def __init__(self, folder, row=ROW):
        self.folder, self.row, self.log, self.reports = folder, row, [], {}

    def next_task(self, case):
        self.log.append("next task")
        problem = make_problem(case.dataset, case.m, case.n, case.dtype, seed=0)
        self.task = Task(case=case, problem=problem, config=case.config(problem), before=None, rounds=ROUNDS)
        return replace(self.task, before=self.expectations(seed=1))

    def bound(self, report):
        self.log.append("bound")
        self.reports["bound"] = report

    def wait(self):
        self.log.append("wait")

    def round_done(self, seconds, device_seconds):
        self.log.append("round done")

    def fresh_expectations(self):
        self.log.append("fresh expectations")
        return self.expectations(seed=2)

    def judged(self, report):
        self.log.append("judged")
        self.reports["judged"] = report

    def expectations(self, seed):
        path, task = self.folder / f"{seed}.npz", self.task
        point = random_point(task.problem, task.config, seed)
        save_expectations(path, task.problem, task.config, point, [Traits.of(self.row)])
        return path


def pedantic(clock):
    """What pytest-benchmark does in pedantic mode."""

    def run(operation, *, rounds, iterations):
        assert not gc.isenabled()
        for _ in range(rounds):
            clock()
            for _ in range(iterations):
                operation()
            clock()

    return run


def test_a_case_is_bound_and_proven_then_timed_then_proven_at_a_point_it_has_not_seen(tmp_path):
    turnstile = Recorder(tmp_path)
    measure(ROW, CASE, turnstile, pedantic)
    assert turnstile.log == [
        "next task", "bound", *["wait", "round done"] * ROUNDS, "fresh expectations", "judged",
    ]  # fmt: skip
    assert gc.isenabled()
    for report in turnstile.reports.values():
        assert set(report["agreement"]) == {"J", "gw", "gb", "w", "b"}


def test_a_cold_case_is_timed_over_copies_of_its_data(tmp_path):
    turnstile, bound = Recorder(tmp_path), []

    class Counting:
        """The row, which writes down the problems it binds."""

        def __getattr__(self, name):
            return getattr(ROW, name)

        def bind(self, problem, config):
            bound.append(problem)
            return ROW.bind(problem, config)

    cold = replace(CASE, m=20_000, n=100, cache="cold")
    measure(Counting(), cold, turnstile, pedantic)
    assert len(bound) == cold.copies > 1
    assert len({problem.X.ctypes.data for problem in bound}) == cold.copies


def test_a_wrong_row_is_not_timed(tmp_path):
    row = Implementation(name="wrong", module=str(KERNELS / "wrong.py"))
    turnstile = Recorder(tmp_path, row)
    with pytest.raises(DisagreementError, match=r"wrong before timing: .*bounds"):
        measure(row, CASE, turnstile, pedantic)
    assert turnstile.log == ["next task"]


def test_a_row_with_more_threads_than_its_budget_is_not_timed(tmp_path):
    turnstile = Recorder(tmp_path)
    with pytest.raises(OversizedPoolError, match="thread pools exceed the budget of 0"):
        measure(ROW, replace(CASE, threads=0), turnstile, pedantic)
    assert turnstile.log == ["next task"]


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (DisagreementError("J is off"), "disagreement", "J is off"),
        (OversizedPoolError("blas has 8"), "thread-pool", "blas has 8"),
        (MemoryError(), "memory", "MemoryError: no message"),
        (ValueError("bad"), "error", "ValueError: bad"),
    ],
)
def test_a_fault_has_a_kind_and_a_reason(error, kind, reason):
    assert (kind_of(error), reason_of(error)) == (kind, reason)
