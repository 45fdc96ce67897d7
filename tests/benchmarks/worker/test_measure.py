"""A case in a worker: bound, begun, then whatever is asked, in this order; and nothing of it tells that it is timed."""

import gc
from dataclasses import replace

import pytest

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.proof.points import random_point
from stepbench.worker.faults import OversizedPoolError, kind_of, reason_of
from stepbench.worker.measure import measure
from stepbench.worker.messages import (
    Begin,
    Begun,
    Bound,
    Finish,
    Finished,
    Held,
    Hold,
    Prepare,
    Ready,
    Repeat,
    Repeated,
    Round,
    Rounded,
    WirePoint,
)  # fmt: skip
from stepbench.worker.turnstile import Task
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op

ROW = CATALOG["numpy-blas"]
CASE = Case(op=Op.STEP, dtype="float64", m=37, n=5, threads=10_000)  # beyond any pool of a test's process
LOOPS = ("operations", "waiting", "snapshots", "snapshots twice")


class Script:
    """A turnstile that asks what it was made with, once the case is bound, and writes down what it is told."""

    def __init__(self, *questions, rounds):
        self.questions, self.rounds, self.answers = iter([Begin(), *questions, Finish()]), rounds, []

    def next_task(self, _row, case):
        problem = make_problem(case.dataset, case.m, case.n, case.dtype, seed=0)
        return Task(case=case, problem=problem, config=case.config(problem), rounds=self.rounds)

    def question(self):
        return next(self.questions)

    def expect(self, kind):
        asked = self.question()
        assert isinstance(asked, kind)
        return asked

    def answer(self, message):
        self.answers.append(message)


def a_point(case=CASE):
    problem = make_problem(case.dataset, case.m, case.n, case.dtype, seed=0)
    return WirePoint.of(random_point(problem, case.config(problem), 3))


def pedantic(clock):
    """What pytest-benchmark does in pedantic mode."""

    def run(operation, *, rounds, iterations):
        assert (iterations, gc.isenabled()) == (1, False)
        for _ in range(rounds):
            clock()
            operation()
            clock()

    return run


def test_a_case_is_bound_and_begun_then_does_what_is_asked_until_its_end():
    script = Script(Prepare(2, 4, a_point()), Round(4), Hold(), Repeat("operations", 3), Round(1), rounds=2)
    measure(ROW, CASE, script, pedantic)
    kinds = [type(answer) for answer in script.answers]
    assert kinds == [Bound, Begun, Ready, Rounded, Held, Repeated, Rounded, Finished]
    assert gc.isenabled()


def test_a_round_takes_as_many_steps_as_were_asked_for_from_where_it_was_put():
    point = a_point()
    script = Script(Prepare(2, 4, point), Repeat("operations", 0), Round(4), Hold(), rounds=1)
    measure(ROW, CASE, script, pedantic)
    held = next(answer for answer in script.answers if isinstance(answer, Held))
    assert held.step == point.step + 4


@pytest.mark.parametrize("loop", LOOPS)
def test_every_loop_takes_its_operations(loop):
    script = Script(Prepare(0, 3, a_point()), Repeat(loop, 3), Hold(), Round(1), rounds=1)
    measure(ROW, CASE, script, pedantic)
    held = next(answer for answer in script.answers if isinstance(answer, Held))
    assert held.step == 3


@pytest.mark.parametrize(("loop", "steps"), [("points", 1), ("points only", 0)])
def test_a_loop_over_points_ends_at_the_last(loop, steps):
    points = [a_point(), a_point()]
    script = Script(Repeat(loop, 2, points), Hold(), Round(1), rounds=1)
    measure(ROW, CASE, script, pedantic)
    held = next(answer for answer in script.answers if isinstance(answer, Held))
    assert held.step == steps


@pytest.mark.parametrize("op", [Op.FORWARD, Op.BACKWARD, Op.GRADIENT])
@pytest.mark.parametrize("loop", ["moving", "moves only"])
def test_a_moving_loop_updates_before_each_operation(loop, op):
    case = replace(CASE, op=op)
    script = Script(Prepare(0, 3, a_point()), Repeat(loop, 3), Hold(), Round(1), rounds=1)
    measure(ROW, case, script, pedantic)
    held = next(answer for answer in script.answers if isinstance(answer, Held))
    assert held.step == a_point().step + 3


def test_a_cold_case_takes_turns_over_copies_of_its_data():
    bound = []

    class Counting:
        """The row, which writes down the problems it binds."""

        def __getattr__(self, name):
            return getattr(ROW, name)

        def bind(self, problem, config):
            bound.append(problem)
            return ROW.bind(problem, config)

    cold = replace(CASE, m=20_000, n=100, cache="cold")
    calls = cold.copies + 1
    script = Script(Prepare(0, calls, a_point(cold)), Round(calls), Hold(0), Hold(1), rounds=1)
    measure(Counting(), cold, script, pedantic)
    assert len({problem.X.ctypes.data for problem in bound}) == len(bound) == cold.copies > 1
    latest, before = (answer.step for answer in script.answers if isinstance(answer, Held))
    assert (latest, before) == (2, 1), "one copy came round again"


def test_a_row_with_more_threads_than_its_budget_is_not_timed():
    script = Script(Round(1), rounds=1)
    with pytest.raises(OversizedPoolError, match="thread pools exceed the budget of 0"):
        measure(ROW, replace(CASE, threads=0), script, pedantic)
    assert [type(answer) for answer in script.answers] == [Bound]


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (OversizedPoolError("blas has 8"), "thread-pool", "blas has 8"),
        (MemoryError(), "memory", "MemoryError: no message"),
        (ValueError("bad"), "error", "ValueError: bad"),
        (SystemExit(0), "error", "SystemExit: 0"),
        (GeneratorExit("out"), "error", "GeneratorExit: out"),
    ],
)
def test_a_fault_has_a_kind_and_a_reason(error, kind, reason):
    assert (kind_of(error), reason_of(error)) == (kind, reason)
