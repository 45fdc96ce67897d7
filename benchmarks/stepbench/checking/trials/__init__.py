"""The adversarial executions: what is done to a row, besides asking it for one step.

A trial is a function of a `Setup`; it raises `Rejected` when the row breaks a law, and returns when it keeps it.
Everything random is drawn from the trial's seed, anew for each trial, so that no answer can be kept from before.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from stepbench.checking import scenes
from stepbench.checking.bound_row import BoundRow, Rejected, Tally, changed_field, require
from stepbench.checking.scenes import Random, Scene
from stepkernels import GD, Adam, Config, Implementation, Op, Problem, Snapshot
from stepkernels.agreement import Expected
from stepkernels.problem import safe_learning_rate
from stepkernels.reference import Point

STEPS = 3
MANY_STEPS = 128  # of train: a row may take many at once by another path than few
SLACK = 8.0
SLACK_OF_A_LOOSE_TRAJECTORY = 512.0
"""Two honest trajectories drift apart by their rounding, and Adam divides the difference by a √v̂ that may be small: a
few bounds after a few steps, and more for a row whose rounding is another every time. Mistakes are thousands."""

ROUTES: tuple[tuple[Op, ...], ...] = (
    (Op.STEP,),
    (Op.GRADIENT, Op.UPDATE),
    (Op.FORWARD, Op.BACKWARD, Op.UPDATE),
)


@dataclass
class Setup:
    """One trial on one scene: a row, a scene, two configurations, and the source of everything random."""

    implementation: Implementation
    scene: Scene
    config: Config
    other_config: Config
    random: Random
    tally: Tally = field(default_factory=Tally)
    bound_rows: list[BoundRow] = field(default_factory=list)

    def bind(self, scene: Scene | None = None, config: Config | None = None) -> BoundRow:
        row = BoundRow(self.implementation, scene or self.scene, config or self.config, self.tally)
        self.bound_rows.append(row)
        return row

    def routes(self) -> list[tuple[Op, ...]]:
        """The ways this row has of taking one step."""
        return [route for route in ROUTES if set(route) <= {*self.implementation.ops, Op.STEP}]

    def another_scene(self) -> Scene:
        """Other data of the same shape."""
        m, n = self.scene.problem.X.shape
        return scenes.scene("ordinary data", m, n, self.config.dtype, self.random)


def steps(setup: Setup) -> None:
    """A few steps from the problem's start and a few from elsewhere, each judged from the row's own state before it."""
    row = setup.bind()
    row.require_fresh(Point.start(row.truth))
    for point in (None, row.random_point(setup.random)):
        before = row.reset(point)
        for k in range(STEPS):
            before = Point.of(row.judge_step(before, when=f"step {k + 1}"))


def one_step(setup: Setup) -> None:
    """A single step from the problem's start: for data that is large."""
    row = setup.bind()
    row.judge_step(Point.start(row.truth))


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
    fields = {name: expected for name, expected in row.expect(point).items() if name in ("J", "gw", "gb")}
    row.compare(snapshot, fields, f"{' and '.join(operations)}, three times", fields)
    for name in ("w", "b", "moment1", "moment2", "step"):
        same = np.array_equal(getattr(snapshot, name), getattr(point, name))
        require(same, name, f"{' and '.join(operations)} changed {name}")


def resets(setup: Setup) -> None:
    """Reset with each of its arguments alone, and after work: exact state, NaN outputs, nothing left behind."""
    row = setup.bind()
    start, random = Point.start(row.truth), setup.random
    for point in (row.random_point(random), start):
        row.reset(point)
        row.judge_step(point)
    row.workspace.reset(b=0.0)
    row.require_fresh(Point(w=start.w, b=0.0, moment1=start.moment1, moment2=start.moment2, step=0))
    other = row.random_point(random)
    row.workspace.reset(w=other.w.astype(row.config.dtype))
    alone = Point(w=other.w, b=start.b, moment1=start.moment1, moment2=start.moment2, step=0)
    row.require_fresh(alone)
    row.judge_step(alone)
    row.workspace.reset(step=41)
    later = Point(w=start.w, b=start.b, moment1=start.moment1, moment2=start.moment2, step=41)
    row.require_fresh(later)
    row.judge_step(later)


def training(setup: Setup) -> None:
    """train(k) is train(k − 1) and a step more, with the costs of every step; and step after reset after train."""
    row, random = setup.bind(), setup.random
    point = row.reset(row.random_point(random))
    before, costs = point, []
    slack = SLACK if setup.implementation.deterministic else SLACK_OF_A_LOOSE_TRAJECTORY
    for k in range(1, 4 if setup.implementation.compiles_per_shape else 6):
        row.reset(point)
        row.run(Op.TRAIN, k)
        costs.append(row.expect(before)["J"])
        snapshot = row.judge(before, f"train({k})", slack=1.0 if k == 1 else slack)
        _judge_costs(row, snapshot, costs, slack)
        before = Point.of(snapshot)
    row.run(Op.TRAIN, 1)
    snapshot = row.judge(before, f"train(1) after train({k})")
    _judge_costs(row, snapshot, [row.expect(before)["J"]])
    if not setup.implementation.compiles_per_shape:
        row.reset(point)
        row.run(Op.TRAIN, MANY_STEPS - 1)
        before = Point.of(row.snapshot())
        row.reset(point)
        row.run(Op.TRAIN, MANY_STEPS)
        snapshot = row.judge(before, f"train({MANY_STEPS})", slack=slack)
        _judge_costs(row, snapshot, costs, slack, MANY_STEPS)
    point = row.reset(row.random_point(random))
    require(row.snapshot().costs.size == 0, "costs", "reset left the costs of the last train behind")
    row.judge_step(point, when="step after reset after train")


def _judge_costs(
    row: BoundRow, snapshot: Snapshot, expected: Sequence[Expected], slack: float = SLACK, k: int | None = None
) -> None:
    """The first costs of train(k), as many as are expected; all of them where k is not given."""
    k, costs = k or len(expected), np.asarray(snapshot.costs)
    sentence = f"after train({k}), costs is {costs.dtype} of shape {costs.shape}, not {row.config.dtype} of ({k},)"
    require(costs.shape == (k,) and costs.dtype == row.config.dtype, "costs", sentence)
    for index, (cost, (value, bound)) in enumerate(zip(costs, expected, strict=False)):
        error = abs(float(cost) - float(value)) / (slack * float(bound)) if np.isfinite(cost) else math.inf
        if not error <= 1.0:
            raise Rejected(
                f"cost {index} of train({k}) is {cost:g}, not {value:g}: off by {error:.3g} bounds", "costs", error
            )


def alternation(setup: Setup) -> None:
    """Two workspaces of equal shape, other problems and other settings, taking turns at every operation."""
    first = setup.bind()
    second = setup.bind(setup.another_scene(), setup.other_config)
    for route in setup.routes():
        points = [row.reset(row.random_point(setup.random)) for row in (first, second)]
        for _ in range(2):
            for name in route:
                first.run(name)
                second.run(name)
            when = f"{'; '.join(route)}, two workspaces in turn"
            points = [Point.of(s.judge(p, when)) for s, p in zip((first, second), points, strict=True)]
    if Op.TRAIN in setup.implementation.ops:
        points = [row.reset(row.random_point(setup.random)) for row in (first, second)]
        first.run(Op.TRAIN, 1)
        second.run(Op.TRAIN, 1)
        for row, point in zip((first, second), points, strict=True):
            _judge_costs(row, row.judge(point, "train(1), two workspaces in turn"), [row.expect(point)["J"]])


def results_demanded_again(setup: Setup) -> None:
    """A snapshot does not change when work goes on, another workspace is bound, or the row is reset."""
    row = setup.bind()
    before = row.reset(row.random_point(setup.random))
    for _ in range(STEPS):
        row.run(Op.STEP)
        row.judge(before, "step")
        before = Point.of(row.keep())
    if Op.TRAIN in setup.implementation.ops:
        row.run(Op.TRAIN, 3)
        row.keep()
        row.run(Op.TRAIN, 3)
    other = setup.bind(setup.another_scene())
    other.judge_step(other.reset())
    row.reset()
    row.judge_step(Point.start(row.truth), when="step after another workspace was bound")


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
        changed = changed_field(first[0], snapshots[0]) or changed_field(first[1], snapshots[1])
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


def not_a_number(setup: Setup) -> None:
    """A parameter that is NaN gives outputs that are NaN: a diverged run must not look like a result."""
    row = setup.bind()
    point = row.random_point(setup.random)
    for w, b in ((point.w, math.nan), (np.full_like(point.w, np.nan), point.b)):
        row.workspace.reset(w=w.astype(row.config.dtype), b=b)
        row.run(Op.STEP)
        snapshot = row.snapshot()
        for name in ("J", "gb", "b"):
            nan = bool(np.isnan(np.asarray(getattr(snapshot, name), np.float64)).all())
            require(nan, name, f"after a step from parameters that are NaN, {name} is a number")


def long_run(setup: Setup) -> None:
    """Hundreds of steps that nobody judges, then one that is; and the time goes where the work should be done.

    A row that only notes what to do, and does it when a snapshot asks, would be timed doing nothing: synchronize
    returns when the work is done. The batch doubles until it can be timed; three times in a row is not chance.
    """
    row = setup.bind()
    batch, lazy = 32, 0
    while lazy < 3:
        began = time.perf_counter()
        for _ in range(batch):
            row.run(Op.STEP)
        row.workspace.synchronize()
        done = time.perf_counter()
        snapshot = row.snapshot()
        ended = time.perf_counter()
        if ended - done > 0.02 and ended - done > done - began:
            lazy += 1
        elif ended - began < 0.02 and batch < 4096:
            batch *= 2
        else:
            row.judge_step(Point.of(snapshot), when=f"step {snapshot.step + 1} of a long run")
            return
    raise Rejected(
        "the work is done when a snapshot is taken, not when synchronize returns: timings would be of nothing"
    )


class Trial(NamedTuple):
    name: str
    run: Callable[[Setup], None]
    needs: frozenset[Op] = frozenset({Op.STEP})


STEPS_TRIAL = Trial("steps from the row's own state", steps)
ONE_STEP = Trial("a step on large data", one_step)
MARGINS = Trial("one margin at a time", margins)
STATEFUL = (
    Trial("reset", resets),
    Trial("the phases of a step", phases),
    Trial("operations called again", gradient_again, frozenset({Op.GRADIENT})),
    Trial("operations called again", phases_again, frozenset({Op.FORWARD, Op.BACKWARD})),
    Trial("train", training, frozenset({Op.TRAIN})),
    Trial("two workspaces in turn", alternation),
    Trial("results demanded again", results_demanded_again),
    Trial("NaN", not_a_number),
)
REPETITION = Trial("the same steps again", repetition)
LONG_RUN = Trial("a long run", long_run)


def draw_config(random: Random, problem: Problem | None, dtype: str, optimizer: str) -> Config:
    """A configuration that nobody would guess: learning rates, penalties, and Adam's constants.

    Half of the learning rates of gradient descent are safe ones for the problem, where one is given.
    """
    l2 = 0.0 if random.random() < 0.3 else 10.0 ** random.uniform(-3.0, 0.0)
    if optimizer == GD.name:
        rate = random.uniform(0.02, 0.9)
        if problem is not None and random.random() < 0.5:
            rate *= safe_learning_rate(problem, l2)
        return Config(dtype=dtype, optimizer=GD(learning_rate=rate), l2=l2)
    adam = Adam(
        learning_rate=10.0 ** random.uniform(-3.0, -0.5),
        beta1=float(random.choice([0.9, 0.8, 0.5, 0.0])),
        beta2=float(random.choice([0.999, 0.99, 0.9, 0.5])),
        epsilon=float(random.choice([1e-8, 1e-4, 1e-2])),
    )
    return Config(dtype=dtype, optimizer=adam, l2=l2)
