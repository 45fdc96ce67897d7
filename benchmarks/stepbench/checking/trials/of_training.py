"""train(k): the steps of k calls of step, and the cost of every one."""

from __future__ import annotations

from stepbench.checking.bound_row import SLACK, BoundRow, require
from stepbench.checking.trials.setup import Setup
from stepkernels.agreement import Expected
from stepkernels.reference import Point

FEW_STEPS, FEW_STEPS_COMPILED = 5, 3
MANY_STEPS = 128  # of train: a row may take many at once by another path than few
SLACK_OF_A_LOOSE_TRAJECTORY = 512.0  # for a row whose rounding is another every time


def training(setup: Setup) -> None:
    """train(k) is train(k − 1) and a step more, with the costs of every step; and step after reset after train."""
    row, compiles = setup.bind(), setup.implementation.compiles_per_shape
    slack = SLACK if setup.implementation.deterministic else SLACK_OF_A_LOOSE_TRAJECTORY
    point = row.reset(row.random_point(setup.random))
    costs = _few_at_once(row, point, FEW_STEPS_COMPILED if compiles else FEW_STEPS, slack)
    if not compiles:
        _many_at_once(row, point, costs, slack)
    point = row.reset(row.random_point(setup.random))
    require(row.snapshot().costs.size == 0, "costs", "reset left the costs of the last train behind")
    row.judge_step(point, when="step after reset after train")


def _few_at_once(row: BoundRow, point: Point, most: int, slack: float) -> list[Expected]:
    """train(1) to train(most), each from `point`, then one step more; the costs that the row had to keep."""
    before, costs = point, []
    for k in range(1, most + 1):
        row.reset(point)
        row.train(k)
        costs.append(row.expect(before)["J"])
        snapshot = row.judge(before, f"train({k})", slack=1.0 if k == 1 else slack)
        row.judge_costs(snapshot, costs, slack)
        before = Point.of(snapshot)
    row.train(1)
    snapshot = row.judge(before, f"train(1) after train({most})")
    row.judge_costs(snapshot, [row.expect(before)["J"]])
    return costs


def _many_at_once(row: BoundRow, point: Point, first_costs: list[Expected], slack: float) -> None:
    """The last of many steps, judged from where one step fewer ended."""
    row.reset(point)
    row.train(MANY_STEPS - 1)
    before = Point.of(row.snapshot())
    row.reset(point)
    row.train(MANY_STEPS)
    snapshot = row.judge(before, f"train({MANY_STEPS})", slack=slack)
    row.judge_costs(snapshot, first_costs, slack, MANY_STEPS)
