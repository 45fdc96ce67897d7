"""Steps, from wherever the row may stand, by every way it has of taking one."""

from __future__ import annotations

import numpy as np

from stepbench.checking import scenes
from stepbench.checking.bound_row import changed_field, require
from stepbench.checking.scenes import Scene
from stepbench.checking.trials.setup import Setup
from stepkernels import Op, Problem, Snapshot
from stepkernels.agreement import GRADIENT_FIELDS
from stepkernels.reference import Point

STEPS = 3


def steps(setup: Setup) -> None:
    """A few steps from the problem's start and a few from elsewhere, each judged from the row's own state before it."""
    row = setup.bind()
    row.require_fresh(Point.start(row.truth))
    for point in (None, row.random_point(setup.random)):
        before = row.reset(point)
        for k in range(STEPS):
            before = Point.of(row.judge_step(before, when=f"step {k + 1}"))


def one_step(setup: Setup) -> None:
    """A single step from the problem's start, for data that is large; and the same once more."""
    row = setup.bind()
    first = row.judge_step(Point.start(row.truth))
    row.workspace.reset()
    row.run(Op.STEP)
    _require_same(setup, changed_field(first, row.snapshot()))


def _require_same(setup: Setup, changed: str | None) -> None:
    sentence = f"the same steps gave other bits of {changed}, and the row declares to be deterministic"
    require(changed is None or not setup.implementation.deterministic, changed or "", sentence)


def margins(setup: Setup) -> None:
    """A single row at one margin after another: z from 0 to ±10⁸, both labels, where the bound is a few roundings.

    At every known branch, and at others drawn anew, since a branch of the row may be anywhere.
    """
    dtype = setup.config.dtype
    for label in (0.0, 1.0):
        scene = Scene(f"one row labelled {label:g}", Problem(np.ones((1, 1), dtype), np.full(1, label, dtype)))
        row = setup.bind(scene)
        between = setup.random.uniform(-40.0, 40.0, 40)
        for z in setup.random.permutation(np.append(scenes.MARGINS, between)).astype(dtype):
            zeros = np.zeros(2)
            point = Point(w=np.array([z], np.float64), b=0.0, moment1=zeros, moment2=zeros, step=0)
            row.reset(point)
            row.judge_step(point, when=f"step at margin {z:g}, label {label:g}")


def repetition(setup: Setup) -> None:
    """The same steps again and again: each run right, and the same bits every run where the row says so."""
    row = setup.bind()
    point = row.random_point(setup.random)
    first: list[Snapshot] = []
    for _ in range(12):
        row.reset(point)
        snapshots = [row.judge_step(point)]
        snapshots.append(row.judge_step(Point.of(snapshots[0])))
        first = first or snapshots
        _require_same(setup, changed_field(first[0], snapshots[0]) or changed_field(first[1], snapshots[1]))


def phases(setup: Setup) -> None:
    """Every way of taking a step gives that step, wherever it starts, whatever was computed before."""
    row = setup.bind()
    for route in (*setup.routes(), *reversed(setup.routes())):
        before = row.reset(row.random_point(setup.random))
        for _ in range(2):
            before = Point.of(row.judge_step(before, route))


def gradient_again(setup: Setup) -> None:
    """Gradient changes nothing when it is called again, and never the parameters."""
    _call_again(setup, Op.GRADIENT)


def phases_again(setup: Setup) -> None:
    """Nor do forward and backward."""
    _call_again(setup, Op.FORWARD, Op.BACKWARD)


def _call_again(setup: Setup, *operations: Op) -> None:
    row = setup.bind()
    point = row.reset(row.random_point(setup.random))
    for operation in [operation for operation in operations for _ in range(3)]:
        row.run(operation)
    snapshot = row.snapshot()
    row.compare(snapshot, row.expect(point), f"{' and '.join(operations)}, three times", GRADIENT_FIELDS)
    for name in ("w", "b", "moment1", "moment2", "step"):
        same = np.array_equal(getattr(snapshot, name), getattr(point, name))
        require(same, name, f"{' and '.join(operations)} changed {name}")
