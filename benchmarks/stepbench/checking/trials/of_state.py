"""The state between operations: reset, kept by a snapshot, and beside another workspace's."""

from __future__ import annotations

from dataclasses import replace

from stepbench.checking.trials.setup import Setup
from stepkernels import Op
from stepkernels.reference import Point


def resets(setup: Setup) -> None:
    """Reset with each of its arguments alone, and after work: exact state, NaN outputs, nothing left behind."""
    row, random = setup.bind(), setup.random
    start = Point.start(row.truth)
    for point in (row.random_point(random), start):
        row.reset(point)
        row.judge_step(point)
    row.workspace.reset(b=0.0)
    row.require_fresh(replace(start, b=0.0))
    other = row.random_point(random)
    row.workspace.reset(w=other.w.astype(row.config.dtype))
    alone = replace(start, w=other.w)
    row.require_fresh(alone)
    row.judge_step(alone)
    row.workspace.reset(step=41)
    later = replace(start, step=41)
    row.require_fresh(later)
    row.judge_step(later)


def alternation(setup: Setup) -> None:
    """Two workspaces of equal shape, other problems and other settings, taking turns at every operation."""
    rows = setup.bind(), setup.bind(setup.another_scene(), setup.other_config)
    for route in setup.routes():
        points = [row.reset(row.random_point(setup.random)) for row in rows]
        for _ in range(2):
            for operation in route:
                for row in rows:
                    row.run(operation)
            when = f"{'; '.join(route)}, two workspaces in turn"
            points = [Point.of(row.judge(point, when)) for row, point in zip(rows, points, strict=True)]
    if Op.TRAIN in setup.implementation.ops:
        points = [row.reset(row.random_point(setup.random)) for row in rows]
        for row in rows:
            row.train(1)
        for row, point in zip(rows, points, strict=True):
            row.judge_costs(row.judge(point, "train(1), two workspaces in turn"), [row.expect(point)["J"]])


def results_demanded_again(setup: Setup) -> None:
    """A snapshot does not change when work goes on, another workspace is bound, or the row is reset."""
    row = setup.bind()
    before = row.reset(row.random_point(setup.random))
    for _ in range(3):
        row.run(Op.STEP)
        row.judge(before, "step")
        before = Point.of(row.keep())
    if Op.TRAIN in setup.implementation.ops:
        row.train(3)
        row.keep()
        row.train(3)
    other = setup.bind(setup.another_scene())
    other.judge_step(other.reset())
    row.reset()
    row.judge_step(Point.start(row.truth), when="step after another workspace was bound")
