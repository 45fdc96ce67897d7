"""Rung 10, the fused step in Triton: the idea of cupy_fused/, tile by tile, without threads or shared memory.

A program loads a tile of X once, into registers, finds the margins and residuals of its rows, and adds r·x to sums that
stay in registers too: X is read once, which is what makes it faster than torch_manual.py. Which thread holds what, how
loads are coalesced and how the next tile is fetched ahead is the compiler's business, and no longer written down as in
cupy_fused/. The sums go out once a program and a second launch adds them up, in an order that depends on shapes alone.
A large problem is bound by reading X, a small one by launches.

A tile is 4 KiB for four warps in float32 and 8 KiB for two in float64, pipelined three deep, eight such programs a
multiprocessor. On an H100, at 4,000,000×100, that was the best of nine in float32 (tiles of 4 to 16 KiB, two to eight
warps, two to eight programs: 0.63 to 0.81 ms) and in float64 (2.4 to 3.6 ms): fewer threads share a row. The compiler
copies in words of 16 bytes only where it can see that every row begins with one, so from 17 features on X is padded to
whole words when it is copied to the device: at most 3 zeros a row are read in vain. It also matters for the residuals:
the compiler lets every thread that holds a piece of a row evaluate them, which wide words make 32 threads and not 128.
Columns beyond n, up to the next power of two, load nothing. Beyond 4,096 features a row no longer fits into registers,
and two kernels read X twice. An X in fewer bits is widened as it is loaded, which has been through the interpreter and
the compiler, and not yet been on a card.

Two habits of the language are kept away from. `tl.dot` would round to TF32, and has nothing to offer to a matrix times
one vector. In float32 `tl.exp`, `tl.log`, `/` and `tl.sqrt` are the hardware's approximations, in whose place
those of `elementary.py` stand. A Python float would reach a kernel as float32, so settings travel in a float64 tensor,
and Adam's corrections are found on the device from its own count of steps.
"""

# Kernels are typed by what they are called with.
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
import triton
import triton.language as tl

from stepkernels.arrays.torch_state import TensorState
from stepkernels.problem import Array, Config, Problem
from stepkernels.rows.triton_fused.elementary import divide, one_minus_power, outcome, square_root
from stepkernels.rows.triton_fused.inputs import WIDEST, as_numbers, settings_of, shareable, word_of

STAGES: tl.constexpr = tl.constexpr(3)
FINISH_COLUMNS, FINISH_ROWS = 32, 64
CHUNK = 1024  # columns at a time in the kernels of two passes


class Tiling(NamedTuple):
    """Bytes of a program's tile, its warps, and programs for each multiprocessor."""

    tile_bytes: int
    warps: int
    programs: int


TILINGS = {"float32": Tiling(4 * 1024, 4, 8), "float64": Tiling(8 * 1024, 2, 8)}
WIDE, WIDE_TILING = 2048, Tiling(8 * 1024, 8, 3)  # columns, rounded up, from which on a row fills a tile


@triton.jit
def penalty(parameters, l2, n, COLUMNS: tl.constexpr):
    """(l2/2)·‖w‖²."""
    columns = tl.arange(0, COLUMNS)
    squares = tl.zeros((COLUMNS,), parameters.dtype.element_ty)
    for first in range(0, n, COLUMNS):
        w = tl.load(parameters + first + columns, mask=first + columns < n, other=0.0)
        squares += w * w
    return 0.5 * l2 * tl.sum(squares, axis=0)


@triton.jit
def descend(columns, mask, g, parameters, moment1, moment2, settings, steps_taken, ADAM: tl.constexpr):
    """Update the parameters in these columns by their gradients g. settings: see `settings_of`."""
    real = parameters.dtype.element_ty
    learning_rate = tl.load(settings)
    value = tl.load(parameters + columns, mask=mask, other=0.0)
    if ADAM:
        beta1, beta2, epsilon = tl.load(settings + 2), tl.load(settings + 3), tl.load(settings + 6).to(real)
        step = tl.load(steps_taken)
        correction1 = one_minus_power(tl.load(settings + 4), step)
        correction2 = one_minus_power(tl.load(settings + 5), step).to(real)
        first = tl.load(moment1 + columns, mask=mask, other=0.0)
        second = tl.load(moment2 + columns, mask=mask, other=0.0)
        first = beta1.to(real) * first + (1.0 - beta1).to(real) * g
        second = beta2.to(real) * second + (1.0 - beta2).to(real) * g * g
        tl.store(moment1 + columns, first, mask=mask)
        tl.store(moment2 + columns, second, mask=mask)
        root = square_root(divide(second, correction2))
        change = divide((learning_rate / correction1).to(real) * first, root + epsilon)
    else:
        change = learning_rate.to(real) * g
    tl.store(parameters + columns, value - change, mask=mask)


@triton.jit
def tile_sums(
    X, scales, sign, parameters, partials_out, settings, m, n, words,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, WORD: tl.constexpr, SCALED: tl.constexpr,
):  # fmt: skip
    """One pass: the sums of this program's tiles, (n + 2,) of partials: gw, Σr, and its share of J.

    X (m, n), its rows `words` words of WORD elements apart, padded with zeros: the compiler sees that the product is a
    multiple of WORD, and loads whole words. sign (m,) 1 − 2y, int8; parameters (n + 1,). Tiles of ROWS rows are dealt
    to the programs in turn; COLUMNS is n, rounded up to a power of two. X may be kept in fewer bits than it is computed
    with; SCALED: its columns are then multiplied by scales (n,).
    """
    stride = words * WORD
    program, programs = tl.program_id(0), tl.num_programs(0)
    real = parameters.dtype.element_ty
    columns = tl.arange(0, COLUMNS)
    inside = columns < n
    w = tl.load(parameters + columns, mask=inside, other=0.0)
    b = tl.load(parameters + n)
    if SCALED:
        scale = tl.load(scales + columns, mask=inside, other=0.0)
    sums = tl.zeros((ROWS, COLUMNS), real)
    losses, r_sums = tl.zeros((ROWS,), real), tl.zeros((ROWS,), real)
    for first in tl.range(program * ROWS, m, programs * ROWS, num_stages=STAGES):
        rows = first + tl.arange(0, ROWS)
        there = rows < m
        places = rows.to(tl.int64)[:, None] * stride + columns[None, :]
        x = tl.load(X + places, mask=there[:, None] & (columns < stride)[None, :], other=0.0).to(real)
        if SCALED:
            x *= scale[None, :]
        z = tl.sum(x * w[None, :], axis=1) + b
        loss, r = outcome(z, tl.load(sign + rows, mask=there, other=0).to(real))
        sums += r[:, None] * x
        losses += tl.where(there, loss, 0.0)
        r_sums += r
    partials = partials_out + program * (n + 2)
    share = tl.sum(losses, axis=0) / m
    if program == 0:
        share += penalty(parameters, tl.load(settings + 1).to(real), n, COLUMNS)
    tl.store(partials + columns, tl.sum(sums, axis=0), mask=inside)
    tl.store(partials + n, tl.sum(r_sums, axis=0))
    tl.store(partials + n + 1, share)


@triton.jit
def row_residuals(
    X, scales, sign, parameters, r_out, partials_out, settings, m, n, COLUMNS: tl.constexpr, SCALED: tl.constexpr
):
    """First of two passes: r (m,), and the partials of Σr and J. A row at a time, COLUMNS columns at a time."""
    program, programs = tl.program_id(0), tl.num_programs(0)
    real = parameters.dtype.element_ty
    columns = tl.arange(0, COLUMNS)
    b = tl.load(parameters + n)
    stride = tl.full((), 0, tl.int64) + n  # offsets into X pass 2³¹
    loss_sum, r_sum = tl.full((), 0.0, real), tl.full((), 0.0, real)
    for row in range(program, m, programs):
        products = tl.zeros((COLUMNS,), real)
        for first in range(0, n, COLUMNS):
            inside = first + columns < n
            x = tl.load(X + row * stride + first + columns, mask=inside, other=0.0).to(real)
            if SCALED:
                x *= tl.load(scales + first + columns, mask=inside, other=0.0)
            products += x * tl.load(parameters + first + columns, mask=inside, other=0.0)
        loss, r = outcome(tl.sum(products, axis=0) + b, tl.load(sign + row).to(real))
        tl.store(r_out + row, r)
        loss_sum += loss
        r_sum += r
    share = loss_sum / m
    if program == 0:
        share += penalty(parameters, tl.load(settings + 1).to(real), n, COLUMNS)
    partials = partials_out + program * (n + 2)
    tl.store(partials + n, r_sum)
    tl.store(partials + n + 1, share)


@triton.jit
def column_sums(X, scales, r, partials_out, m, n, COLUMNS: tl.constexpr, SCALED: tl.constexpr):
    """Second of two passes: program (c, p) adds up COLUMNS columns of r·x, every rows-th row from p on."""
    part, parts = tl.program_id(1), tl.num_programs(1)
    columns = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    inside = columns < n
    stride = tl.full((), 0, tl.int64) + n
    real = r.dtype.element_ty
    sums = tl.zeros((COLUMNS,), real)
    for row in range(part, m, parts):
        sums += tl.load(r + row) * tl.load(X + row * stride + columns, mask=inside, other=0.0).to(real)
    if SCALED:
        sums *= tl.load(scales + columns, mask=inside, other=0.0)
    tl.store(partials_out + part * (n + 2) + columns, sums, mask=inside)


@triton.jit
def finish(
    partials, parameters, gradients, moment1, moment2, J_out, settings, steps_taken, count, m, n,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, ADAM: tl.constexpr, UPDATE: tl.constexpr,
):  # fmt: skip
    """The second reduction: the sums of COLUMNS columns of the partials (count, n + 2), and what follows from them."""
    real = parameters.dtype.element_ty
    columns = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    sums = tl.zeros((ROWS, COLUMNS), real)
    for first in range(0, count, ROWS):
        rows = first + tl.arange(0, ROWS)
        mask = (rows < count)[:, None] & (columns < n + 2)[None, :]
        sums += tl.load(partials + rows[:, None] * (n + 2) + columns[None, :], mask=mask, other=0.0)
    total = tl.sum(sums, axis=0)
    tl.store(J_out + columns * 0, total, mask=columns == n + 1)
    mask = columns < n + 1
    l2 = tl.where(columns < n, tl.load(settings + 1), 0.0).to(real)  # the penalty spares the bias
    g = total / m + l2 * tl.load(parameters + columns, mask=mask, other=0.0)
    tl.store(gradients + columns, g, mask=mask)
    if UPDATE:
        descend(columns, mask, g, parameters, moment1, moment2, settings, steps_taken, ADAM)


@triton.jit
def update(
    parameters, gradients, moment1, moment2, settings, steps_taken, n, COLUMNS: tl.constexpr, ADAM: tl.constexpr
):
    """The update alone."""
    columns = tl.program_id(0) * COLUMNS + tl.arange(0, COLUMNS)
    mask = columns < n + 1
    g = tl.load(gradients + columns, mask=mask, other=0.0)
    descend(columns, mask, g, parameters, moment1, moment2, settings, steps_taken, ADAM)


class Workspace(TensorState):
    """Device buffers for one problem. steps counts the updates on the device, for Adam's corrections."""

    def __init__(self, problem: Problem, config: Config, device: str) -> None:
        X, scales = shareable(problem.X, config.storage)
        super().__init__(problem, config, device, X)
        self.scales, self.scaled = self.library.share(scales), scales.size > 0
        self.sign = self.library.share((1 - 2 * problem.y).astype(np.int8))
        self.settings = self.library.share(settings_of(config))
        self.steps = torch.zeros(1, dtype=torch.int64, device=device)
        self.adam = config.optimizer.name == "adam"
        self.columns = triton.next_power_of_2(problem.n)
        self.tiling = WIDE_TILING if self.columns >= WIDE else TILINGS[config.dtype]
        self.rows = max(1, self.tiling.tile_bytes // (self.columns * problem.X.itemsize))
        self.word = word_of(problem.n, X.itemsize)
        self.words = triton.cdiv(problem.n, self.word)
        padded = torch.nn.functional.pad(self.X, (0, self.words * self.word - problem.n))
        self.X = as_numbers(padded, config.storage)
        self.r = self.library.empty(problem.m if problem.n > WIDEST else 0, config.dtype)
        processors = torch.cuda.get_device_properties(device).multi_processor_count if device == "cuda" else 1
        tiles = triton.cdiv(problem.m, self.rows)
        self.programs = min(tiles, self.tiling.programs * processors)
        self.partials = self.library.empty(self.programs * (problem.n + 2), config.dtype).view(self.programs, -1)
        self.reset()

    def find_partials(self) -> None:
        m, n = self.problem.m, self.problem.n
        X, rest, sizes = (self.X, self.scales), (self.sign, self.parameters), (m, n)
        if n <= WIDEST:
            tile_sums[(self.programs,)](
                *X, *rest, self.partials, self.settings, *sizes, self.words,
                self.rows, self.columns, self.word, self.scaled, num_warps=self.tiling.warps,
            )  # fmt: skip
            return
        row_residuals[(self.programs,)](*X, *rest, self.r, self.partials, self.settings, *sizes, CHUNK, self.scaled)
        columns = triton.cdiv(n, CHUNK)
        column_sums[(columns, self.programs)](*X, self.r, self.partials, *sizes, CHUNK, self.scaled)

    def finish(self, *, update: bool) -> None:
        finish[(triton.cdiv(self.problem.n + 2, FINISH_COLUMNS),)](
            self.partials, self.parameters, self.gradients, self.moment1, self.moment2, self.J,
            self.settings, self.steps, self.programs, self.problem.m, self.problem.n,
            FINISH_ROWS, FINISH_COLUMNS, self.adam, update,
        )  # fmt: skip

    def count_step(self) -> None:
        self.steps.add_(1)
        self.steps_taken += 1

    def gradient(self) -> None:
        self.find_partials()
        self.finish(update=False)

    def update(self) -> None:
        self.count_step()
        update[(triton.cdiv(self.problem.n + 1, CHUNK),)](
            self.parameters, self.gradients, self.moment1, self.moment2, self.settings, self.steps,
            self.problem.n, CHUNK, self.adam,
        )  # fmt: skip

    def step(self) -> None:
        self.find_partials()
        self.count_step()
        self.finish(update=True)

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        super().reset(w, b, moments, step)
        self.steps.fill_(step)


def bind(problem: Problem, config: Config, device: str = "cuda") -> Workspace:
    """Copy X and y to the GPU. With device "cpu" the kernels run in Triton's interpreter (TRITON_INTERPRET=1)."""
    return Workspace(problem, config, device)
