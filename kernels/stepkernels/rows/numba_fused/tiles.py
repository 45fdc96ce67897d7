"""A fused step over tiles: a small X copied so that one vector holds one feature of many rows.

A tile is eight vectors of rows, its columns one behind the other: an array (tiles, n, rows in a tile), filled up with
zeros. What a row-major X cannot give comes of itself: no lane is empty whatever n is, no sum is taken across lanes
until the end, every load begins a cache line, and X is one stream. A step in float64 is faster than over rows padded
to cache lines by 12 % at 569×30, 30 % at 20,000×50 and 40 % at 100,000×20, in float32 by 12, 40 and 47 %.

The price is the copy, as long as 3 to 9 steps, so that it is for an X that fits in the caches: beyond them the bound
is bytes. There a tile's backward pass, and at 569×30 already its forward pass, waits for the second-level cache;
fetching the next tile ahead into the first gained 5 % at 569×30 and cost as much or more at every other size, and into
the second nothing anywhere. A tile forward and the one before it back in one loop, as `pipeline.py` does, with tiles
half as high so that both lie in the first cache, gained 1 to 7 % up to 5,000×50 and lost 3 to 15 % at 20,000×50 and
100,000×20 (AVX-512, Zen 4).
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import numpy as np

from stepkernels import simd
from stepkernels.problem import Array
from stepkernels.rows.numba_fused.cache_lines import aligned
from stepkernels.rows.numba_fused.residuals import ROWS_A_LOGARITHM, add_residuals, residuals
from stepkernels.simd import compiled, compiled_within

VECTORS = 8  # in a column of a tile: as many sums hide the latency of an FMA, and fit in the registers


def fit_tiles(m: int, itemsize: int) -> bool:
    """Whether m rows fill tiles well enough: else too much of them would be zeros."""
    return 3 * (-m % rows_in_tile(itemsize)) <= m


def rows_in_tile(itemsize: int) -> int:
    return VECTORS * simd.VECTOR_BYTES // itemsize


def in_tiles(X: Array, rows: int) -> Array:
    """X (m, n) as tiles of so many rows: (tiles, n, rows)."""
    m, n = X.shape
    tiles = aligned((-(-m // rows), n, rows), X.dtype.str)
    copy_into_tiles(np.ascontiguousarray(X), tiles)
    return tiles


@compiled
def copy_into_tiles(X: Array, tiles_out: Array) -> None:
    """X (m, n) into tiles (tiles, n, rows in a tile); rows behind the last one keep the zeros they have."""
    rows = tiles_out.shape[2]
    for tile in range(len(tiles_out)):
        for i in range(tile * rows, min((tile + 1) * rows, len(X))):
            for j in range(X.shape[1]):
                tiles_out[tile, j, i - tile * rows] = X[i, j]


@compiled_within
def column(first: int, width: int) -> tuple[int, ...]:
    """Where the eight vectors of a column start when the first does at `first`."""
    return (
        first,
        first + width,
        first + 2 * width,
        first + 3 * width,
        first + 4 * width,
        first + 5 * width,
        first + 6 * width,
        first + 7 * width,
    )


@compiled_within
def forward(X: Array, parameters: Array, tile: int, z_out: Array) -> None:
    """The margins z = Xw, still without the bias, of a tile; parameters (n + 1,)."""
    n, width, zero = X.shape[1], simd.lanes(X), simd.zeros(X)
    sums = (zero, zero, zero, zero, zero, zero, zero, zero)
    for j in range(n):
        at = column((tile * n + j) * VECTORS * width, width)
        sums = simd.add_products(sums, simd.broadcast(parameters, j), X, at)
    for k in range(VECTORS):
        simd.store(z_out, k * width, sums[k])


@compiled_within
def backward(X: Array, r: Array, tile: int, sums_out: Array) -> None:
    """Adds Xᵀr of a tile to the sums, a vector for each column: r (rows in a tile,), sums (n·lanes,)."""
    n, width = X.shape[1], simd.lanes(X)
    factors = (
        simd.load(r, 0),
        simd.load(r, width),
        simd.load(r, 2 * width),
        simd.load(r, 3 * width),
        simd.load(r, 4 * width),
        simd.load(r, 5 * width),
        simd.load(r, 6 * width),
        simd.load(r, 7 * width),
    )
    for j in range(n):
        at = column((tile * n + j) * VECTORS * width, width)
        simd.store(sums_out, j * width, simd.add_all_products(simd.load(sums_out, j * width), factors, X, at))


@compiled_within
def accumulate_tiles(
    X: Array,
    signs: Array,
    parameters: Array,
    bounds: tuple[int, int],
    block: int,
    scratch_out: Array,
    totals_out: Array,
) -> None:
    """As `accumulate_rows`, for X in tiles of `block` rows. scratch (block + n·lanes,): z, and the sums of Xᵀr."""
    (first, last), sign = bounds, simd.elements(signs)
    width, bias, zero = simd.lanes(X), parameters[len(parameters) - 1], simd.zeros(X)
    z, column_sums = scratch_out[:block], scratch_out[block:]
    totals_out[:] = 0.0
    column_sums[:] = 0.0
    sums, pending = (zero, zero, zero), 0
    for start in range(first, last, block):
        rows = min(block, last - start)
        forward(X, parameters, start // block, z)
        sums = residuals(sign, bias, start, rows, sums, z, 0)
        z[rows:] = 0.0  # behind the last row: no residual, whatever w is
        backward(X, z, start // block, column_sums)
        pending += rows
        if pending + block > ROWS_A_LOGARITHM or start + block >= last:
            add_residuals(sums, totals_out)
            sums, pending = (zero, zero, zero), 0
            for j in range(X.shape[1]):
                totals_out[j] += simd.lane_sum(simd.load(column_sums, j * width))
                simd.store(column_sums, j * width, zero)
