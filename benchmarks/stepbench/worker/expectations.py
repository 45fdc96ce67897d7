"""The reference of a case, computed once by the runner and read by every worker.

A file holds the point a step starts from and, for each kind of arithmetic the rows declare, the values and bounds
of everything the step must give.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from stepbench.cases.case import Case
from stepkernels.agreement import (
    GRADIENT_FIELDS,
    STEP_FIELDS,
    Agreement,
    Expectation,
    Expected,
    Traits,
    compare,
    expect_step,
    expect_steps,
)
from stepkernels.interface import Implementation, Op, Workspace, with_training
from stepkernels.problem import Adam, Config, Problem
from stepkernels.reference import Point

POINT_FIELDS = ("w", "b", "moment1", "moment2", "step")


def random_point(problem: Problem, config: Config, seed: int) -> Point:
    """A point no row has seen: weights, bias, and under Adam moments and a step count far from zero."""
    random = np.random.default_rng(seed)
    n = problem.n
    adam = isinstance(config.optimizer, Adam)
    moment1 = random.standard_normal(n + 1) * 0.1 if adam else np.zeros(n + 1)
    moment2 = random.random(n + 1) * 0.1 if adam else np.zeros(n + 1)
    return Point(
        w=random.standard_normal(n) / np.sqrt(n),
        b=float(random.standard_normal()),
        moment1=moment1,
        moment2=moment2,
        step=int(random.integers(0, 1000)) if adam else 0,
    ).astype(config.dtype)


def save_expectations(path: Path, problem: Problem, config: Config, point: Point, traits: Iterable[Traits]) -> None:
    """Compute and store what one step from `point` must give."""
    arrays = {f"point/{name}": np.asarray(getattr(point, name)) for name in POINT_FIELDS}
    for each, expectation in expect_steps(problem, config, point, traits).items():
        for name, expected in expectation.items():
            arrays[f"{_key(each)}/{name}/value"] = expected.value
            arrays[f"{_key(each)}/{name}/bound"] = expected.bound
    np.savez(path, **arrays)  # type: ignore[arg-type]


def load_expectation(path: Path, traits: Traits) -> tuple[Point, Expectation]:
    """The point and what a row of these traits must give there."""
    with np.load(path) as arrays:
        point = Point(
            w=arrays["point/w"],
            b=float(arrays["point/b"]),
            moment1=arrays["point/moment1"],
            moment2=arrays["point/moment2"],
            step=int(arrays["point/step"]),
        )
        key = _key(traits)
        expectation = {
            name: Expected(arrays[f"{key}/{name}/value"], arrays[f"{key}/{name}/bound"]) for name in STEP_FIELDS
        }
    return point, expectation


def judge(
    workspace: Workspace, row: Implementation, case: Case, problem: Problem, config: Config, path: Path
) -> Agreement:
    """Run the operation of a case once from the stored point and compare all that it gives.

    Of a row's own train, the first step, and the last of as many as are timed, which may take another path than few.
    Two are enough where each number of steps is compiled anew, or where rounding differs from run to run.
    """
    point, expectation = load_expectation(path, Traits.of(row))
    workspace.reset(point.w, point.b, (point.moment1, point.moment2), point.step)
    run_once(workspace, row, case.op)
    first = workspace.snapshot()
    agreement = compare(first, expectation, case.dtype, fields_of(case.op, config))
    if case.op == Op.TRAIN and Op.TRAIN in row.ops and agreement.agrees:
        steps = 2 if row.compiles_per_shape or not row.deterministic else max(case.steps, 2)
        workspace.reset(point.w, point.b, (point.moment1, point.moment2), point.step)
        with_training(workspace).train(steps - 1)
        last = expect_step(problem, config, Point.of(workspace.snapshot()), Traits.of(row))
        workspace.reset(point.w, point.b, (point.moment1, point.moment2), point.step)
        with_training(workspace).train(steps)
        agreement = compare(workspace.snapshot(), last, case.dtype, fields_of(case.op, config))
    return agreement


def run_once(workspace: Workspace, row: Implementation, op: Op) -> None:
    """One operation and whatever it needs before it; train is judged a step at a time."""
    for name in _sequence(row, op):
        getattr(workspace, name)(*([1] if name == Op.TRAIN else []))


def fields_of(op: Op, config: Config) -> tuple[str, ...]:
    """What an operation computes. Moments belong to Adam."""
    match op:
        case Op.FORWARD:
            return ("J",)
        case Op.BACKWARD | Op.GRADIENT:
            return GRADIENT_FIELDS
        case _:
            return tuple(f for f in STEP_FIELDS if isinstance(config.optimizer, Adam) or not f.startswith("moment"))


def _sequence(row: Implementation, op: Op) -> list[Op]:
    gradient = [Op.GRADIENT] if Op.GRADIENT in row.ops else [Op.FORWARD, Op.BACKWARD]
    match op:
        case Op.BACKWARD:
            return [Op.FORWARD, Op.BACKWARD]
        case Op.UPDATE:
            return [*gradient, Op.UPDATE]
        case Op.TRAIN if Op.TRAIN not in row.ops:
            return [Op.STEP]
        case _:
            return [op]


def _key(traits: Traits) -> str:
    return "-".join(traits)
