"""How far an honest row may be from the truth, element by element: the derivation, and the code beside it.

The tolerance is an error bound, first order in the unit roundoff u of the row's dtype, in the manner of Higham,
*Accuracy and Stability of Numerical Algorithms* (2nd ed.), chapters 3 and 4: a sum of k products errs by at most
γ(k)·Σ|x_j·w_j| (3.5), with γ(k) ≈ k·u for one running sum, and about √k·u for rounding errors that do not
conspire (Higham & Mary, 2019) or partial sums. `growth(k)` is that factor; k counts the products that are not
zero, since adding a zero rounds nothing. With one constant C for the few roundings of every elementary function,
and σ' = σ(t)·σ(−t), which is formed so that neither tail cancels:

    δz   = C·u·growth(terms)·(|X||w| + |b|)
    δr   = min(¼, σ'·e^δz)·δz + C·u·|r|              σ' ≤ ¼ changes by at most e^δz over δz
    δJ   = Σ min(1, |r|·e^δz)·δz/m                   softplus' = σ = |r|, and at most 1
         + C·u·growth(m)·Σ loss/m + (C + n)·u·(l2/2)·‖w‖²     a short sum, which may be one running sum in any row
    δgw  = |X|ᵀδr/m + C·u·growth(terms)·|X|ᵀ|r|/m + C·u·l2·|w|      and δgb the same with ones for |X|

One running sum may take the penalty in, before the rows or after them: then all of it errs as a sum of so many terms
more, with k the weights that are not zero where l2 is not,

    δJ   = … + C·u·(m + k)·(Σ loss/m + (l2/2)·‖w‖²)      δgw = … + C·u·(terms + 1)·(|X|ᵀ|r|/m + l2·|w|)

A row whose residual is the difference p − y cannot keep the digits of a residual smaller than p's last place, nor
one that forms softplus(z) − y·z those of a loss smaller than z's: they are given C·u·p in δr and C·u·|z| in δJ.
With weights each loss and residual, and its bound, is multiplied by s = weight·m/Σweights, and has errors of its own:
s is known to two roundings (its quotient by the total, whose sum errs by a few u at most, and its own to the row's
dtype), and the product is one more:

    δ(s·loss) = s·δloss + W·u·s·loss        δ(s·r) = s·δr + W·u·s·|r|        W = 4

The update carries δg on (`update_bounds`). Each bound includes the smallest normal number, because some libraries
flush smaller ones to zero, and the float64 truth's own error, computed by the same formulas.

C = 4 counts roundings: an exponential of 2 ULP, or an addition, a division and a product. It covers no mistakes: a
wrong kernel is wrong by far more, as the planted problems of `stepbench check` make sure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stepkernels import reference
from stepkernels.interface import Accumulation, Implementation, Residual
from stepkernels.problem import Adam, Array, Config, Problem, undisturbed, unit_roundoff
from stepkernels.reference import Gradient, Point

C = 4.0
W = 4.0  # roundings of a weight: over the total, by the total's own error, into the row's dtype, and times the loss


class Traits(NamedTuple):
    """What a row declares of its arithmetic, and all that its bound depends on besides the data."""

    accumulation: Accumulation
    residual: Residual

    @classmethod
    def of(cls, row: Implementation) -> Traits:
        return cls(row.accumulation, row.residual)

    def growth(self, terms: Array | int) -> Array:
        """How the rounding errors of sums of so many terms add up, in units of u."""
        return np.asarray(terms, np.float64) if self.accumulation == "sequential" else np.sqrt(terms)


class Arithmetic(NamedTuple):
    """How numbers are rounded: a row's traits, and its dtype's unit roundoff and smallest normal number."""

    traits: Traits
    u: float
    tiny: float

    @classmethod
    def of(cls, traits: Traits, dtype: str) -> Arithmetic:
        return cls(traits, unit_roundoff(dtype), float(np.finfo(dtype).tiny))


TRUTH = Arithmetic(Traits("blocked", "stable"), unit_roundoff("float64"), tiny=0.0)


class _Rows(NamedTuple):
    """What the bounds of a block of rows are made of, whatever the arithmetic; of r = σ(t) the sign is left out.

    Each is that of a row which counts once; what it does count is `weight`.
    """

    magnitude: Array  # (rows, n + 1) |X|, and a column of ones for the bias
    terms: Array  # how many of them are not zero
    scale: Array  # Σ|x_j·w_j| + |b|
    z: Array
    r: Array
    slope: Array  # σ' = σ(t)·σ(−t)
    loss: Array
    weight: Array  # (rows,), or a 1 without dimensions

    @classmethod
    def of(cls, X: Array, y: Array, weight: Array, point: Point) -> _Rows:
        magnitude = np.ones((len(X), X.shape[1] + 1))
        np.abs(X, out=magnitude[:, :-1])
        z = X @ point.w + point.b
        t = (1.0 - 2.0 * y) * z
        r = reference.sigmoid(t)
        scale = magnitude @ np.abs(point.parameters)
        terms, slope = np.count_nonzero(magnitude, axis=1), r * reference.sigmoid(-t)
        return cls(magnitude, terms, scale, z, r, slope, reference.softplus(t), weight)


@undisturbed
def gradient_bounds(problem: Problem, l2: float, point: Point, arithmetics: Sequence[Arithmetic]) -> list[Gradient]:
    """δJ, δgw and δgb, as a `Gradient` for each arithmetic. The bias is a column of ones."""
    m, n = problem.m, problem.n
    losses, summands, terms = 0.0, np.zeros(n + 1), np.zeros(n + 1)
    δlosses, δsums = np.zeros(len(arithmetics)), np.zeros((len(arithmetics), n + 1))
    for X, y, weight in reference.row_blocks(problem):
        rows = _Rows.of(X, y, weight, point)
        losses += float((weight * rows.loss).sum())
        summands += (weight * rows.r) @ rows.magnitude
        terms += np.count_nonzero(rows.magnitude, axis=0)
        for k, arithmetic in enumerate(arithmetics):
            δloss, δr = _row_bounds(rows, arithmetic)
            δlosses[k] += δloss.sum()
            δsums[k] += (δr + m * arithmetic.tiny) @ rows.magnitude  # a row may divide r by m before it sums
    means = Means(m, terms, losses / m, summands / m)
    return [
        bound_of_means(arithmetic, means, float(δloss) / m, δsum / m, l2, point.w)
        for arithmetic, δloss, δsum in zip(arithmetics, δlosses, δsums, strict=True)
    ]


class Means(NamedTuple):
    """What the rows come to: Σ loss/m, and |X|ᵀ|r|/m (n + 1,), whose columns have so many terms that are not zero."""

    m: int
    terms: Array
    loss: float
    magnitude: Array


def bound_of_means(
    arithmetic: Arithmetic, means: Means, δloss: float, δmagnitude: Array, l2: float, w: Array
) -> Gradient:
    """δJ, δgw and δgb of means whose rows err by δloss and δmagnitude (n + 1,), with the penalty on w (n,)."""
    traits, u, tiny = arithmetic
    m, terms, loss, magnitude = means
    penalty, shrinkage = 0.5 * l2 * float(w @ w), np.append(l2 * np.abs(w), 0.0)
    if traits.accumulation == "sequential":
        further = int(np.count_nonzero(shrinkage))
        δJ = C * u * traits.growth(m + further) * (loss + penalty)
        δg = C * u * traits.growth(terms + (shrinkage > 0)) * (magnitude + shrinkage)
    else:
        δJ = C * u * traits.growth(m) * loss + (C + len(w)) * u * penalty
        δg = C * u * (traits.growth(terms) * magnitude + shrinkage)
    δg = δmagnitude + δg + tiny
    return Gradient(J=float(δloss + δJ + tiny), gw=δg[:-1], gb=float(δg[-1]))


def _row_bounds(rows: _Rows, arithmetic: Arithmetic) -> tuple[Array, Array]:
    """δloss and δr of each row, times its weight."""
    traits, u, tiny = arithmetic
    δz = C * u * traits.growth(rows.terms) * rows.scale + rows.terms * tiny
    stretch = np.exp(np.minimum(δz, 100.0))
    δr = np.minimum(0.25, rows.slope * stretch) * δz + C * u * rows.r + tiny
    δloss = np.minimum(1.0, rows.r * stretch) * δz + tiny
    if traits.residual == "difference":
        δr += C * u * reference.sigmoid(rows.z)
        δloss += C * u * np.abs(rows.z)
    if rows.weight.ndim:
        δweight = W * u * rows.weight + tiny
        return rows.weight * δloss + δweight * rows.loss, rows.weight * δr + δweight * rows.r
    return δloss, δr


@undisturbed
def update_bounds(g: Array, δg: Array, after: Point, config: Config, point: Point) -> tuple[Array, Array, Array]:
    """δ of the parameters and of both moments, (n + 1,) each, after an update with a gradient g known to δg.

    A β rounded to the row's dtype is off by u·β, and moves a moment by that much of what it weighs. A moment formed as
    m + (1 − β)·(g − m) rounds |m| where β·m + (1 − β)·g rounds β·|m|: what is kept is counted whole.
    """
    optimizer, u, tiny = config.optimizer, unit_roundoff(config.dtype), float(np.finfo(config.dtype).tiny)
    before, rounding = np.abs(point.parameters), C * u
    if not isinstance(optimizer, Adam):
        δchange = optimizer.learning_rate * (δg + rounding * np.abs(g))
        unchanged = np.full_like(g, tiny)
        return δchange + rounding * before + tiny, unchanged, unchanged
    beta1, beta2 = optimizer.beta1, optimizer.beta2
    old1, old2 = np.abs(point.moment1), point.moment2
    δmoment1 = (1.0 - beta1) * (δg + rounding * np.abs(g)) + rounding * old1 + u * beta1 * (old1 + np.abs(g))
    δmoment2 = (
        (1.0 - beta2) * (2.0 * np.abs(g) + δg) * δg
        + rounding * (old2 + (1.0 - beta2) * g**2)
        + u * beta2 * (old2 + g**2)
    )
    δmoment1, δmoment2 = δmoment1 + tiny, δmoment2 + tiny
    δadam = _adam_change_bound(after, δmoment1, δmoment2, optimizer, config.dtype)
    capped = np.minimum(δadam, _largest_adam_change(point, after, optimizer))
    return capped + rounding * before + tiny, δmoment1, δmoment2


def _adam_change_bound(after: Point, δmoment1: Array, δmoment2: Array, adam: Adam, dtype: str) -> Array:
    """How far lr·m̂/(√v̂ + ε) may be off when the moments are off by δmoment1 and δmoment2.

    Bias corrections formed as 1 − βᵗ in float64 keep an absolute accuracy, so a relative one of u/(1 − βᵗ).
    """
    u, tiny = unit_roundoff(dtype), float(np.finfo(dtype).tiny)
    correction1, correction2 = adam.bias_corrections(after.step)
    δcorrections = (
        TRUTH.u * math.sqrt(after.step) * ((1.0 - correction1) / correction1 + (1.0 - correction2) / correction2)
    )
    root = np.sqrt(after.moment2 / correction2)
    δmean = δmoment1 / correction1
    δroot = np.minimum(np.sqrt(δmoment2 / correction2), δmoment2 / correction2 / np.maximum(root, 1e-300))
    change = _adam_change(after, adam)
    lowest = np.maximum(root - δroot, 0.0) + adam.epsilon
    δnumerator = adam.learning_rate * δmean + tiny
    δchange: Array = (δnumerator + change * δroot) / lowest + C * (u + δcorrections) * change
    return δchange


def _adam_change(after: Point, adam: Adam) -> Array:
    """lr·|m̂|/(√v̂ + ε), as the truth has it."""
    correction1, correction2 = adam.bias_corrections(after.step)
    root = np.sqrt(after.moment2 / correction2)
    change: Array = adam.learning_rate * np.abs(after.moment1 / correction1) / (root + adam.epsilon)
    return change


def _largest_adam_change(point: Point, after: Point, adam: Adam) -> Array:
    """How far the true change can be from any that Adam can make, wherever v̂ is no larger than its own error.

    By Cauchy–Schwarz |moment1|/√moment2 is at most the root of (β1·|m|/√(β2·v))² + (1 − β1)²/(1 − β2), with m and v the
    moments before the update.
    """
    correction1, correction2 = adam.bias_corrections(after.step)
    kept1, kept2 = adam.beta1 * np.abs(point.moment1), adam.beta2 * point.moment2
    history = np.divide(kept1, np.sqrt(kept2), out=np.full_like(kept1, np.inf), where=kept2 > 0.0)
    history[kept1 == 0.0] = 0.0
    ratio = np.hypot(history, (1.0 - adam.beta1) / math.sqrt(1.0 - adam.beta2))
    largest: Array = adam.learning_rate * ratio * math.sqrt(correction2) / correction1
    return largest + _adam_change(after, adam)
