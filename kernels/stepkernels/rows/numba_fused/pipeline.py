"""A fused step over a row-major X, (m, n), in which memory never rests: for an X that is bound by bytes.

A pass that takes a block forward and then back asks memory for nothing while it computes sigmoids and goes back. Here
both products are in one loop over the columns: those of the next rows with w, which come from memory, and those of the
rows before with their residuals, which lie in the first cache. A load from memory is always under way.

A few rows are taken at once, as many as there are registers for; a group is some of these, so that the residuals of a
group are vectors enough to hide the latency of an exponential. They are computed while the next group is on its way,
and a group goes back two after it went forward.

Rows taken at once lie side by side, or far apart: each in a run of its own, so that the hardware's prefetcher sees as
many plain streams. `in_order_of_rows` puts values into the order in which they are met. Which is faster, and whether it
pays to ask for lines ahead in software, is the processor's business (`reading_plan.py`).
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from stepkernels import simd
from stepkernels.problem import Array
from stepkernels.rows.numba_fused.residuals import ROWS_A_LOGARITHM, Sums, add_residuals, residuals
from stepkernels.simd import ROWS_AT_ONCE, VECTOR_BYTES, compiled, compiled_within

LAG = 2  # groups between a group's way forward and its way back
KEPT = 4  # groups whose residuals are kept: a power of two above LAG
GROUP_BYTES = 4096  # LAG + 1 groups lie in the first cache, and leave most of it to lines that are on their way
MOST_AT_A_TIME = 8

CompiledPlan = tuple[bool, int | None]  # rows apart, and elements ahead: `ReadingPlan.compiled`
Run = tuple[int, int, int]


def rows_in_group(n: int, itemsize: int) -> int:
    """As many rows as fit in `GROUP_BYTES`, in whole vectors of margins: at least one of them, at most some."""
    vectors = max(1, VECTOR_BYTES // itemsize // ROWS_AT_ONCE)  # of rows at once, to a vector of margins
    times = min(max(GROUP_BYTES // (n * itemsize * ROWS_AT_ONCE), 1), MOST_AT_A_TIME)
    return -(-times // vectors) * vectors * ROWS_AT_ONCE


def in_order_of_rows(values: NDArray[Any], n: int, itemsize: int, shares: int, apart: bool) -> NDArray[Any]:
    """What rows have one of, (m,), in the order in which `accumulate_rows` meets the rows in each of the shares."""
    ordered, m, group = values.copy(), len(values), rows_in_group(n, itemsize)
    for share in range(shares if apart else 0):
        first, last = bounds_of(share, shares, m, group)
        grouped = groups_within(first, last, n, group, VECTOR_BYTES // itemsize) * group
        runs = values[first : first + grouped].reshape(ROWS_AT_ONCE, -1)
        ordered[first : first + grouped].reshape(-1, ROWS_AT_ONCE)[:] = runs.T
    return ordered


@compiled
def bounds_of(share: int, shares: int, m: int, block: int) -> tuple[int, int]:
    """The rows first … last − 1 of a share: contiguous, whole blocks, alike but for the last, which may be shorter."""
    rows = -(-m // (shares * block)) * block
    first = min(share * rows, m)
    return first, min(first + rows, m)


@compiled
def groups_within(first: int, last: int, n: int, group: int, width: int) -> int:
    """Whole groups of rows first … last − 1, behind which a vector may still be read without leaving X."""
    return max(last - first - -(-width // n), 0) // group


@compiled_within
def both_ways(
    X: Array,
    n: int,
    parameters: Array,
    new: int,
    old: int,
    stride: int,
    ahead: int | None,
    kept_out: Array,
    places: tuple[int, int],
    sums_out: Array,
) -> None:
    """The margins z = Xw, without the bias, of the rows at once from element `new` on; adds Xᵀr of those from `old` on.

    The rows are `stride` elements apart. What lies `ahead` elements behind the new ones is asked for, or nothing for
    None. z goes to the first place of what is kept, r lies at the second; sums (n and a vector,).
    """
    width = simd.lanes(X)
    whole = n - n % width
    margins, factors = simd.zero_for_each_row(X), simd.element_of_each_row(kept_out, places[1])
    for j in range(0, whole, width):
        if ahead is not None:  # known when compiled
            simd.prefetch_rows(X, new + j + ahead, stride)
        margins = simd.add_to_each_row(margins, simd.load(parameters, j), X, new + j, stride)
        total = simd.add_of_all_rows(simd.load(sums_out, j), factors, X, old + j, stride)
        simd.store(sums_out, j, total)
    if whole < n:
        j, left = whole, n - whole
        margins = simd.add_to_each_row_part(margins, simd.load(parameters, j), X, new + j, stride, left)
        total = simd.add_of_all_rows_part(simd.load(sums_out, j), factors, X, old + j, stride, left)
        simd.store(sums_out, j, total)
    simd.store_sums(kept_out, places[0], margins)


@compiled_within
def accumulate_rows(
    X: Array,
    signs: Array,
    parameters: Array,
    rows: tuple[int, int],
    block: int,
    plan: CompiledPlan,
    scratch_out: Array,
    totals_out: Array,
) -> None:
    """The sums Xᵀr, Σr and Σ loss over rows first … last − 1 into one thread's totals.

    Those of some hundred rows in the dtype of X, of all rows in float64. signs are in the order that the rows are met
    in; block is the rows of a group; scratch, `scratch_of` elements: what is kept, sums of Xᵀr, and sums for nobody.
    """
    first, last = rows
    n, bias = X.shape[1], parameters[len(parameters) - 1]
    totals_out[:] = 0.0
    scratch_out[:] = 0.0
    groups = groups_within(first, last, n, block, simd.lanes(X))
    elements, held = simd.elements(X), simd.elements(scratch_out)
    given = simd.elements(signs), simd.elements(parameters), bias
    accumulate_groups(elements, n, given, (first, groups, block), plan, held, totals_out)
    accumulate_rest(elements, n, given, (first + groups * block, last), block, held, totals_out)


def scratch_of(n: int, itemsize: int) -> int:
    """The elements of scratch for `accumulate_rows`."""
    return KEPT * rows_in_group(n, itemsize) + 2 * _places(n, VECTOR_BYTES // itemsize)


@compiled
def _places(n: int, width: int) -> int:
    """Those of sums of n columns, in vectors."""
    return -(-n // width) * width


@compiled_within
def accumulate_groups(
    X: Array, n: int, given: Any, run: Run, plan: CompiledPlan, scratch_out: Array, totals_out: Array
) -> None:
    """So many groups of so many rows from the first row on.

    What goes back before there is anything to go back is summed for nobody; so is the last group, read once more, while
    the ones before it go back.
    """
    (signs, parameters, bias), (first, groups, group) = given, run
    at_once, zero = simd.rows_at_once(X), simd.zeros(X)
    sums, pending = (zero, zero, zero), 0
    column_sums = simd.behind(scratch_out, KEPT * group)
    stride, step = n, at_once * n
    if plan[0]:
        stride, step = groups * (group // at_once) * n, n
    start, length = first * n, group // at_once * step
    for k in range(groups + LAG if groups > 0 else 0):
        z, r = k % KEPT * group, (k - LAG) % KEPT * group
        new, old = start + min(k, groups - 1) * length, start + max(k - LAG, 0) * length
        into = column_sums if k >= LAG else simd.behind(column_sums, _places(n, simd.lanes(X)))
        for at in range(0, group, at_once):
            both_ways(X, n, parameters, new, old, stride, plan[1], scratch_out, (z + at, r + at), into)
            new, old = new + step, old + step
        if k < groups:
            sums = residuals(signs, bias, first + k * group, group, sums, scratch_out, z)
            pending += group
        if pending + group > ROWS_A_LOGARITHM:
            add_sums(sums, column_sums, n, totals_out)
            sums, pending = (zero, zero, zero), 0
    add_sums(sums, column_sums, n, totals_out)


@compiled_within
def accumulate_rest(
    X: Array, n: int, given: Any, rows: tuple[int, int], group: int, scratch_out: Array, totals_out: Array
) -> None:
    """The rows that are left: as many at once as may be, and then one by one, of which nothing behind is read."""
    (signs, parameters, bias), (first, last), width = given, rows, simd.lanes(X)
    zero, at_once, column_sums = simd.zeros(X), simd.rows_at_once(X), simd.behind(scratch_out, KEPT * group)
    sums, nobody = (zero, zero, zero), simd.behind(column_sums, _places(n, width))
    whole = first + groups_within(first, last, n, at_once, width) * at_once
    for row in range(first, whole, at_once):
        both_ways(X, n, parameters, row * n, row * n, n, None, scratch_out, (0, 0), nobody)
        sums = residuals(signs, bias, row, at_once, sums, scratch_out, 0)
        both_ways(X, n, parameters, row * n, row * n, n, None, scratch_out, (group, 0), column_sums)
    for row in range(whole, last):
        margin = zero
        for j in range(0, n, width):
            margin = simd.fma(simd.load(parameters, j), simd.load_part(X, row * n + j, n - j), margin)
        scratch_out[0] = simd.lane_sum(margin)
        sums = residuals(signs, bias, row, 1, sums, scratch_out, 0)
        for j in range(0, n, width):
            x = simd.load_part(X, row * n + j, n - j)
            simd.store(column_sums, j, simd.fma(simd.broadcast(scratch_out, 0), x, simd.load(column_sums, j)))
    add_sums(sums, column_sums, n, totals_out)


@compiled_within
def add_sums(sums: Sums, column_sums_out: Array, n: int, totals_out: Array) -> None:
    """Adds sums over `ROWS_A_LOGARITHM` rows at most to the totals; those of the columns begin anew."""
    add_residuals(sums, totals_out)
    for j in range(0, n, simd.lanes(column_sums_out)):
        simd.add_to_float64(totals_out, j, simd.load(column_sums_out, j))
        simd.store(column_sums_out, j, simd.zeros(column_sums_out))
