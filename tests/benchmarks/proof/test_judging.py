"""Rounds judged: an honest row passes, and each way of doing less is seen in the state that it leaves."""

from dataclasses import replace

import numpy as np
import pytest

from stepbench.cases.case import Case
from stepbench.cases.datasets import make_problem
from stepbench.proof.judging import Judge, undone
from stepbench.proof.points import random_point
from stepbench.worker.operation import operation_of, prelude
from stepkernels.agreement import Traits
from stepkernels.agreement.expected import plain_truth
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op
from stepkernels.reference import Point

STEPS = 40
ROWS = [name for name, row in CATALOG.items() if row.device == "cpu" and not row.compiles_per_shape]


class Round:
    """A row put at a point, that made some operations there; and the judge of what it then holds."""

    def __init__(self, row, op=Op.STEP, dtype="float64", optimizer="gd", steps=1, m=57, n=6):
        if reason := row.unavailable():
            pytest.skip(reason)
        self.row, self.case = row, Case(op=op, dtype=dtype, m=m, n=n, optimizer=optimizer, steps=steps)
        problem = make_problem(self.case.dataset, m, n, dtype, seed=0)
        self.config, self.traits = self.case.config(problem), Traits.of(row)
        self.judge = Judge(self.case, problem, self.config, plain_truth, [self.traits])
        self.start = random_point(problem, self.config, 5)
        self.workspace = row.bind(problem, self.config)

    def held(self, calls):
        start = self.start
        self.workspace.reset(start.w, start.b, (start.moment1, start.moment2), start.step)
        for call in prelude(self.workspace, self.row, self.case.op):
            call()
        operation_of(self.workspace, self.row, self.case).run(calls)
        return self.workspace.snapshot()

    def verdict(self, held, calls=STEPS):
        trains = self.case.op == Op.TRAIN and Op.TRAIN in self.row.ops
        return self.judge.judge(held, self.start, calls, self.traits, trains=trains)


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_an_honest_row_agrees_in_every_operation(name, dtype, optimizer):
    row = CATALOG[name]
    for op in row.ops:
        made = Round(row, op, dtype, optimizer, steps=9 if op == Op.TRAIN else 1)
        for calls in (1, 4):
            verdict = made.verdict(made.held(calls), calls)
            assert verdict.agrees, (op, calls, verdict.reason)


@pytest.fixture(params=[("float32", "gd"), ("float64", "gd"), ("float32", "adam"), ("float64", "adam")], ids="-".join)
def steps_made(request):
    dtype, optimizer = request.param
    return Round(CATALOG["numpy-blas"], dtype=dtype, optimizer=optimizer, m=569, n=30)


def test_fewer_steps_than_were_asked_for_are_seen(steps_made):
    """However they are left out: here a twentieth of them, and the row says that it took all."""
    held = steps_made.held(STEPS - 2)
    verdict = steps_made.verdict(replace(held, step=steps_made.start.step + STEPS))
    assert not verdict.agrees
    assert max(verdict.errors["w"], verdict.errors["b"]) > 1.0


def test_another_count_than_was_asked_for_is_seen(steps_made):
    verdict = steps_made.verdict(steps_made.held(STEPS - 1))
    assert "step is" in verdict.reason


@pytest.mark.parametrize("field", ["J", "gw", "gb"])
def test_outputs_of_another_step_are_seen(steps_made, field):
    """Left from the step before: so the last one did not compute it."""
    before, held = steps_made.held(STEPS - 1), steps_made.held(STEPS)
    verdict = steps_made.verdict(replace(held, **{field: getattr(before, field)}))
    assert not verdict.agrees
    assert verdict.errors[field] > 1.0


@pytest.mark.parametrize("field", ["J", "w", "b", "gw", "gb"])
def test_what_is_not_a_number_is_seen(steps_made, field):
    held = steps_made.held(STEPS)
    verdict = steps_made.verdict(replace(held, **{field: np.full_like(getattr(held, field), np.nan)}))
    assert not verdict.agrees


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros(30, np.float16), np.zeros((30, 1))])
def test_another_shape_or_dtype_is_a_fault_and_no_error(steps_made, values):
    assert not steps_made.verdict(replace(steps_made.held(STEPS), w=values)).agrees


@pytest.mark.parametrize("place", [0, 4, 8])
@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1.0])
def test_every_cost_of_train_counts(place, wrong):
    made = Round(CATALOG["numba-fused"], Op.TRAIN, steps=9)
    held = made.held(2)
    assert made.verdict(held, 2).agrees
    costs = held.costs.copy()
    costs[place] += wrong
    assert not made.verdict(replace(held, costs=costs), 2).agrees


class Moving(Round):
    """A row that was updated before each operation."""

    def moved(self, moves, operates=lambda _: True):
        """`operates` of the number of a move says whether the operation is made after it."""
        self.held(0)
        for call in prelude(self.workspace, self.row, Op.UPDATE):
            call()
        for number in range(moves):
            self.workspace.update()
            for call in prelude(self.workspace, self.row, self.case.op):
                call()
            if operates(number):
                getattr(self.workspace, self.case.op)()
        return self.workspace.snapshot()

    def verdict_of_moves(self, held, moves=6):
        return self.judge.judge_moved(held, self.start, moves, self.traits)


IDEMPOTENT = [Op.FORWARD, Op.BACKWARD, Op.GRADIENT]


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ROWS)
def test_an_honest_row_agrees_wherever_updates_lead_it(name, dtype, optimizer):
    row = CATALOG[name]
    for op in set(IDEMPOTENT) & set(row.ops):
        made = Moving(row, op, dtype, optimizer)
        verdict = made.verdict_of_moves(made.moved(6))
        assert verdict.agrees, (op, verdict.reason)


@pytest.mark.parametrize("op", IDEMPOTENT)
def test_what_a_row_remembers_of_a_place_before_is_seen(op):
    made = Moving(CATALOG["numpy-blas"], op)
    assert not made.verdict_of_moves(made.moved(6, operates=lambda number: number < 5)).agrees


@pytest.mark.parametrize("op", IDEMPOTENT)
def test_a_row_that_does_not_go_where_updates_lead_is_seen(op):
    made = Moving(CATALOG["numpy-blas"], op)
    held = replace(made.moved(3), step=made.start.step + 6)
    assert not made.verdict_of_moves(held).agrees
    assert "step is" in made.verdict_of_moves(made.moved(3)).reason


def test_updates_left_out_are_seen():
    made = Round(CATALOG["numpy-blas"], Op.UPDATE)
    held = made.held(STEPS - 2)
    assert not made.verdict(replace(held, step=STEPS)).agrees


@pytest.mark.parametrize("op", [Op.UPDATE, Op.STEP])
@pytest.mark.parametrize("calls", [1, STEPS])
@pytest.mark.parametrize(("field", "values"), [("w", np.zeros(3)), ("b", np.zeros(2)), ("moment1", np.zeros((2, 2)))])
def test_a_state_of_another_shape_disagrees_and_ends_nothing(op, calls, field, values):
    made = Round(CATALOG["numpy-blas"], op)
    verdict = made.verdict(replace(made.held(calls), **{field: values}), calls)
    assert not verdict.agrees
    assert f"{field} is float64 of shape" in verdict.reason


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_last_update_is_undone_to_within_its_rounding(dtype, optimizer):
    made = Round(CATALOG["numpy-blas"], dtype=dtype, optimizer=optimizer)
    before, after = Point.of(made.held(STEPS)), made.held(STEPS + 1)
    began, error = undone(after, made.config)
    assert np.linalg.norm(began.parameters - before.parameters) <= error
    assert error < 1e-5 * np.linalg.norm(before.parameters)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_could_be_missing_is_told_in_steps(dtype):
    made = Round(CATALOG["numpy-blas"], dtype=dtype, m=569, n=30)
    assert made.judge.unseen_steps(made.start, STEPS, made.traits) == 0
    assert Round(CATALOG["numpy-blas"], Op.FORWARD).judge.unseen_steps(made.start, 1, made.traits) is None
