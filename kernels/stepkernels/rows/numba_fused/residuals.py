"""What a row's margin becomes in a fused step: its residual and its loss, a vector of rows at a time."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import math
from typing import Any

from stepkernels import simd
from stepkernels.problem import Array
from stepkernels.simd import compiled

# Totals of one thread, float64: gw in the first n places, these two at the end.
RESIDUAL, LOSS = -2, -1

# A product of so many 1 + exp(−|t|), none above 2, is finite; and so is the part of it in each lane, in float32.
ROWS_A_LOGARITHM = 960


@compiled
def residuals(
    signs: Array, bias: float, start: int, rows: int, sums: tuple[Any, Any, Any], z_out: Array
) -> tuple[Any, Any, Any]:
    """The residuals r = (1 − 2y)·σ(t) in the place of z, for t = (1 − 2y)·(z + bias); returns the sums, continued.

    signs (m + a vector,) int8: 1 − 2y. The sums are vectors: of r, of max(t, 0), and, with e = exp(−|t|), what is over
    1 in ∏(1 + e): the loss is softplus(t) = max(t, 0) + log1p(e). σ(t) = max([t ≥ 0], e)/(1 + e). Nothing overflows
    or cancels. Behind the last row, a vector is filled with t = −∞, which has no loss and the residual 0.
    Signs that rows have weights in are an array (1, m + a vector): see `weighted_residuals`.
    """
    if signs.ndim == 2:  # known when compiled
        return weighted_residuals(signs, bias, start, rows, sums, z_out)
    sum_of_r, linear, excess = sums
    for i in range(0, rows, simd.lanes(z_out)):
        sign = simd.load_int8(signs, start + i, z_out)
        t = simd.first(sign * (simd.load(z_out, i) + bias), rows - i, -math.inf)
        e = simd.exp(-simd.absolute(t))
        r = sign * (simd.where_negative(t, e, 1.0) / (e + 1.0))
        sum_of_r += r
        linear += simd.maximum(t, 0.0)
        excess += simd.fma(e, excess, e)
        simd.store(z_out, i, r)
    return sum_of_r, linear, excess


@compiled
def weighted_residuals(
    signs: Array, bias: float, start: int, rows: int, sums: tuple[Any, Any, Any], z_out: Array
) -> tuple[Any, Any, Any]:
    """As `residuals`, for signs that are s·(1 − 2y) in the dtype of X: the residual times s costs nothing more.

    The loss does: a product of 1 + e has no weights, so that each row takes its own logarithm, and the second sum is of
    s·softplus(t). The third stays what it was.
    """
    sum_of_r, losses, excess = sums
    for i in range(0, rows, simd.lanes(z_out)):
        sign = simd.load(signs, start + i)
        z = simd.load(z_out, i) + bias
        t = simd.first(simd.where_negative(sign, -z, z), rows - i, -math.inf)
        e = simd.exp(-simd.absolute(t))
        r = sign * (simd.where_negative(t, e, 1.0) / (e + 1.0))
        sum_of_r += r
        losses = simd.fma(simd.absolute(sign), simd.maximum(t, 0.0) + simd.log1p(e), losses)
        simd.store(z_out, i, r)
    return sum_of_r, losses, excess


@compiled
def add_residuals(sums: tuple[Any, Any, Any], totals_out: Array) -> None:
    """Adds the sums of `residuals` over `ROWS_A_LOGARITHM` rows at most, and so their loss, to the totals."""
    totals_out[RESIDUAL] += simd.lane_sum(sums[0])
    totals_out[LOSS] += simd.lane_sum(sums[1]) + math.log1p(simd.lane_growth(sums[2]))
