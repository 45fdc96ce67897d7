"""What a row's margin becomes in a fused step: its residual and its loss, a vector of rows at a time."""

# mypy: disable-error-code="import-untyped,no-untyped-call,untyped-decorator"

from __future__ import annotations

import math
from typing import Any

from numba import types
from numba.extending import overload

from stepkernels import simd
from stepkernels.problem import Array
from stepkernels.simd import compiled_within

# Totals of one thread, float64: gw in the first n places, these two at the end.
RESIDUAL, LOSS = -2, -1

# Σ log1p(eᵢ) = log1p(∏(1 + eᵢ) − 1): the product kept as its excess over 1 loses nothing when it is tiny.
# A product of so many 1 + exp(−|t|), none above 2, is finite; and so is the part of it in each lane, in float32.
ROWS_A_LOGARITHM = 960

Sums = tuple[Any, Any, Any]


def residuals(signs: Any, bias: float, start: int, rows: int, sums: Sums, z_out: Any, at: int) -> Sums:
    """The residuals r = (1 − 2y)·σ(t) in the place of z, for t = (1 − 2y)·(z + bias); returns the sums, continued.

    Those of `rows` rows, z from its element `at` on, the signs from `start` on: 1 − 2y in int8, and a vector may be
    read behind the last. The sums are vectors: of r, of max(t, 0), and, with e = exp(−|t|), what is over 1 in ∏(1 + e):
    the loss is softplus(t) = max(t, 0) + log1p(e). σ(t) = max([t ≥ 0], e)/(1 + e). Nothing overflows or cancels. Behind
    the last row, a vector is filled with t = −∞, which has no loss and the residual 0. Signs that rows have weights in
    are of the dtype of X: see `weighted_residuals`. Only in compiled code.
    """
    raise NotImplementedError(f"residuals of {rows!r} rows is a function for compiled code.")


@compiled_within
def plain_residuals(signs: Any, bias: float, start: int, rows: int, sums: Sums, z_out: Any, at: int) -> Sums:
    """As `residuals`, for rows that all count once."""
    sum_of_r, linear, excess = sums
    for i in range(0, rows, simd.lanes(z_out)):
        sign = simd.load_int8(signs, start + i, z_out)
        t = simd.first(sign * (simd.load(z_out, at + i) + bias), rows - i, -math.inf)
        e = simd.exp(-simd.absolute(t))
        r = sign * (simd.where_negative(t, e, 1.0) / (e + 1.0))
        sum_of_r += r
        linear += simd.maximum(t, 0.0)
        excess += simd.fma(e, excess, e)
        simd.store(z_out, at + i, r)
    return sum_of_r, linear, excess


@compiled_within
def weighted_residuals(signs: Any, bias: float, start: int, rows: int, sums: Sums, z_out: Any, at: int) -> Sums:
    """As `residuals`, for signs that are s·(1 − 2y) in the dtype of X: the residual times s costs nothing more.

    The loss does: a product of 1 + e has no weights, so that each row takes its own logarithm, and the second sum is of
    s·softplus(t). The third stays what it was.
    """
    sum_of_r, losses, excess = sums
    for i in range(0, rows, simd.lanes(z_out)):
        sign = simd.load(signs, start + i)
        z = simd.load(z_out, at + i) + bias
        t = simd.first(simd.where_negative(sign, -z, z), rows - i, -math.inf)
        e = simd.exp(-simd.absolute(t))
        r = sign * (simd.where_negative(t, e, 1.0) / (e + 1.0))
        sum_of_r += r
        losses = simd.fma(simd.absolute(sign), simd.maximum(t, 0.0) + simd.log1p(e), losses)
        simd.store(z_out, at + i, r)
    return sum_of_r, losses, excess


@overload(residuals)
def _residuals(signs: Any, bias: Any, start: Any, rows: Any, sums: Any, z_out: Any, at: Any) -> Any:  # noqa: ARG001
    of_rows = plain_residuals if signs.dtype == types.int8 else weighted_residuals

    def continued(signs: Any, bias: Any, start: Any, rows: Any, sums: Any, z_out: Any, at: Any) -> Any:
        return of_rows(signs, bias, start, rows, sums, z_out, at)

    return continued


@compiled_within
def add_residuals(sums: Sums, totals_out: Array) -> None:
    """Adds the sums of `residuals` over `ROWS_A_LOGARITHM` rows at most, and so their loss, to the totals."""
    totals_out[RESIDUAL] += simd.lane_sum(sums[0])
    totals_out[LOSS] += simd.lane_sum(sums[1]) + math.log1p(simd.lane_growth(sums[2]))
