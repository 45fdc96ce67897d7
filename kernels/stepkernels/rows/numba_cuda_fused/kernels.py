"""The kernels of the fused step, each a thread's part of the work: what a block adds up, and what the sums become.

The kernels take any dtype. Constants are rounded to it (`real(1)`), since a plain 1.0, or an integer, would carry a
float32 expression over to float64.
"""

# Kernels are typed by what they are called with, and cuda's names for threads exist only inside them.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, attr-defined"

from __future__ import annotations

import math

from numba import cuda

FINISH_COLUMNS = 32  # of the partials, to a block of `finish`


@cuda.jit(device=True)
def sum_of_block(value, scratch):
    """The sum of `value` over the block, known to every thread; scratch (threads,)."""
    thread = cuda.threadIdx.x
    cuda.syncthreads()
    scratch[thread] = value
    distance = cuda.blockDim.x // 2
    while distance > 0:
        cuda.syncthreads()
        if thread < distance:
            scratch[thread] += scratch[thread + distance]
        distance //= 2
    cuda.syncthreads()
    return scratch[0]


@cuda.jit(device=True)
def outcome(z, sign, one):
    """softplus(t) and (1 − 2y)·σ(t), which is p − y, of t = (1 − 2y)·z. Neither overflows or cancels."""
    zero = one - one
    t = sign * z
    decay = math.exp(-abs(t))
    numerator = one if t >= zero else decay
    return max(t, zero) + math.log1p(decay), sign * numerator / (one + decay)


@cuda.jit(device=True)
def find_margins(tile, rows, w, n, lanes, parts_out):
    """x·w of each row, in `lanes` parts by as many threads, which read neighbouring elements."""
    lane = cuda.threadIdx.x % lanes
    for row in range(cuda.threadIdx.x // lanes, rows, cuda.blockDim.x // lanes):
        total = w.dtype.type(0)
        for j in range(lane, n, lanes):
            total += tile[row * n + j] * w[j]
        parts_out[row * lanes + lane] = total


@cuda.jit(device=True)
def find_residuals(parts, rows, lanes, sign, b, r_out, loss, r_sum):
    """The residuals of a tile from the parts of its margins; returns this thread's loss and Σr, continued."""
    one = r_out.dtype.type(1)
    for row in range(cuda.threadIdx.x, rows, cuda.blockDim.x):
        z = b
        for lane in range(lanes):
            z += parts[row * lanes + lane]
        loss_here, r_here = outcome(z, r_out.dtype.type(sign[row]), one)
        r_out[row] = r_here
        loss += loss_here
        r_sum += r_here
    return loss, r_sum


@cuda.jit(device=True)
def accumulate(tile, rows, r, n, sums):
    """Add Σ r·x over the tile to sums (groups·n,). A thread stays in its column, on every groups-th row."""
    stride = max(cuda.blockDim.x // n, 1) * n
    for slot in range(cuda.threadIdx.x, stride, cuda.blockDim.x):
        total = r.dtype.type(0)
        element = slot
        for row in range(slot // n, rows, stride // n):
            total += r[row] * tile[element]
            element += stride
        sums[slot] += total


@cuda.jit(device=True)
def add_groups(sums, groups, n, partials_out):
    """The first n of a block's partials: the columns of its sums (groups·n,)."""
    for j in range(cuda.threadIdx.x, n, cuda.blockDim.x):
        total = sums.dtype.type(0)
        for group in range(groups):
            total += sums[group * n + j]
        partials_out[j] = total


@cuda.jit(device=True)
def write_shares(parameters, l2, m, n, loss, r_sum, scratch, partials_out):
    """The last two of a block's partials (n + 2,): Σr, and its share of J. Block 0 adds the penalty."""
    real = parameters.dtype.type
    share = loss / real(m)
    if cuda.blockIdx.x == 0:
        for j in range(cuda.threadIdx.x, n, cuda.blockDim.x):
            share += real(0.5 * l2) * parameters[j] * parameters[j]
    share = sum_of_block(share, scratch)
    r_sum = sum_of_block(r_sum, scratch)
    if cuda.threadIdx.x == 0:
        partials_out[n] = r_sum
        partials_out[n + 1] = share


@cuda.jit
def tile_sums(X, sign, parameters, l2, m, n, tile_rows, lanes, partials_out):
    """One pass: the sums of each block's tiles, a row of partials (blocks, n + 2): gw, Σr, its share of J.

    X (m·n,) row-major; sign (m,) 1 − 2y; parameters (n + 1,). Shared memory as `shared_reals` adds it up.
    """
    zero = X.dtype.type(0)
    thread, threads = cuda.threadIdx.x, cuda.blockDim.x
    groups = max(threads // n, 1)
    tile = cuda.shared.array(0, X.dtype)
    w = tile[tile_rows * n :]
    sums = w[n:]
    parts = sums[groups * n :]
    r = parts[tile_rows * lanes :]
    scratch = r[tile_rows:]
    for j in range(thread, n, threads):
        w[j] = parameters[j]
    for slot in range(thread, groups * n, threads):
        sums[slot] = zero
    loss, r_sum = zero, zero
    for first in range(cuda.blockIdx.x * tile_rows, m, cuda.gridDim.x * tile_rows):
        rows = min(tile_rows, m - first)
        for element in range(thread, rows * n, threads):
            tile[element] = X[first * n + element]
        cuda.syncthreads()
        find_margins(tile, rows, w, n, lanes, parts)
        cuda.syncthreads()
        loss, r_sum = find_residuals(parts, rows, lanes, sign[first:], parameters[n], r, loss, r_sum)
        cuda.syncthreads()
        accumulate(tile, rows, r, n, sums)
        cuda.syncthreads()
    partials = partials_out[cuda.blockIdx.x]
    add_groups(sums, groups, n, partials)
    write_shares(parameters, l2, m, n, loss, r_sum, scratch, partials)


@cuda.jit
def row_residuals(X, sign, parameters, l2, m, n, r_out, partials_out):
    """First of two passes: r (m,), and the partials of Σr and J. A block a row; scratch in shared memory."""
    scratch = cuda.shared.array(0, X.dtype)
    real = X.dtype.type
    zero, one = real(0), real(1)
    loss, r_sum = zero, zero
    for row in range(cuda.blockIdx.x, m, cuda.gridDim.x):
        total = zero
        for j in range(cuda.threadIdx.x, n, cuda.blockDim.x):
            total += X[row * n + j] * parameters[j]
        z = sum_of_block(total, scratch) + parameters[n]
        if cuda.threadIdx.x == 0:
            loss_here, r_here = outcome(z, real(sign[row]), one)
            r_out[row] = r_here
            loss += loss_here
            r_sum += r_here
    write_shares(parameters, l2, m, n, loss, r_sum, scratch, partials_out[cuda.blockIdx.x])


@cuda.jit
def column_sums(X, r, m, n, partials_out):
    """Second of two passes: block (c, p) adds up r·x in the c-th group of columns, every rows-th row from p on."""
    column = cuda.grid(2)[0]
    if column < n:
        total = X.dtype.type(0)
        for row in range(cuda.blockIdx.y, m, cuda.gridDim.y):
            total += r[row] * X[row * n + column]
        partials_out[cuda.blockIdx.y, column] = total


@cuda.jit(device=True)
def descend(column, g, parameters, moment1, moment2, settings):
    """Update one parameter by its gradient g. settings: see `settings_of`."""
    real = parameters.dtype.type
    learning_rate, epsilon, beta1, beta2, correction1, correction2 = settings
    if correction1 > 0.0:
        first = real(beta1) * moment1[column] + real(1.0 - beta1) * g
        second = real(beta2) * moment2[column] + real(1.0 - beta2) * g * g
        moment1[column] = first
        moment2[column] = second
        root = math.sqrt(second / real(correction2))
        parameters[column] -= real(learning_rate / correction1) * first / (root + real(epsilon))
    else:
        parameters[column] -= real(learning_rate) * g


@cuda.jit
def finish(partials, parameters, l2, m, n, gradients_out, moment1, moment2, J_out, settings, updating):
    """The second reduction: FINISH_COLUMNS columns of the partials a block, and what follows from their sums."""
    scratch = cuda.shared.array(0, partials.dtype)
    place, group = cuda.threadIdx.x % FINISH_COLUMNS, cuda.threadIdx.x // FINISH_COLUMNS
    column = cuda.blockIdx.x * FINISH_COLUMNS + place
    groups = cuda.blockDim.x // FINISH_COLUMNS
    real = partials.dtype.type
    total = real(0)
    if column < n + 2:
        for row in range(group, partials.shape[0], groups):
            total += partials[row, column]
    scratch[cuda.threadIdx.x] = total
    cuda.syncthreads()
    if group > 0 or column > n + 1:
        return
    total = real(0)
    for other in range(groups):
        total += scratch[other * FINISH_COLUMNS + place]
    if column == n + 1:
        J_out[0] = total
        return
    g = total / real(m)
    if column < n:  # the penalty spares the bias
        g += real(l2) * parameters[column]
    gradients_out[column] = g
    if updating:
        descend(column, g, parameters, moment1, moment2, settings)


@cuda.jit
def update(parameters, gradients, moment1, moment2, settings):
    """The update alone, a thread a parameter."""
    column = cuda.grid(1)
    if column < parameters.size:
        descend(column, gradients[column], parameters, moment1, moment2, settings)
