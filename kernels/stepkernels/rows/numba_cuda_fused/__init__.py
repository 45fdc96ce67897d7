"""Rung 11, the fused step in Python for the GPU: the idea of cupy_fused/ through numba-cuda, with shared memory alone.

A block copies a tile of rows of X into shared memory, finds their margins and residuals, and adds r·x from the copy
(`kernels.py`): X is read once where cupy_arrays.py reads it twice, the gain of a large problem. Sums pass through
shared memory only: no shuffle, no asynchronous copy, one element a load. What hides the memory's latency is the other
blocks: tiles are small, 12 KiB, so that ten or more blocks of 128 threads share a multiprocessor, and while some wait
for their tiles others work on theirs.

A large problem is bound by reading X. Sums leave a block once and are added up by a second launch, in an order that
depends on shapes alone; a launch from Numba costs several times one from CuPy, which is what small problems pay.

Rows are kept in shared memory up to some 1,950 features in float64 and 3,900 in float32 (a block has 48 KiB unless the
driver is asked for more); beyond, two kernels read X twice.
"""

# mypy: disable-error-code="no-untyped-call, attr-defined"

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import cuda

from stepkernels.problem import Adam, Config, Problem
from stepkernels.rows.numba_cuda_fused.device_arrays import DeviceArrays
from stepkernels.rows.numba_cuda_fused.kernels import (
    FINISH_COLUMNS,
    column_sums,
    finish,
    row_residuals,
    tile_sums,
    update,
)
from stepkernels.state import State

THREADS = 128
TILE_BYTES = 12 * 1024
SHARED_BYTES = 48 * 1024  # of a block
BLOCKS_PER_PROCESSOR = 12


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
