"""One block of rows of a fused step: its margins, its residuals and loss, and its part of the gradient.

X is (m, n) and contiguous. While one block is worked on, half of the next is fetched by `forward` and half by
`backward`, so that memory is asked evenly: `ahead` is where that half begins in the flat X, 0 if not at all.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import math
from typing import Any

from numba import jit

from stepkernels import numba_simd as simd
from stepkernels.problem import Array

compiled: Any = jit(nopython=True, nogil=True, cache=True, error_model="numpy")

# Totals of one thread, float64: gw in the first n places, these two at the end.
RESIDUAL, LOSS = -2, -1

# A product of so many 1 + exp(−|t|), none above 2, is finite; and so is the part of it in each lane, in float32.
ROWS_A_LOGARITHM = 960


@compiled
def row_starts(first: int, rows: int, n: int) -> tuple[int, ...]:
    """Where eight rows of n start when the first does at `first`; behind the last of `rows` rows, that one again."""
    if rows >= 8:
        return (
            first,
            first + n,
            first + 2 * n,
            first + 3 * n,
            first + 4 * n,
            first + 5 * n,
            first + 6 * n,
            first + 7 * n,
        )
    last = rows - 1
    return (
        first,
        first + min(1, last) * n,
        first + min(2, last) * n,
        first + min(3, last) * n,
        first + min(4, last) * n,
        first + min(5, last) * n,
        first + min(6, last) * n,
        first + min(7, last) * n,
    )


@compiled
def forward(X: Array, parameters: Array, start: int, rows: int, ahead: int, z_out: Array) -> None:
    """The margins z = Xw, still without the bias, of `rows` rows from row `start`, filled up to a multiple of eight.

    parameters (n + 1,).
    """
    n, width, zero = X.shape[1], simd.lanes(X), simd.zeros(X)
    whole = n - n % width
    for i in range(0, rows, 8):
        at = row_starts((start + i) * n, rows - i, n)
        fetch = ahead + i * n // 2
        sums = (zero, zero, zero, zero, zero, zero, zero, zero)
        for j in range(0, whole, width):
            places = (at[0] + j, at[1] + j, at[2] + j, at[3] + j, at[4] + j, at[5] + j, at[6] + j, at[7] + j)
            sums = simd.add_products(sums, simd.load(parameters, j), X, places)
            if ahead:
                simd.prefetch(X, fetch + 4 * j, 4)
        if whole < n:
            j, left = whole, n - whole
            places = (at[0] + j, at[1] + j, at[2] + j, at[3] + j, at[4] + j, at[5] + j, at[6] + j, at[7] + j)
            sums = simd.add_products_part(sums, simd.load_part(parameters, j, left), X, places, left)
            if ahead:
                simd.prefetch(X, fetch + 4 * j, 4)
        simd.store_sums(z_out, i, sums)


@compiled
def residuals(
    signs: Array, bias: float, start: int, rows: int, sums: tuple[Any, Any, Any], z_out: Array
) -> tuple[Any, Any, Any]:
    """The residuals r = (1 − 2y)·σ(t) in the place of z, for t = (1 − 2y)·(z + bias); returns the sums, continued.

    signs (m + a vector,) int8: 1 − 2y. The sums are vectors: of r, of max(t, 0), and, with e = exp(−|t|), what is over
    1 in ∏(1 + e): the loss is softplus(t) = max(t, 0) + log1p(e). σ(t) = max([t ≥ 0], e)/(1 + e). Nothing overflows
    or cancels. Behind the last row, a vector is filled with t = −∞, which has no loss and the residual 0.
    """
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
def add_residuals(sums: tuple[Any, Any, Any], totals_out: Array) -> None:
    """Adds the sums of `residuals` over `ROWS_A_LOGARITHM` rows at most, and so their loss, to the totals."""
    totals_out[RESIDUAL] += simd.lane_sum(sums[0])
    totals_out[LOSS] += simd.lane_sum(sums[1]) + math.log1p(simd.lane_growth(sums[2]))


@compiled
def backward(X: Array, r: Array, start: int, rows: int, ahead: int, totals_out: Array) -> None:
    """Adds Xᵀr of `rows` rows from row `start` to the totals.

    r (rows,) and zeros up to a multiple of two.
    """
    n, width, zero = X.shape[1], simd.lanes(X), simd.zeros(X)
    whole = n - n % (4 * width)
    for j in range(0, whole, 4 * width):
        sums = (zero, zero, zero, zero)
        fetch = ahead + j * rows // 2
        for i in range(rows):
            at = (start + i) * n + j
            places = (at, at + width, at + 2 * width, at + 3 * width)
            sums = simd.add_products(sums, simd.broadcast(r, i), X, places)
            if ahead:
                simd.prefetch(X, fetch + 2 * width * i, 2)
        for k in range(4):
            simd.add_to_float64(totals_out, j + k * width, sums[k])
    if n - whole > 2 * width:
        backward_wide_rest(X, r, start, rows, ahead, whole, totals_out)
    elif n > whole:
        backward_narrow_rest(X, r, start, rows, ahead, whole, totals_out)


@compiled
def backward_wide_rest(X: Array, r: Array, start: int, rows: int, ahead: int, j: int, totals_out: Array) -> None:
    """As `backward`, for the last three or four vectors of columns, from column j."""
    n, width, zero = X.shape[1], simd.lanes(X), simd.zeros(X)
    left = n - j
    counts = (left, left - width, left - 2 * width, left - 3 * width)
    sums = (zero, zero, zero, zero)
    fetch = ahead + j * rows // 2
    for i in range(rows):
        at = (start + i) * n + j
        places = (at, at + width, at + 2 * width, at + 3 * width)
        sums = simd.add_products_part(sums, simd.broadcast(r, i), X, places, counts)
        if ahead:
            simd.prefetch(X, fetch + left * i // 2, 2)
    for k in range(4):
        simd.add_to_float64(totals_out, j + k * width, sums[k])


@compiled
def backward_narrow_rest(X: Array, r: Array, start: int, rows: int, ahead: int, j: int, totals_out: Array) -> None:
    """As `backward`, for the last one or two vectors of columns: two rows at a time make it four sums, too."""
    n, width, zero = X.shape[1], simd.lanes(X), simd.zeros(X)
    left = n - j
    counts = (left, left - width, left, left - width)
    sums = (zero, zero, zero, zero)
    fetch = ahead + j * rows // 2
    for i in range(0, rows, 2):
        at = (start + i) * n + j
        below = (start + min(i + 1, rows - 1)) * n + j
        first, second = simd.broadcast(r, i), simd.broadcast(r, i + 1)
        places = (at, at + width, below, below + width)
        sums = simd.add_products_part(sums, (first, first, second, second), X, places, counts)
        if ahead:
            simd.prefetch(X, fetch + left * i // 2, 2)
    for k in range(4):
        simd.add_to_float64(totals_out, j + k % 2 * width, sums[k])
