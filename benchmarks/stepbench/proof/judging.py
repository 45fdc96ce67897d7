"""Whether what a row holds after a round is what exactly so many operations from the round's start give.

A round of steps is judged twice. The whole: the parameters are where the truth's path is after as many steps. The last
step: it is undone, and J and the gradient have to belong to where it began. So a step that was left out shows in the
first, and one that was taken but half computed in the second; and since a row cannot know which step is the last, what
the last one shows holds of all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stepbench.cases.case import Case
from stepbench.proof.paths import ADAM_SHARE, Path, curvature
from stepkernels.agreement import (
    GRADIENT_FIELDS,
    Agreement,
    C,
    Expectation,
    Expected,
    Traits,
    compare,
    expect_steps,
)
from stepkernels.agreement.expected import BoundedTruth
from stepkernels.interface import Op, Snapshot
from stepkernels.problem import Adam, Array, Config, Problem, unit_roundoff
from stepkernels.reference import Gradient, Point

STEP_OPS = (Op.STEP, Op.TRAIN)
MOMENTS = ("moment1", "moment2")


@dataclass(slots=True)
class Judge:
    """Of one case: its truth, and the paths from the points that rounds began at."""

    case: Case
    problem: Problem
    config: Config
    truth: BoundedTruth
    traits: list[Traits]
    _path_of_latest: Path | None = None
    _expected_of_latest: tuple[Point, dict[Traits, Expectation]] | None = None
    _curvature: float = math.nan

    def judge(self, held: Snapshot, start: Point, calls: int, traits: Traits, *, trains: bool) -> Agreement:
        """What a row of such traits holds after so many operations from `start`; `trains` if it has a train of its own.

        A snapshot without the shapes and dtypes that one must have disagrees, and nothing more is looked at.
        """
        if self.case.op in (*STEP_OPS, Op.UPDATE):
            shape = self._shaped(held)
            if not shape.agrees:
                return shape
        if self.case.op in STEP_OPS:
            return self._judge_steps(held, start, calls, traits, trains=trains)
        agreement = compare(held, self._expectation(start)[traits], self.case.dtype, self._fields())
        if self.case.op == Op.UPDATE:
            agreement = joined(agreement, self._judge_updates(held, start, calls), _wrong_count(held, start, calls))
        return agreement

    def judge_moved(self, held: Snapshot, start: Point, moves: int, traits: Traits) -> Agreement:
        """What a row holds that was updated so many times from `start`, and made the operation anew after each.

        The outputs belong to where it stands, and it stands where as many updates lead: by the gradient of each place
        or, where the operation is to go forward, all by that of the start.
        """
        shape = self._shaped(held)
        if not shape.agrees:
            return shape
        if faults := _wrong_count(held, start, moves).faults:
            return Agreement({}, faults)
        (there,) = expect_steps(self.problem, self.config, Point.of(held), [traits], self.truth).values()
        if self.case.op != Op.FORWARD:
            outputs = compare(held, there, self.case.dtype, GRADIENT_FIELDS)
            return joined(outputs, self._judge_whole(held, start, moves, traits))
        expected = {**self._expectation(start)[traits], "J": there["J"]}
        outputs = compare(held, expected, self.case.dtype, GRADIENT_FIELDS)
        return joined(outputs, self._judge_updates(held, start, moves))

    def unseen_steps(self, start: Point, calls: int, traits: Traits) -> int | None:
        """How many steps at the end of a round, where they are shortest, could be missing and not be seen.

        None where no operation moves anything.
        """
        if self.case.op not in STEP_OPS:
            return None
        path, steps = self._path(start), calls * self.case.steps
        end = path.after(steps)
        missing = 0
        while missing < steps:
            there = path.places[steps - missing - 1].point.parameters
            if _norm(end.point.parameters - there) > end.drift[traits]:
                break
            missing += 1
        return missing

    def _fields(self) -> tuple[str, ...]:
        return ("J",) if self.case.op == Op.FORWARD else GRADIENT_FIELDS

    def _judge_steps(self, held: Snapshot, start: Point, calls: int, traits: Traits, *, trains: bool) -> Agreement:
        steps = calls * self.case.steps
        if faults := _wrong_count(held, start, steps).faults:
            return Agreement({}, faults)
        if steps == 1:
            fields = (*GRADIENT_FIELDS, "w", "b", *(MOMENTS if self._adam else ()))
            found = compare(held, self._expectation(start)[traits], self.case.dtype, fields)
        else:
            found = joined(self._judge_whole(held, start, steps, traits), self._judge_last(held, traits))
        return joined(found, self._judge_costs(held, start, steps, traits)) if trains and found.agrees else found

    def _judge_whole(self, held: Snapshot, start: Point, steps: int, traits: Traits) -> Agreement:
        """The parameters, against the truth's path: w and b share the drift, which is of both."""
        place = self._path(start).after(steps)
        distance, drift = place.point.parameters - Point.of(held).parameters, place.drift[traits]
        return Agreement({"w": _norm(distance[:-1]) / drift, "b": abs(float(distance[-1])) / drift})

    def _judge_last(self, held: Snapshot, traits: Traits) -> Agreement:
        """J and the gradient, against the truth where the last step began."""
        began, error = undone(held, self.config)
        (expected,) = expect_steps(self.problem, self.config, began, [traits], self.truth).values()
        steepness = _norm(Gradient.of(held).packed)
        slack = {"J": steepness * error + 0.5 * self.curvature * error**2, "gw": self.curvature * error}
        slack["gb"] = slack["gw"]
        wider = {name: Expected(expected[name].value, expected[name].bound + slack[name]) for name in GRADIENT_FIELDS}
        return compare(held, wider, self.case.dtype, GRADIENT_FIELDS)

    def _judge_costs(self, held: Snapshot, start: Point, steps: int, traits: Traits) -> Agreement:
        """All the costs of the last train."""
        k, costs = self.case.steps, np.asarray(held.costs)
        if costs.shape != (k,) or costs.dtype != self.case.dtype:
            sentence = f"costs is {costs.dtype} of shape {costs.shape}, not {self.case.dtype} of shape ({k},)"
            return Agreement({"J": math.inf}, (sentence,))
        values, bounds = self._path(start).costs(steps - k, steps, traits)
        if not np.isfinite(costs).all():
            return Agreement(
                {"J": math.inf}, (f"cost {int(np.argmin(np.isfinite(costs)))} of train({k}) is not finite",)
            )
        return Agreement({"J": float((np.abs(costs.astype(np.float64) - values) / bounds).max())})

    def _judge_updates(self, held: Snapshot, start: Point, calls: int) -> Agreement:
        """The parameters after so many updates with the gradient that the row holds: each rounds once more."""
        from stepbench.proof.compiled_updates import updated  # which loads a compiler

        point, length = updated(start, Gradient.of(held), self.config.optimizer, calls)
        size = np.maximum(np.abs(start.parameters), np.abs(point.parameters))
        rounding = C * unit_roundoff(self.case.dtype) * (calls * _norm(size) + length)
        allowed = rounding + (ADAM_SHARE * length if self._adam else 0.0)
        distance = point.parameters - Point.of(held).parameters
        return Agreement({"w": _norm(distance[:-1]) / allowed, "b": abs(float(distance[-1])) / allowed})

    def _expectation(self, start: Point) -> dict[Traits, Expectation]:
        """Of one operation from `start`; the latest is kept, for the rows of one turn begin at one point."""
        if self._expected_of_latest is None or self._expected_of_latest[0] is not start:
            self._expected_of_latest = start, expect_steps(self.problem, self.config, start, self.traits, self.truth)
        return self._expected_of_latest[1]

    def _path(self, start: Point) -> Path:
        """From `start`; the latest is kept, as above."""
        if self._path_of_latest is None or self._path_of_latest.start is not start:
            self._path_of_latest = Path(self.truth, self.problem, self.config, start, self.traits)
        return self._path_of_latest

    def _shaped(self, held: Snapshot) -> Agreement:
        """Whether all of it is finite and of the right shape and dtype."""
        n = self.problem.n
        scalar, w, moments = (np.zeros(shape) for shape in ((), n, n + 1))
        shaped = {"J": scalar, "gw": w, "gb": scalar, "w": w, "b": scalar, "moment1": moments, "moment2": moments}
        anything = {name: Expected(zeros, np.full_like(zeros, math.inf)) for name, zeros in shaped.items()}
        return compare(held, anything, self.case.dtype, tuple(anything))

    @property
    def _adam(self) -> bool:
        return isinstance(self.config.optimizer, Adam)

    @property
    def curvature(self) -> float:
        if math.isnan(self._curvature):
            self._curvature = curvature(self.problem, self.config)
        return self._curvature


def undone(held: Snapshot, config: Config) -> tuple[Point, float]:
    """Where the last update began, by the state after it and the gradient it used; and how far off that may be.

    The row rounded the change and the sum, and stored the moments: a few roundings of each, counted as `C` is.
    """
    after, optimizer = Point.of(held), config.optimizer
    if isinstance(optimizer, Adam):
        correction1, correction2 = optimizer.bias_corrections(after.step)
        mean, root = after.moment1 / correction1, np.sqrt(after.moment2 / correction2)
        change = optimizer.learning_rate * mean / (root + optimizer.epsilon)
    else:
        change = optimizer.learning_rate * Gradient.of(held).packed
    before = after.parameters + change
    error = C * unit_roundoff(config.dtype) * (_norm(before) + _norm(change))
    began = Point(
        w=before[:-1], b=float(before[-1]), moment1=after.moment1, moment2=after.moment2, step=max(after.step - 1, 0)
    )
    return began, error


def joined(*agreements: Agreement) -> Agreement:
    """All that was found, of each field the worst."""
    errors: dict[str, float] = {}
    for agreement in agreements:
        for name, error in agreement.errors.items():
            errors[name] = max(errors.get(name, 0.0), error) if not math.isnan(error) else math.inf
    return Agreement(errors, tuple(_unique(fault for each in agreements for fault in each.faults)))


def _wrong_count(held: Snapshot, start: Point, updates: int) -> Agreement:
    if held.step == start.step + updates:
        return Agreement({})
    return Agreement({}, (f"after {updates} updates from step {start.step}, step is {held.step}",))


def _unique(faults: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(faults))


def _norm(vector: Array) -> float:
    return float(np.linalg.norm(vector))
