"""Rung 4, one pass over X: forward and backward of a block of rows before the next block is touched.

A step does four operations on each element of X and is bound by reading it. The matrix form reads it twice; here it
comes from memory once: rows are taken in blocks that stay in the second-level cache between their dot products and
their accumulation into gw. What that takes:

- Eight rows at a time for Xw, so that w is loaded once for all of them and their sums are transposed together; four
  vectors of columns at a time for Xᵀr, so that gw stays in registers for a whole block.
- While a block is worked on, its successor is fetched, evenly: eight short rows side by side defeat the hardware's
  prefetcher, and without this memory is idle half of the time.
- Sigmoid and loss as vector code, with `stepkernels.numba_simd.exp`. One logarithm serves a block:
  Σ log1p(eᵢ) = log1p(∏(1 + eᵢ) − 1), the product kept as its excess over 1, which loses nothing when it is tiny.
- Sums of a block in the dtype of X, sums of blocks in float64. `numba-fused-parallel` gives each thread a contiguous
  share of the rows and partial sums of its own, added in order: the same bits every run.
- One compiled call for a step, and one for all the steps of `train`.

Beyond the caches the bound is X read once; in cache, the loads: two a vector of X, and about 40 instructions for
the sigmoids of a vector of rows.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numba
import numpy as np
from numba import jit, prange

from stepkernels import numba_simd as simd
from stepkernels.problem import Adam, Array, Config, Problem
from stepkernels.state import State

compiled: Any = jit(nopython=True, nogil=True, cache=True, error_model="numpy")
compiled_parallel: Any = jit(nopython=True, nogil=True, cache=True, error_model="numpy", parallel=True)

LINE = 64  # bytes of a cache line
FETCH_BEYOND = 512 * 1024  # bytes of X; fetching what is in the second-level cache anyway costs 5 % (569×30)

# Totals of one thread: gw in the first n places, these two at the end.
RESIDUAL, LOSS = -2, -1


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

    X (m, n); parameters (n + 1,). Unless `ahead` is 0, half as much of X as is read here is fetched from there on.
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
def residuals(signs: Array, bias: float, start: int, rows: int, z_out: Array, totals_out: Array) -> None:
    """The residuals r = (1 − 2y)·σ(t) in the place of z, for t = (1 − 2y)·(z + bias); adds up r and the loss.

    signs (m + a vector,) int8: 1 − 2y. With e = exp(−|t|), the loss is softplus(t) = max(t, 0) + log1p(e), and
    σ(t) = max([t ≥ 0], e)/(1 + e): nothing overflows or cancels. Behind the last row, a vector is filled with
    t = −∞, which has no loss and the residual 0.
    """
    linear = excess = sum_of_r = simd.zeros(z_out)
    for i in range(0, rows, simd.lanes(z_out)):
        sign = simd.load_int8(signs, start + i, z_out)
        t = simd.first(sign * (simd.load(z_out, i) + bias), rows - i, -math.inf)
        e = simd.exp(-simd.absolute(t))
        r = sign * (simd.where_negative(t, e, 1.0) / (e + 1.0))
        linear += simd.maximum(t, 0.0)
        excess += simd.fma(e, excess, e)
        sum_of_r += r
        simd.store(z_out, i, r)
    totals_out[RESIDUAL] += simd.lane_sum(sum_of_r)
    totals_out[LOSS] += simd.lane_sum(linear) + math.log1p(simd.lane_growth(excess))


@compiled
def backward(X: Array, r: Array, start: int, rows: int, ahead: int, totals_out: Array) -> None:
    """Adds Xᵀr of `rows` rows from row `start` to the totals.

    X (m, n); r (rows,) and zeros up to a multiple of two. Unless `ahead` is 0, half as much of X as is read here is
    fetched from there on.
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


@compiled
def accumulate(
    X: Array, signs: Array, parameters: Array, first: int, last: int, block: int, z_out: Array, totals_out: Array
) -> None:
    """The sums Xᵀr, Σr and Σ loss over rows first … last − 1 into one thread's totals, a block of rows at a time."""
    n = X.shape[1]
    fetch = X.nbytes > FETCH_BEYOND
    totals_out[:] = 0.0
    for start in range(first, last, block):
        rows = min(block, last - start)
        ahead = (start + block) * n if fetch else 0
        forward(X, parameters, start, rows, ahead, z_out)
        residuals(signs, parameters[n], start, rows, z_out, totals_out)
        backward(X, z_out, start, rows, ahead + block * n // 2 if fetch else 0, totals_out)


@compiled_parallel
def accumulate_in_parallel(
    X: Array, signs: Array, parameters: Array, block: int, z_out: Array, totals_out: Array
) -> None:
    """As `accumulate`, over all rows: a contiguous share for each row of z and totals, one thread each."""
    threads = len(totals_out)
    share = -(-len(X) // threads)
    for thread in prange(threads):
        first = thread * share
        last = min(first + share, len(X))
        accumulate(X, signs, parameters, first, last, block, z_out[thread], totals_out[thread])


@compiled
def gradient(
    X: Array,
    signs: Array,
    parameters: Array,
    l2: float,
    block: int,
    z_out: Array,
    totals_out: Array,
    gradients_out: Array,
) -> float:
    """The cost J; writes gradients (n + 1,), the bias last.

    X (m, n); signs = 1 − 2y, int8 (m + a vector,); parameters (n + 1,). z (threads, block and more) in X's dtype and
    totals (threads, n and more) in float64 are overwritten. One thread calls no pool.
    """
    m, n = X.shape
    if len(totals_out) == 1:
        accumulate(X, signs, parameters, 0, m, block, z_out[0], totals_out[0])
    else:
        accumulate_in_parallel(X, signs, parameters, block, z_out, totals_out)
        for thread in range(1, len(totals_out)):
            for j in range(totals_out.shape[1]):
                totals_out[0, j] += totals_out[thread, j]
    penalty = 0.0
    for j in range(n):
        gradients_out[j] = totals_out[0, j] / m + l2 * parameters[j]
        penalty += float(parameters[j]) * float(parameters[j])
    gradients_out[n] = totals_out[0, RESIDUAL] / m
    return totals_out[0, LOSS] / m + 0.5 * l2 * penalty


@compiled
def descend(parameters_out: Array, gradients: Array, learning_rate: float) -> None:
    """Gradient descent in place: parameters ← parameters − lr·gradients, all (n + 1,)."""
    for j in range(len(gradients)):
        parameters_out[j] -= learning_rate * gradients[j]


@compiled
def descend_adam(
    parameters_out: Array,
    gradients: Array,
    moment1_out: Array,
    moment2_out: Array,
    rates: tuple[float, float, float, float],
    corrections: Array,
) -> None:
    """Adam in place, every array (n + 1,).

    rates: learning rate, β1, β2, ε; corrections (2,) = 1 − β1ᵗ, 1 − β2ᵗ. In float64, rounded when stored.
    """
    learning_rate, beta1, beta2, epsilon = rates
    for j in range(len(gradients)):
        g = float(gradients[j])
        moment1_out[j] = beta1 * moment1_out[j] + (1.0 - beta1) * g
        moment2_out[j] = beta2 * moment2_out[j] + (1.0 - beta2) * g * g
        root = math.sqrt(moment2_out[j] / corrections[1])
        parameters_out[j] -= learning_rate * (moment1_out[j] / corrections[0]) / (root + epsilon)


@compiled
def train(
    X: Array,
    signs: Array,
    parameters_out: Array,
    l2: float,
    block: int,
    z_out: Array,
    totals_out: Array,
    gradients_out: Array,
    learning_rate: float,
    costs_out: Array,
) -> None:
    """A step of gradient descent for each of the costs, and its J before the update into them."""
    for k in range(len(costs_out)):
        costs_out[k] = gradient(X, signs, parameters_out, l2, block, z_out, totals_out, gradients_out)
        descend(parameters_out, gradients_out, learning_rate)


@compiled
def train_adam(
    X: Array,
    signs: Array,
    parameters_out: Array,
    l2: float,
    block: int,
    z_out: Array,
    totals_out: Array,
    gradients_out: Array,
    moment1_out: Array,
    moment2_out: Array,
    rates: tuple[float, float, float, float],
    corrections: Array,
    costs_out: Array,
) -> None:
    """As `train`, with Adam; corrections (steps, 2)."""
    for k in range(len(costs_out)):
        costs_out[k] = gradient(X, signs, parameters_out, l2, block, z_out, totals_out, gradients_out)
        descend_adam(parameters_out, gradients_out, moment1_out, moment2_out, rates, corrections[k])


def rows_in_block(n: int, itemsize: int) -> int:
    """As many rows as fit in 32 KiB, so that a block and its successor leave room in the second-level cache.

    At least 16 while these fit in 256 KiB, to fill vectors of rows; at most 256, beyond which nothing is gained.
    """
    row = n * itemsize
    return min(max(32 * 1024 // row, min(16, 256 * 1024 // row), 1), 256)


def threads_worth(m: int, n: int, available: int) -> int:
    """One where waking the pool costs more than sharing the work saves: below 100,000 elements of X."""
    return min(available, m) if m * n >= 100_000 else 1


class Workspace(State):
    """Labels as signs of one byte each, and scratch space for each thread. X is viewed, not copied."""

    def __init__(self, problem: Problem, config: Config, threads: int) -> None:
        super().__init__(problem, config)
        m, n, dtype = problem.m, problem.n, np.dtype(config.dtype)
        line = LINE // dtype.itemsize
        block = rows_in_block(n, dtype.itemsize)
        signs = np.zeros(m + line, np.int8)
        signs[:m] = 1 - 2 * problem.y
        z = np.zeros((threads, -(-block // 8) * 8 + 2 * line), dtype)
        totals = np.zeros((threads, n + 6 * line), np.float64)
        X = np.ascontiguousarray(problem.X)
        self.data = (X, signs, self.parameters, config.l2, block, z, totals, self.gradients)
        self.adam = config.optimizer if isinstance(config.optimizer, Adam) else None
        if self.adam:
            self.run = partial(train_adam, *self.data, self.moment1, self.moment2, adam_rates(self.adam))
        else:
            self.run = partial(train, *self.data, config.optimizer.learning_rate)
        self.reset()

    def gradient(self) -> None:
        self.J[0] = gradient(*self.data)

    def update(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                corrections = adam.correction_table(self.steps_taken, 1)[0]
                descend_adam(self.parameters, self.gradients, self.moment1, self.moment2, adam_rates(adam), corrections)
            case descent:
                descend(self.parameters, self.gradients, descent.learning_rate)

    def step(self) -> None:
        self.advance(self.J)

    def train(self, steps: int) -> None:
        self.advance(self.reserve_costs(steps))
        self.J[:] = self.costs[-1:]

    def advance(self, costs_out: Array) -> None:
        """A step for each of the costs."""
        first, steps = self.steps_taken + 1, len(costs_out)
        if self.adam:
            self.run(self.adam.correction_table(first, steps), costs_out)
        else:
            self.run(costs_out)
        self.steps_taken += steps


def adam_rates(adam: Adam) -> tuple[float, float, float, float]:
    return adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon


def bind(problem: Problem, config: Config, parallel: bool = False) -> Workspace:
    """On one thread, or on as many of Numba's pool as are worth waking."""
    threads = threads_worth(problem.m, problem.n, numba.get_num_threads()) if parallel else 1
    return Workspace(problem, config, threads)
