"""A row bound to a scene, wherever it computes, and what it holds judged against the truth, here.

Whatever is wrong raises `Rejected`: a field, its error in bounds, and what happened, in a sentence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from stepbench.checking.draws import draw_step
from stepbench.checking.scenes import Random, Scene
from stepbench.checking.tally import Tally
from stepbench.checking.trajectory import Stretch, follow
from stepbench.checking.verdicts import VisibleChange
from stepbench.executor.remote import RemoteRow, RemoteWorkspace
from stepbench.executor.wire import ARRAYS
from stepkernels import Config, Implementation, Problem, Snapshot
from stepkernels.agreement import (
    GRADIENT_FIELDS,
    STEP_FIELDS,
    UPDATE_FIELDS,
    Expectation,
    Expected,
    Traits,
    compare,
    expect_step,
    expect_update,
    smallest_visible_change,
)
from stepkernels.problem import Adam
from stepkernels.reference import Gradient, Point

Bind = Callable[[Problem, Config], RemoteWorkspace]
SLACK = 8.0
"""Two honest trajectories drift apart by their rounding, and Adam divides the difference by a √v̂ that may be small: a
few bounds after a few steps. Mistakes are thousands."""


class Rejected(Exception):  # noqa: N818 - a verdict, not an error of ours
    """The row is wrong: in `field`, by `error` bounds (infinite where that has no measure)."""

    def __init__(self, sentence: str, field: str = "", error: float = math.inf) -> None:
        super().__init__(sentence)
        self.field, self.error = field, error


def require(claim: bool, field: str, sentence: str) -> None:
    if not claim:
        raise Rejected(sentence, field)


class BoundRow:
    """A workspace of a row, and all that is needed to judge what it computes."""

    def __init__(
        self, implementation: Implementation, scene: Scene, config: Config, tally: Tally, bind: Bind | None = None
    ) -> None:
        """`bind` binds the row where it is to compute; without one, in this process, for rows that we trust."""
        self.implementation, self.scene, self.config, self.tally = implementation, scene, config, tally
        self.truth = scene.problem
        self.workspace = (bind or RemoteRow(implementation).bind)(scene.problem, config)
        self.held: list[Snapshot] = []

    def run(self, *operations: str, times: int = 1) -> None:
        """Call operations that the row declares, one after the other, so many times."""
        self.workspace.call(*operations, times=times)

    def train(self, steps: int) -> None:
        self.workspace.train(steps)

    def reset(self, point: Point | None = None) -> Point:
        """Put the row at `point`, or at the problem's start; the outputs must be NaN and the state exact."""
        if point is None:
            self.workspace.reset()
            point = Point.start(self.truth)
        else:
            self.put(point)
        self.require_fresh(point)
        return point

    def put(self, point: Point) -> None:
        """Reset to `point`, with arrays of the row's dtype, which the row must neither keep nor change."""
        w, moment1, moment2 = (v.astype(self.config.dtype) for v in (point.w, point.moment1, point.moment2))
        moments = (moment1, moment2) if isinstance(self.config.optimizer, Adam) else None
        self.workspace.reset(w=w, b=point.b, moments=moments, step=point.step)

    def put_at(self, point: Point, random: Random) -> None:
        """Put the row at `point` by one of the ways there are, and do not always look whether it is there."""
        start = Point.start(self.truth)
        if point.step == 0 and np.array_equal(point.parameters, start.parameters) and random.random() < 0.5:
            self.workspace.reset()
        else:
            self.put(point)
        if random.random() < 0.5:
            self.require_fresh(point)

    def require_fresh(self, point: Point) -> None:
        """The state must be `point` to the last bit, and every output NaN."""
        snapshot = self.snapshot()
        for name in UPDATE_FIELDS:
            expected = np.asarray(getattr(point, name), self.config.dtype)
            value = np.asarray(getattr(snapshot, name))
            right = value.dtype == expected.dtype and value.shape == expected.shape and np.array_equal(value, expected)
            require(right, name, f"after reset, {name} is not what it was reset to")
        require(snapshot.step == point.step, "step", f"after reset to step {point.step}, step is {snapshot.step}")
        for name in GRADIENT_FIELDS:
            nan = bool(np.isnan(np.asarray(getattr(snapshot, name), np.float64)).all())
            require(nan, name, f"after reset, {name} is not NaN before anything was computed")

    def snapshot(self) -> Snapshot:
        """A snapshot of a device that is done: after a device-wide synchronize it must not have changed."""
        snapshot = self.workspace.snapshot()
        if self.implementation.device == "cuda":
            if status := self.workspace.settle():
                raise Rejected(f"the device reports error {status} (a kernel wrote where it must not, or failed)")
            late = changed_field(snapshot, self.workspace.snapshot())
            require(late is None, late or "", f"{late} changed after snapshot returned: the device was not done")
        return snapshot

    def judge_step(self, before: Point, operations: Iterable[str] = ("step",), when: str = "") -> Snapshot:
        """Run the operations, which make one step, and judge it from the state before them."""
        names = tuple(operations)
        self.run(*names)
        return self.judge(before, when or "; ".join(names))

    def judge(self, before: Point, when: str, slack: float = 1.0) -> Snapshot:
        """Judge the state as one step from `before`, then the update alone from the row's own gradient."""
        snapshot = self.snapshot()
        expected = self.expect(before)
        self.compare(snapshot, expected, when, slack=slack)
        if slack == 1.0:
            self.tally.see(self._visible_change(expected))
            own = expect_update(self.config, before, Gradient.of(snapshot))
            self.compare(snapshot, own, f"{when} (the update, from the row's own gradient)", UPDATE_FIELDS)
        right_step = snapshot.step == before.step + 1
        require(right_step, "step", f"after {when}, step is {snapshot.step} and not {before.step + 1}")
        return snapshot

    def follow(self, point: Point, steps: int) -> Stretch:
        """Where so many steps lead, on a slow descent."""
        return follow(self.truth, self.config, point, steps, Traits.of(self.implementation))

    def judge_stretch(self, before: Point, steps: int, when: str) -> Snapshot:
        """Judge the state as so many steps from `before`, which nobody looked at."""
        return self.judge_along(self.follow(before, steps), before.step + steps, when)

    def judge_along(self, stretch: Stretch, step: int, when: str, slack: float = 1.0) -> Snapshot:
        """Judge the state as the end of a stretch, at this step."""
        snapshot = self.snapshot()
        require(snapshot.step == step, "step", f"after {when}, step is {snapshot.step} and not {step}")
        self.compare(snapshot, stretch.expectation, when, slack=slack)
        return snapshot

    def _visible_change(self, expected: Expectation) -> VisibleChange:
        m, n = self.truth.X.shape
        return VisibleChange(dtype=self.config.dtype, m=m, n=n, relative_change=smallest_visible_change(expected))

    def expect(self, before: Point) -> Expectation:
        return expect_step(self.truth, self.config, before, Traits.of(self.implementation))

    def compare(
        self,
        snapshot: Snapshot,
        expectation: Expectation,
        when: str,
        fields: Iterable[str] = STEP_FIELDS,
        slack: float = 1.0,
    ) -> None:
        agreement = compare(snapshot, expectation, self.config.dtype, fields)
        if agreement.faults or not agreement.worst <= slack:
            raise Rejected(
                f"after {when}, {agreement.reason}{self._hint(snapshot)}", agreement.worst_field, agreement.worst
            )
        self.tally.add({name: error / slack for name, error in agreement.errors.items()})

    def _hint(self, snapshot: Snapshot) -> str:
        """Non-finite values say more than a number of bounds."""
        odd = [name for name in STEP_FIELDS if not np.isfinite(np.asarray(getattr(snapshot, name), np.float64)).all()]
        return f" ({', '.join(odd)} not finite)" if odd else ""

    def judge_costs(
        self, snapshot: Snapshot, expected: Sequence[Expected], slack: float = SLACK, k: int | None = None
    ) -> None:
        """The first costs of train(k), as many as are expected; all of them where k is not given."""
        k, costs = k or len(expected), np.asarray(snapshot.costs)
        kind = f"{costs.dtype} of shape {costs.shape}"
        sentence = f"after train({k}), costs is {kind}, not {self.config.dtype} of ({k},)"
        require(costs.shape == (k,) and costs.dtype == self.config.dtype, "costs", sentence)
        for index, (cost, (value, bound)) in enumerate(zip(costs, expected, strict=False)):
            error = abs(float(cost) - float(value)) / (slack * float(bound)) if np.isfinite(cost) else math.inf
            if not error <= 1.0:
                raise Rejected(
                    f"cost {index} of train({k}) is {cost:g}, not {value:g}: off by {error:.3g} bounds", "costs", error
                )

    def keep(self) -> Snapshot:
        """A snapshot now, and again: the same to the last bit, and to be demanded again at the end."""
        self.held.append(self.workspace.snapshot(hold=True))
        changed = changed_field(self.held[-1], self.snapshot())
        require(changed is None, changed or "", f"two snapshots in a row differ in {changed}")
        return self.held[-1]

    def finish(self) -> None:
        """Every snapshot that was kept still says what it said."""
        for index, snapshot in enumerate(self.held):
            changed = changed_field(snapshot, self.workspace.held_snapshot(index))
            sentence = f"{changed} of a snapshot changed after it was taken: it must hold copies"
            require(changed is None, changed or "", sentence)

    def near_start(self, random: Random) -> Point:
        """The start moved by up to a tenth."""
        start = Point.start(self.truth)
        w = start.w * random.uniform(0.9, 1.1, self.truth.n)
        return replace(start, w=w, b=start.b * random.uniform(0.9, 1.1)).astype(self.config.dtype)

    def random_point(self, random: Random) -> Point:
        """Parameters like the scene's own but other numbers; for Adam, moments in mid-training, far from step zero."""
        n = self.truth.n
        start = Point.start(self.truth)
        w = start.w * random.uniform(0.5, 1.5, n)
        b = start.b * random.uniform(0.5, 1.5) + 0.1 * random.standard_normal()
        moment1, moment2, step = np.zeros(n + 1), np.zeros(n + 1), draw_step(random)
        if isinstance(self.config.optimizer, Adam):
            moment1 = random.standard_normal(n + 1) * 10.0 ** random.uniform(-3.0, 1.0, n + 1)
            moment2 = moment1**2 * random.uniform(0.5, 2.0, n + 1)
        return Point(w=w, b=b, moment1=moment1, moment2=moment2, step=step).astype(self.config.dtype)


def changed_field(first: Snapshot, second: Snapshot) -> str | None:
    """The first field whose bits differ; None when all are the same."""
    for name in ARRAYS:
        if np.asarray(getattr(first, name)).tobytes() != np.asarray(getattr(second, name)).tobytes():
            return name
    return None if first.step == second.step else "step"
