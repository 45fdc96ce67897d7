"""What a snapshot must hold after a step, or after an update alone: for each field the truth and its bound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stepkernels import reference
from stepkernels.agreement.bounds import TRUTH, Arithmetic, Traits, gradient_bounds, update_bounds
from stepkernels.problem import Array, Config, Problem, undisturbed, unit_roundoff
from stepkernels.reference import Gradient, Point

GRADIENT_FIELDS = ("J", "gw", "gb")
UPDATE_FIELDS = ("w", "b", "moment1", "moment2")
STEP_FIELDS = GRADIENT_FIELDS + UPDATE_FIELDS


class Expected(NamedTuple):
    """A value and the largest honest error, arrays of one shape; float64."""

    value: Array
    bound: Array


Expectation = Mapping[str, Expected]
"""What a snapshot must hold after a step: a value and a bound for each of STEP_FIELDS."""


def expect_step(problem: Problem, config: Config, point: Point, traits: Traits) -> Expectation:
    """What one step from `point` must give a row of these traits."""
    return expect_steps(problem, config, point, [traits])[traits]


BoundedTruth = Callable[[Problem, float, Point, Sequence[Arithmetic]], tuple[Gradient, list[Gradient]]]
"""The gradient of a problem with some l2 at a point, and its bounds for each arithmetic."""


def plain_truth(
    problem: Problem, l2: float, point: Point, arithmetics: Sequence[Arithmetic]
) -> tuple[Gradient, list[Gradient]]:
    """One pass over X for the truth and one for its bounds."""
    return reference.gradient(problem, point.w, point.b, l2), gradient_bounds(problem, l2, point, arithmetics)


@undisturbed
def expect_steps(
    problem: Problem, config: Config, point: Point, traits: Iterable[Traits], bounded_truth: BoundedTruth = plain_truth
) -> dict[Traits, Expectation]:
    """The same for several traits at once.

    `problem` must hold the numbers the row is given: for a float32 row, a float32 problem.
    """
    wanted = list(dict.fromkeys(traits))
    truth, (own_error, *bounds) = bounded_truth(
        problem, config.l2, point, [TRUTH, *(Arithmetic.of(each, config.dtype) for each in wanted)]
    )
    return {
        each: _expect_gradient(truth, δ := bound + own_error) | expect_update(config, point, truth, δ)
        for each, bound in zip(wanted, bounds, strict=True)
    }


def _expect_gradient(truth: Gradient, bound: Gradient) -> dict[str, Expected]:
    return {
        "J": Expected(np.asarray(truth.J), np.asarray(bound.J)),
        "gw": Expected(truth.gw, bound.gw),
        "gb": Expected(np.asarray(truth.gb), np.asarray(bound.gb)),
    }


@undisturbed
def expect_update(
    config: Config, point: Point, gradient: Gradient, bound: Gradient | None = None
) -> dict[str, Expected]:
    """What the update from `point` must give with a gradient known to `bound`.

    Without a bound the gradient is the row's own, as it was stored: known to one rounding, since a row may update
    with more digits than it keeps. This judges an update apart from the gradient, and so more sharply.
    """
    after = reference.update(point, gradient, config.optimizer)
    δg = unit_roundoff(config.dtype) * np.abs(gradient.packed) if bound is None else bound.packed
    δparameters, δmoment1, δmoment2 = update_bounds(gradient.packed, δg, after, config, point)
    return {
        "w": Expected(after.w, δparameters[:-1]),
        "b": Expected(np.asarray(after.b), np.asarray(δparameters[-1])),
        "moment1": Expected(after.moment1, δmoment1),
        "moment2": Expected(after.moment2, δmoment2),
    }
