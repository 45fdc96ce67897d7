"""How far an honest row may be from the truth, element by element, and how far one is.

The tolerance is an error bound, first order in the unit roundoff u of the row's dtype, in the manner of Higham,
*Accuracy and Stability of Numerical Algorithms* (2nd ed.), chapters 3 and 4: a sum of k products errs by at most
γ(k)·Σ|x_j·w_j| (3.5), with γ(k) ≈ k·u for one running sum, and about √k·u for rounding errors that do not
conspire (Higham & Mary, 2019) or partial sums. `growth(k)` is that factor. With one constant C for the few
roundings of every elementary function:

    δz   = C·u·growth(n + 1)·(|X||w| + |b|)
    δr   = min(¼, p(1−p)·e^δz)·δz + C·u·|r|          σ' = p(1−p) ≤ ¼ changes by at most e^δz over δz
    δJ   = Σ min(1, |r|·e^δz)·δz/m                   softplus' = σ = |r|, and at most 1
         + C·u·growth(m)·Σ loss/m + C·u·growth(n)·(l2/2)·‖w‖²
    δgw  = |X|ᵀδr/m + C·u·growth(m)·|X|ᵀ|r|/m + C·u·l2·|w|      and δgb the same with ones for |X|

A row whose residual is the difference p − y cannot keep the digits of a residual smaller than p's last place, nor
one that forms softplus(z) − y·z those of a loss smaller than z's: they are given C·u·p in δr and C·u·|z| in δJ.
The update carries δg on (`_update_bounds`). Each bound includes the smallest normal number, because some libraries
flush smaller ones to zero, and the float64 truth's own error, computed by the same formulas.

C = 4 covers an exponential of 2.5 ULP (NumPy's float32 one), an addition and a division. It bounds roundings, not
kernels: a wrong kernel is wrong by far more, as the planted problems of `stepbench check` make sure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stepkernels import reference
from stepkernels.interface import Accumulation, Implementation, Residual, Snapshot
from stepkernels.problem import Adam, Array, Config, Problem, unit_roundoff
from stepkernels.reference import Gradient, Point

C = 4.0

GRADIENT_FIELDS = ("J", "gw", "gb")
STEP_FIELDS = ("J", "gw", "gb", "w", "b", "moment1", "moment2")


class Traits(NamedTuple):
    """What a row declares of its arithmetic, and all that its bound depends on besides the data."""

    accumulation: Accumulation
    residual: Residual

    @classmethod
    def of(cls, row: Implementation) -> Traits:
        return cls(row.accumulation, row.residual)

    def growth(self, length: int) -> float:
        """How the rounding errors of a sum of `length` terms add up, in units of u."""
        return float(length) if self.accumulation == "sequential" else math.sqrt(length)


TRUTH_TRAITS = Traits("blocked", "stable")


class Expected(NamedTuple):
    """A value and the largest honest error, arrays of one shape; float64."""

    value: Array
    bound: Array


Expectation = Mapping[str, Expected]
"""What a snapshot must hold after a step: a value and a bound for each of STEP_FIELDS."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A comparison: the worst error of each field in units of its bound, and what else was wrong.

    An error is infinite where a value is NaN or infinite, and where shape or dtype are wrong.
    """

    errors: dict[str, float]
    faults: tuple[str, ...] = ()

    @property
    def agrees(self) -> bool:
        return not self.faults and self.worst <= 1.0

    @property
    def worst(self) -> float:
        return max(self.errors.values(), default=math.inf)

    @property
    def reason(self) -> str:
        """Why it does not agree, in words; empty when it does."""
        beyond = [f"{name} is off by {error:.3g} bounds" for name, error in self.errors.items() if not error <= 1.0]
        return "; ".join([*self.faults, *beyond])


def compare(snapshot: Snapshot, expectation: Expectation, dtype: str, fields: Iterable[str] = STEP_FIELDS) -> Agreement:
    """Judge the fields of a snapshot, each value against its own bound."""
    errors: dict[str, float] = {}
    faults: list[str] = []
    for name in fields:
        expected, value = expectation[name], np.asarray(getattr(snapshot, name))
        if value.shape != expected.value.shape or value.dtype != dtype:
            faults.append(
                f"{name} is {value.dtype} of shape {value.shape}, not {dtype} of shape {expected.value.shape}"
            )
            errors[name] = math.inf
        else:
            errors[name] = _worst_error(value, expected)
    return Agreement(errors, tuple(faults))


def smallest_visible_change(expectation: Expectation) -> dict[str, float]:
    """For each field, the smallest relative change of the whole field that would have been rejected."""
    changes = {}
    for name in GRADIENT_FIELDS:
        value, bound = (np.atleast_1d(part) for part in expectation[name])
        nonzero = value != 0.0
        changes[name] = float((bound[nonzero] / np.abs(value[nonzero])).min(initial=math.inf))
    return changes


def expect_step(problem: Problem, config: Config, point: Point, traits: Traits) -> Expectation:
    """What one step from `point` must give a row of these traits."""
    return expect_steps(problem, config, point, [traits])[traits]


def expect_steps(
    problem: Problem, config: Config, point: Point, traits: Iterable[Traits]
) -> dict[Traits, Expectation]:
    """The same for several traits from one pass over X.

    `problem` must hold the numbers the row is given: for a float32 row, a float32 problem.
    """
    truth, after = reference.step(problem, config, point)
    wanted = list(dict.fromkeys(traits))
    u, tiny = unit_roundoff(config.dtype), float(np.finfo(config.dtype).tiny)
    own_errors = _gradient_bounds(problem, config, point, {TRUTH_TRAITS}, unit_roundoff("float64"), tiny=0.0)[TRUTH_TRAITS]
    bounds = _gradient_bounds(problem, config, point, wanted, u, tiny)
    return {
        each: _expectation(truth, after, _sum(bounds[each], own_errors), config, point, u, tiny) for each in wanted
    }


def _expectation(
    truth: Gradient, after: Point, bound: Gradient, config: Config, point: Point, u: float, tiny: float
) -> Expectation:
    δparameters, δmoment1, δmoment2 = _update_bounds(truth, after, bound, config, point, u, tiny)
    scalar = np.asarray
    return {
        "J": Expected(scalar(truth.J), scalar(bound.J)),
        "gw": Expected(truth.gw, bound.gw),
        "gb": Expected(scalar(truth.gb), scalar(bound.gb)),
        "w": Expected(after.w, δparameters[:-1]),
        "b": Expected(scalar(after.b), scalar(δparameters[-1])),
        "moment1": Expected(after.moment1, δmoment1),
        "moment2": Expected(after.moment2, δmoment2),
    }


def _gradient_bounds(
    problem: Problem, config: Config, point: Point, traits: Iterable[Traits], u: float, tiny: float
) -> dict[Traits, Gradient]:
    """δJ, δgw and δgb, as `Gradient`s, for each of the traits."""
    wanted = list(traits)
    δloss = dict.fromkeys(wanted, 0.0)
    δsums = {each: np.zeros(problem.n + 1) for each in wanted}
    for X, y in reference.row_blocks(problem):
        sign, magnitude = 1.0 - 2.0 * y, np.abs(X)
        z = X @ point.w + point.b
        loss, r, p = reference.softplus(sign * z), sign * reference.sigmoid(sign * z), reference.sigmoid(z)
        scale = magnitude @ np.abs(point.w) + abs(point.b)
        for each in wanted:
            δz = C * u * each.growth(problem.n + 1) * scale + (problem.n + 1) * tiny
            stretch = np.exp(np.minimum(δz, 100.0))
            δr = np.minimum(0.25, p * (1.0 - p) * stretch) * δz + C * u * np.abs(r) + tiny
            δterm = np.minimum(1.0, np.abs(r) * stretch) * δz + tiny
            if each.residual == "difference":
                δr += C * u * p
                δterm += C * u * np.abs(z)
            row = δr + C * u * each.growth(problem.m) * np.abs(r)
            δloss[each] += float((δterm + C * u * each.growth(problem.m) * loss).sum())
            δsums[each] += np.append(row @ magnitude, row.sum())
    return {each: _mean_bounds(problem, config, point, each, δloss[each], δsums[each], u, tiny) for each in wanted}


def _mean_bounds(
    problem: Problem, config: Config, point: Point, traits: Traits, δloss: float, δsums: Array, u: float, tiny: float
) -> Gradient:
    penalty = 0.5 * config.l2 * float(point.w @ point.w)
    return Gradient(
        J=δloss / problem.m + C * u * traits.growth(problem.n) * penalty + tiny,
        gw=δsums[:-1] / problem.m + C * u * config.l2 * np.abs(point.w) + tiny,
        gb=float(δsums[-1]) / problem.m + tiny,
    )


def _update_bounds(
    truth: Gradient, after: Point, bound: Gradient, config: Config, point: Point, u: float, tiny: float
) -> tuple[Array, Array, Array]:
    """δ of the parameters and of both moments, (n + 1,) each, after an update with a gradient known to `bound`."""
    g, δg, before = truth.packed, bound.packed, point.parameters
    optimizer = config.optimizer
    if not isinstance(optimizer, Adam):
        change, unchanged = optimizer.learning_rate * g, np.zeros_like(g)
        δchange = optimizer.learning_rate * δg
        return δchange + C * u * (np.abs(before) + np.abs(change)) + tiny, unchanged + tiny, unchanged + tiny
    δmoment1 = (1.0 - optimizer.beta1) * δg + tiny
    δmoment1 += C * u * (optimizer.beta1 * np.abs(point.moment1) + (1.0 - optimizer.beta1) * np.abs(g))
    δmoment2 = (1.0 - optimizer.beta2) * (2.0 * np.abs(g) + δg) * δg + C * u * after.moment2 + tiny
    δchange = _adam_change_bound(after, δmoment1, δmoment2, optimizer, point, u)
    return δchange + C * u * np.abs(before) + tiny, δmoment1, δmoment2


def _adam_change_bound(
    after: Point, δmoment1: Array, δmoment2: Array, optimizer: Adam, point: Point, u: float
) -> Array:
    """How far lr·m̂/(√v̂ + ε) may be off when the moments are off by δmoment1 and δmoment2.

    Where v̂ is no larger than its own error the quotient is anything up to the largest possible change: by
    Cauchy–Schwarz |moment1|/√moment2 is at most the root of (β1·|m|/√(β2·v))² + (1 − β1)²/(1 − β2), with m and v
    the moments before the update.
    """
    correction1, correction2 = optimizer.bias_corrections(after.step)
    root = np.sqrt(after.moment2 / correction2)
    δmean = δmoment1 / correction1
    δroot = np.minimum(np.sqrt(δmoment2 / correction2), δmoment2 / correction2 / np.maximum(root, 1e-300))
    change = optimizer.learning_rate * np.abs(after.moment1 / correction1) / (root + optimizer.epsilon)
    lowest = np.maximum(root - δroot, 0.0) + optimizer.epsilon
    δchange = optimizer.learning_rate * δmean / lowest + change * δroot / lowest + C * u * change
    with np.errstate(divide="ignore", invalid="ignore"):
        history = optimizer.beta1 * np.abs(point.moment1) / np.sqrt(optimizer.beta2 * point.moment2)
    history = np.where(point.moment1 == 0.0, 0.0, history)
    ratio = np.hypot(history, (1.0 - optimizer.beta1) / math.sqrt(1.0 - optimizer.beta2))
    largest = optimizer.learning_rate * ratio * math.sqrt(correction2) / correction1
    return np.minimum(δchange, largest + change)


def _sum(first: Gradient, second: Gradient) -> Gradient:
    return Gradient(J=first.J + second.J, gw=first.gw + second.gw, gb=first.gb + second.gb)


def _worst_error(value: Array, expected: Expected) -> float:
    if not bool(np.isfinite(value).all()):
        return math.inf
    return float((np.abs(value.astype(np.float64) - expected.value) / expected.bound).max(initial=0.0))
