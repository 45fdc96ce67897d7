"""The fused step in Python compiled for the GPU by numba-cuda: the idea of cupy_fused.py with shared memory alone.

A block copies a tile of rows of X into shared memory, finds their margins and residuals, and adds r·x from the copy, so
that X is read from memory once. Threads exchange sums through shared memory only: no shuffle, no asynchronous copy, one
element a load. What hides the memory's latency is the other blocks: tiles are small, 12 KiB, so that ten or more blocks
of 128 threads share a multiprocessor, and while some wait for their tiles others work on theirs.

Sums leave a block once and are added up by a second launch, in an order that depends on shapes alone. A launch from
Numba costs several times one from CuPy, which is what small problems pay.

Rows are kept in shared memory up to some 1,950 features in float64 and 3,900 in float32 (a block has 48 KiB unless the
driver is asked for more); beyond, two kernels read X twice.

The kernels take any dtype. Constants are rounded to it (`real(1)`), since a plain 1.0, or an integer, would carry a
float32 expression over to float64.
"""

# Kernels are typed by what they are called with, and cuda's names for threads exist only inside them.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, attr-defined"

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import cuda

from stepkernels.problem import Adam, Config, Problem
from stepkernels.rows.numba_cuda_fused.device_arrays import DeviceArrays
from stepkernels.state import State

THREADS = 128
TILE_BYTES = 12 * 1024
SHARED_BYTES = 48 * 1024  # of a block
BLOCKS_PER_PROCESSOR = 12
FINISH_COLUMNS = 32


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
    real = X.dtype.type
    zero, one = real(0), real(1)
    thread, threads = cuda.threadIdx.x, cuda.blockDim.x
    groups = max(threads // n, 1)
    memory = cuda.shared.array(0, X.dtype)
    tile = memory
    w = memory[tile_rows * n :]
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
        for row in range(thread, rows, threads):
            z = parameters[n]
            for lane in range(lanes):
                z += parts[row * lanes + lane]
            loss_here, r_here = outcome(z, real(sign[first + row]), one)
            r[row] = r_here
            loss += loss_here
            r_sum += r_here
        cuda.syncthreads()
        accumulate(tile, rows, r, n, sums)
        cuda.syncthreads()
    partials = partials_out[cuda.blockIdx.x]
    for j in range(thread, n, threads):
        total = zero
        for group in range(groups):
            total += sums[group * n + j]
        partials[j] = total
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


def lanes_of(n: int) -> int:
    """Threads to a row of the dot product: a power of two, up to 32, that leaves each about 8 elements."""
    return min(32, 1 << (math.ceil(n / 8) - 1).bit_length())


def shared_reals(rows: int, n: int) -> int:
    """Elements of shared memory of `tile_sums`: the tile, w, sums, parts of margins, r, scratch."""
    return rows * n + n + max(THREADS // n, 1) * n + rows * lanes_of(n) + rows + THREADS


def tile_rows_of(m: int, n: int, itemsize: int) -> int:
    """Rows of a tile; 0 when not even one fits into a block's shared memory with w and the sums."""
    rows = min(m, max(1, TILE_BYTES // (n * itemsize)), 4 * THREADS)
    return rows if shared_reals(rows, n) * itemsize <= SHARED_BYTES else 0


def settings_of(config: Config, step: int) -> tuple[float, ...]:
    """Learning rate, ε, β1, β2 and the bias corrections of the update numbered `step`; zeros under gradient descent."""
    match config.optimizer:
        case Adam() as adam:
            return (adam.learning_rate, adam.epsilon, adam.beta1, adam.beta2, *adam.bias_corrections(step))
        case descent:
            return (descent.learning_rate, 0.0, 0.0, 0.0, 0.0, 0.0)


class Workspace(State):
    """Device buffers for one problem."""

    def __init__(self, problem: Problem, config: Config, processors: int) -> None:
        super().__init__(problem, config, DeviceArrays())
        self.X = cuda.to_device(np.ascontiguousarray(problem.X).ravel())
        self.sign = cuda.to_device((1 - 2 * problem.y).astype(np.int8))
        self.itemsize = problem.X.itemsize
        self.rows = tile_rows_of(problem.m, problem.n, self.itemsize)
        self.r = self.library.empty(0 if self.rows else problem.m, config.dtype)
        tiles = math.ceil(problem.m / max(self.rows, 1))
        self.blocks = min(tiles, BLOCKS_PER_PROCESSOR * processors)
        self.partials = cuda.device_array((self.blocks, problem.n + 2), config.dtype)
        self.reset()

    def launch(self, kernel: Any, grid: Any, shared: int, *arguments: Any) -> None:
        """Queue a kernel with `shared` elements of shared memory."""
        kernel[grid, THREADS, 0, shared * self.itemsize](*arguments)

    def find_partials(self) -> None:
        m, n = self.problem.m, self.problem.n
        inputs = (self.X, self.sign, self.parameters, self.config.l2, m, n)
        if self.rows:
            shared = shared_reals(self.rows, n)
            self.launch(tile_sums, self.blocks, shared, *inputs, self.rows, lanes_of(n), self.partials)
        else:
            self.launch(row_residuals, self.blocks, THREADS, *inputs, self.r, self.partials)
            grid = (math.ceil(n / THREADS), self.blocks)
            self.launch(column_sums, grid, 0, self.X, self.r, m, n, self.partials)

    def finish(self, *, updating: bool) -> None:
        self.launch(
            finish, math.ceil((self.problem.n + 2) / FINISH_COLUMNS), THREADS,
            self.partials, self.parameters, self.config.l2, self.problem.m, self.problem.n,
            self.gradients, self.moment1, self.moment2, self.J, settings_of(self.config, self.steps_taken), updating,
        )  # fmt: skip

    def gradient(self) -> None:
        self.find_partials()
        self.finish(updating=False)

    def update(self) -> None:
        self.steps_taken += 1
        settings = settings_of(self.config, self.steps_taken)
        arrays = (self.parameters, self.gradients, self.moment1, self.moment2)
        self.launch(update, math.ceil((self.problem.n + 1) / THREADS), 0, *arrays, settings)

    def step(self) -> None:
        self.find_partials()
        self.steps_taken += 1
        self.finish(updating=True)

    def synchronize(self) -> None:
        cuda.synchronize()


def bind(problem: Problem, config: Config, processors: int | None = None) -> Workspace:
    """Copy X and y to the current GPU. Its multiprocessors are counted unless told: the simulator has no count."""
    return Workspace(problem, config, processors or cuda.get_current_device().MULTIPROCESSOR_COUNT)
