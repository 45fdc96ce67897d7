"""A fused step over blocks of rows of a row-major X, (m, n): for an X in memory, which is bound by bytes.

While one block is worked on the next is fetched, for eight short rows side by side defeat the hardware's prefetcher,
and memory would be idle half of the time. `ahead` is where that block begins in the flat X. It is asked for twice, by
`forward` and by `backward`: work on a block that lies in the first cache is faster than memory, and a processor whose
queue is full drops what it is asked to prefetch. What came by the first asking costs the second next to nothing.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from stepkernels import simd
from stepkernels.problem import Array
from stepkernels.rows.numba_fused.residuals import ROWS_A_LOGARITHM, add_residuals, residuals
from stepkernels.simd import compiled


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
        fetch = ahead + i * n
        sums = (zero, zero, zero, zero, zero, zero, zero, zero)
        for j in range(0, whole, width):
            places = (at[0] + j, at[1] + j, at[2] + j, at[3] + j, at[4] + j, at[5] + j, at[6] + j, at[7] + j)
            sums = simd.add_products(sums, simd.load(parameters, j), X, places)
            simd.prefetch(X, fetch + 8 * j, 8)
        if whole < n:
            j, left = whole, n - whole
            places = (at[0] + j, at[1] + j, at[2] + j, at[3] + j, at[4] + j, at[5] + j, at[6] + j, at[7] + j)
            sums = simd.add_products_part(sums, simd.load_part(parameters, j, left), X, places, left)
            simd.prefetch(X, fetch + 8 * j, 8)
        simd.store_sums(z_out, i, sums)


@compiled
def backward(X: Array, r: Array, start: int, rows: int, ahead: int, totals_out: Array) -> None:
    """Adds Xᵀr of `rows` rows from row `start` to the totals.

    r (rows,) and zeros up to a multiple of two.
    """
    n, width, zero = X.shape[1], simd.lanes(X), simd.zeros(X)
    whole = n - n % (4 * width)
    for j in range(0, whole, 4 * width):
        sums = (zero, zero, zero, zero)
        fetch = ahead + j * rows
        for i in range(rows):
            at = (start + i) * n + j
            places = (at, at + width, at + 2 * width, at + 3 * width)
            sums = simd.add_products(sums, simd.broadcast(r, i), X, places)
            simd.prefetch(X, fetch + 4 * width * i, 4)
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
    fetch = ahead + j * rows
    for i in range(rows):
        at = (start + i) * n + j
        places = (at, at + width, at + 2 * width, at + 3 * width)
        sums = simd.add_products_part(sums, simd.broadcast(r, i), X, places, counts)
        simd.prefetch(X, fetch + left * i, 4)
    for k in range(4):
        simd.add_to_float64(totals_out, j + k * width, sums[k])


@compiled
def backward_narrow_rest(X: Array, r: Array, start: int, rows: int, ahead: int, j: int, totals_out: Array) -> None:
    """As `backward`, for the last one or two vectors of columns: two rows at a time make it four sums, too."""
    n, width, zero = X.shape[1], simd.lanes(X), simd.zeros(X)
    left = n - j
    counts = (left, left - width, left, left - width)
    sums = (zero, zero, zero, zero)
    fetch = ahead + j * rows
    for i in range(0, rows, 2):
        at = (start + i) * n + j
        below = (start + min(i + 1, rows - 1)) * n + j
        first, second = simd.broadcast(r, i), simd.broadcast(r, i + 1)
        places = (at, at + width, below, below + width)
        sums = simd.add_products_part(sums, (first, first, second, second), X, places, counts)
        simd.prefetch(X, fetch + left * i, 4)
    for k in range(4):
        simd.add_to_float64(totals_out, j + k % 2 * width, sums[k])


@compiled
def accumulate_blocks(
    X: Array, signs: Array, parameters: Array, first: int, last: int, block: int, z_out: Array, totals_out: Array
) -> None:
    """The sums Xᵀr, Σr and Σ loss over rows first … last − 1 into one thread's totals, a block of rows at a time.

    A block's own in the dtype of X, those of all blocks in float64.
    """
    columns, bias, zero = X.shape[1], parameters[len(parameters) - 1], simd.zeros(X)
    totals_out[:] = 0.0
    sums, pending = (zero, zero, zero), 0
    for start in range(first, last, block):
        rows = min(block, last - start)
        ahead = (start + block) * columns
        forward(X, parameters, start, rows, ahead, z_out)
        sums = residuals(signs, bias, start, rows, sums, z_out)
        backward(X, z_out, start, rows, ahead, totals_out)
        pending += rows
        if pending + block > ROWS_A_LOGARITHM or start + block >= last:
            add_residuals(sums, totals_out)
            sums, pending = (zero, zero, zero), 0


def rows_in_block(n: int, itemsize: int) -> int:
    """As many rows as fit in 20 KiB, so that a block is read from the first cache the second time.

    The best of 12 to 64 KiB at 20 to 100 features, within 5 %. But at least 16 while these fit in 256 KiB, and at most
    256. Eights, as far as there are any, because rows are taken eight at a time.
    """
    row = n * itemsize
    rows = min(max(20 * 1024 // row, min(16, 256 * 1024 // row), 1), 256)
    return rows - rows % 8 if rows > 8 else rows
