"""train(k): the steps of k calls of step, and the cost of every one."""

from __future__ import annotations

from stepbench.checking.bound_row import SLACK, BoundRow, require
from stepbench.checking.scenes import Random
from stepbench.checking.trials.setup import Setup
from stepkernels.agreement import Expected
from stepkernels.reference import Point

FEW_STEPS, FEW_STEPS_COMPILED = 5, 3
MANY_STEPS = (300, 600)  # a row may take many at once by another path than few, or tire of them
BETWEEN_LOOKS = (30, 45)
SLACK_OF_A_LOOSE_TRAJECTORY = 512.0  # for a row whose rounding is another every time


def training(setup: Setup) -> None:
    """train(k) is train(k − 1) and a step more, with the costs of every step; and step after reset after train."""
    row, compiles = setup.bind(), setup.implementation.compiles_per_shape
    slack = SLACK if setup.implementation.deterministic else SLACK_OF_A_LOOSE_TRAJECTORY
    point = row.reset(row.random_point(setup.random))
    _few_at_once(row, point, FEW_STEPS_COMPILED if compiles else FEW_STEPS, slack)
    many = int(setup.random.integers(*MANY_STEPS))
    slow = setup.bind_slow(many)
    if compiles:
        _all_at_once(slow, many)
    else:
        _many_at_once(slow, many, setup.random, slack)
        _one_in_the_middle(slow, int(setup.random.integers(BETWEEN_LOOKS[1], many)), slack)
    point = row.reset(row.random_point(setup.random))
    require(row.snapshot().costs.size == 0, "costs", "reset left the costs of the last train behind")
    row.judge_step(point, when="step after reset after train")


def _few_at_once(row: BoundRow, point: Point, most: int, slack: float) -> None:
    """train(1) to train(most), each from `point`, with all their costs, then one step more."""
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


def _one_in_the_middle(row: BoundRow, j: int, slack: float) -> None:
    """The last of j + 1 steps, judged from where j of them end."""
    row.reset()
    row.train(j)
    before = Point.of(row.snapshot())
    row.reset()
    row.train(j + 1)
    row.judge(before, f"train({j + 1})", slack=slack)


def _all_at_once(row: BoundRow, many: int) -> None:
    """Every cost, and where so many steps lead."""
    start = Point.start(row.truth)
    row.train(many)
    stretch = row.follow(start, many)
    row.judge_costs(row.judge_along(stretch, many, f"train({many})"), stretch.costs, slack=1.0)


def _many_at_once(row: BoundRow, many: int, random: Random, slack: float) -> None:
    """From the start, each time some steps further, each judged from where the one before ended; then every cost."""
    done, point = 0, Point.start(row.truth)
    costs: list[Expected] = []
    while done < many:
        more = int(random.integers(*BETWEEN_LOOKS))
        row.put_at(Point.start(row.truth), random)
        row.train(done + more)
        stretch = row.follow(point, more)
        snapshot = row.judge_along(stretch, done + more, f"train({done + more})", slack if done else 1.0)
        done, point, costs = done + more, Point.of(snapshot), [*costs, *stretch.costs]
        row.judge_costs(snapshot, costs, slack)
