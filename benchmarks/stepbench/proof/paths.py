"""The truth's own steps from a point, and how far from them an honest row may be.

Gradient descent with a rate of at most 2/L is non-expansive: two points are no further apart after a step than before
it (Nesterov, Introductory Lectures on Convex Optimization, 2004, theorem 2.1.5: for a convex J of curvature at most L,
‖∇J(a) − ∇J(b)‖² ≤ L·⟨∇J(a) − ∇J(b), a − b⟩, so ‖(a − lr·∇J(a)) − (b − lr·∇J(b))‖ ≤ ‖a − b‖). A row's step is the
truth's step from where the row stands, and off by at most the bound of one step, so

    ‖row after k steps − truth after k steps‖₂ ≤ Σ over the k steps of ‖bound of that step‖₂      (the drift)

whatever the steps are. The bounds are those along the truth's path: along the row's they differ by their own relative
change over the drift, which is far below the constant that they are counted with.

Adam amplifies: it divides by √v̂, and no such bound is known. There the drift is a share of the way gone. A row within
it has taken all steps but that share; each single step is held to its own bound by `judging`, and by `stepbench check`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stepkernels import reference
from stepkernels.agreement import Traits
from stepkernels.agreement.bounds import TRUTH, Arithmetic, update_bounds
from stepkernels.agreement.expected import BoundedTruth
from stepkernels.problem import Adam, Array, Config, Problem
from stepkernels.reference import Gradient, Point

ADAM_SHARE = 1 / 40  # of the way gone, that a row of Adam's may be off: half of the 5 % that nobody may gain


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere on a path.

    length   of the way gone from its start, in parameters
    drift    by traits: how far an honest row may be from here
    """

    point: Point
    length: float
    drift: Mapping[Traits, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slope:
    """What J is at a place, and how it leans: `cost_bounds` has how far an honest row's J may be off, by traits."""

    gradient: Gradient
    cost_bounds: Mapping[Traits, float]


class Path:
    """The way of one problem and configuration from a point, taken as far as it is asked for."""

    def __init__(
        self, truth: BoundedTruth, problem: Problem, config: Config, start: Point, traits: Sequence[Traits]
    ) -> None:
        self.truth, self.problem, self.config, self.start = truth, problem, config, start
        self.traits = list(traits)
        self.places = [Place(point=start, length=0.0, drift=dict.fromkeys(self.traits, 0.0))]
        self.slopes: list[Slope] = []

    def after(self, steps: int) -> Place:
        """Where so many steps lead."""
        while len(self.places) <= steps:
            self._go_on()
        return self.places[steps]

    def costs(self, first: int, last: int, traits: Traits) -> tuple[Array, Array]:
        """J before each of the steps first … last − 1, and how far an honest row's may be off.

        A row that is `drift` away sees another J: by the slope times that, and by half the curvature times its square;
        the curvature is at most 1/lr.
        """
        self.after(last)
        slopes, places = self.slopes[first:last], self.places[first:last]
        costs = np.array([slope.gradient.J for slope in slopes])
        steepness = np.array([np.linalg.norm(slope.gradient.packed) for slope in slopes])
        drift = np.array([place.drift[traits] for place in places])
        own = np.array([slope.cost_bounds[traits] for slope in slopes])
        return costs, own + steepness * drift + 0.5 * curvature(self.problem, self.config) * drift**2

    def _go_on(self) -> None:
        """One step further."""
        place, arithmetics = self.places[-1], [Arithmetic.of(each, self.config.dtype) for each in self.traits]
        gradient, (own, *bounds) = self.truth(self.problem, self.config.l2, place.point, [TRUTH, *arithmetics])
        honest = {each: bound + own for each, bound in zip(self.traits, bounds, strict=True)}
        after = reference.update(place.point, gradient, self.config.optimizer)
        length = place.length + float(np.linalg.norm(after.parameters - place.point.parameters))
        drift = {each: self._drift(place, gradient, bound, after, length, each) for each, bound in honest.items()}
        self.slopes.append(Slope(gradient=gradient, cost_bounds={each: b.J for each, b in honest.items()}))
        self.places.append(Place(point=after, length=length, drift=drift))

    def _drift(
        self, place: Place, gradient: Gradient, bound: Gradient, after: Point, length: float, traits: Traits
    ) -> float:
        if isinstance(self.config.optimizer, Adam):
            return ADAM_SHARE * length
        δparameters, *_ = update_bounds(gradient.packed, bound.packed, after, self.config, place.point)
        return place.drift[traits] + float(np.linalg.norm(δparameters))


def curvature(problem: Problem, config: Config) -> float:
    """No less than the largest curvature of J: a quarter of the mean of ‖x_i‖² + 1, and l2."""
    mean_square = float(np.einsum("ij,ij->", problem.X, problem.X, dtype=np.float64)) / problem.m
    return 0.25 * (mean_square + 1.0) + config.l2
