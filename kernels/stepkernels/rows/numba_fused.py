"""Rung 4, one pass over X: forward and backward of a block of rows before the next block is touched.

A step does four operations on each element of X and is bound by reading it. The matrix form reads it twice; here it
comes from memory once: rows are taken in blocks that stay in a near cache between their dot products and their
accumulation into gw. What that takes:

- Where X is large, blocks of rows as they lie (`stepkernels.numba_blocks`): eight rows at a time for Xw, so that w is
  loaded once for all of them and their sums are transposed together; four vectors of columns at a time for Xᵀr, so
  that gw stays in registers for a whole block; and the next block fetched while this one is worked on.
- Where X fits in the caches, a copy of it in tiles (`stepkernels.numba_tiles`): nothing is transposed or left empty.
- Sigmoid and loss as vector code, with `stepkernels.numba_simd.exp`. One logarithm serves hundreds of rows:
  Σ log1p(eᵢ) = log1p(∏(1 + eᵢ) − 1), the product kept as its excess over 1, which loses nothing when it is tiny.
- Sums of a block in the dtype of X, sums of blocks in float64. `numba-fused-parallel` gives each thread a contiguous
  share of the rows and partial sums of its own, added in order: the same bits every run.
- One compiled call for a step, and one for all the steps of `train`; the types of its arguments are looked up in bind.

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

from stepkernels.cache_lines import LINE, Aligned, aligned
from stepkernels.numba_blocks import accumulate_blocks
from stepkernels.numba_residuals import LOSS, RESIDUAL, compiled
from stepkernels.numba_tiles import accumulate_tiles, in_tiles
from stepkernels.problem import Adam, Array, Config, Problem
from stepkernels.state import State

compiled_parallel: Any = jit(nopython=True, nogil=True, cache=True, error_model="numpy", parallel=True)


@compiled
def accumulate(
    X: Array, signs: Array, parameters: Array, first: int, last: int, block: int, scratch_out: Array, totals_out: Array
) -> None:
    """The sums Xᵀr, Σr and Σ loss over rows first … last − 1 into one thread's totals."""
    if X.ndim == 3:  # known when compiled, as below
        accumulate_tiles(X, signs, parameters, first, last, block, scratch_out, totals_out)
    else:
        accumulate_blocks(X, signs, parameters, first, last, block, scratch_out, totals_out)


@compiled_parallel
def accumulate_in_parallel(
    X: Array, signs: Array, parameters: Array, m: int, block: int, scratch_out: Array, totals_out: Array
) -> None:
    """As `accumulate`, over all rows: a share of whole blocks for each row of scratch and totals, one thread each."""
    threads = len(totals_out)
    share = -(-m // (threads * block)) * block
    for thread in prange(threads):
        first = min(thread * share, m)
        last = min(first + share, m)
        accumulate(X, signs, parameters, first, last, block, scratch_out[thread], totals_out[thread])


@compiled
def gradient(
    X: Array,
    signs: Array,
    parameters: Array,
    l2: float,
    m: int,
    block: int,
    scratch_out: Array,
    totals_out: Array,
    gradients_out: Array,
) -> float:
    """The cost J; writes gradients (n + 1,), the bias last.

    X (m, n), or tiles of it; signs = 1 − 2y, int8 (m + a vector,); parameters (n + 1,). scratch in X's dtype and
    totals (n and more,) in float64 are overwritten; of more than one thread, (threads, as many).
    """
    n = len(parameters) - 1
    if totals_out.ndim == 1:  # known when compiled: a step of one thread has no parallel code in it
        accumulate(X, signs, parameters, 0, m, block, scratch_out, totals_out)
        totals = totals_out
    else:
        accumulate_in_parallel(X, signs, parameters, m, block, scratch_out, totals_out)
        totals = totals_out[0]
        for thread in range(1, len(totals_out)):
            totals += totals_out[thread]
    penalty = 0.0
    for j in range(n):
        gradients_out[j] = totals[j] / m + l2 * parameters[j]
        penalty += float(parameters[j]) * float(parameters[j])
    gradients_out[n] = totals[RESIDUAL] / m
    return totals[LOSS] / m + 0.5 * l2 * penalty


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
    m: int,
    block: int,
    scratch_out: Array,
    totals_out: Array,
    gradients_out: Array,
    learning_rate: float,
    costs_out: Array,
) -> None:
    """A step of gradient descent for each of the costs, and its J before the update into them."""
    for k in range(len(costs_out)):
        costs_out[k] = gradient(X, signs, parameters_out, l2, m, block, scratch_out, totals_out, gradients_out)
        descend(parameters_out, gradients_out, learning_rate)


@compiled
def train_adam(
    X: Array,
    signs: Array,
    parameters_out: Array,
    l2: float,
    m: int,
    block: int,
    scratch_out: Array,
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
        costs_out[k] = gradient(X, signs, parameters_out, l2, m, block, scratch_out, totals_out, gradients_out)
        descend_adam(parameters_out, gradients_out, moment1_out, moment2_out, rates, corrections[k])


def rows_in_block(n: int, itemsize: int) -> int:
    """As many rows as fit in 20 KiB, so that a block is read from the first cache the second time.

    The best of 12 to 64 KiB at 20 to 100 features, within 5 %. But at least 16 while these fit in 256 KiB, to fill
    vectors of rows, and at most 256.
    """
    row = n * itemsize
    return min(max(20 * 1024 // row, min(16, 256 * 1024 // row), 1), 256)


def threads_worth(m: int, n: int, available: int) -> int:
    """One where waking the pool costs what sharing the work saves: below some 10 µs of work.

    A sigmoid and its loss cost as much as about 20 elements of X. Waking two threads takes 1.5 to 4 µs, from run to
    run, while they spin: at 569×30 and 1,000×20 that is the gain or more than it, at 2,000×50 a third is gained.
    """
    return min(available, m) if m * (n + 20) > 60_000 else 1


_PREPARED: dict[Any, Any] = {}


def prepared(function: Any, *arguments: Any) -> Any:
    """`function` compiled for arguments like these: called without asking for their types again, half of a call.

    Kept by what the types follow from, because asking takes some 100 µs, as long as twenty small steps.
    """
    kinds = (a.dtype.char + str(a.ndim) + str(a.flags.num) if isinstance(a, np.ndarray) else type(a) for a in arguments)
    key = (function, *kinds)
    if key not in _PREPARED:
        _PREPARED[key] = function.compile(tuple(map(numba.typeof, arguments)))
    return _PREPARED[key]


class Workspace(State):
    """Labels as signs of one byte each, and scratch space for each thread. X is viewed, or copied if it is small."""

    def __init__(self, problem: Problem, config: Config, threads: int) -> None:
        super().__init__(problem, config, Aligned())
        X, dtype = in_tiles(problem.X), np.dtype(config.dtype)
        m, n = problem.m, problem.n
        line = LINE // dtype.itemsize
        block = X.shape[2] if X.ndim == 3 else rows_in_block(n, dtype.itemsize)
        signs = np.zeros(m + line, np.int8)
        signs[:m] = 1 - 2 * problem.y
        each = (threads,) if threads > 1 else ()
        scratch = aligned((*each, -(-block // line) * line + (n + 1) * line), dtype.str)
        totals = aligned((*each, -(-n // line) * line + 6 * line), "float64")
        self.data = (X, signs, self.parameters, float(config.l2), m, block, scratch, totals, self.gradients)
        optimizer = config.optimizer
        self.adam = optimizer if isinstance(optimizer, Adam) else None
        if isinstance(optimizer, Adam):
            rates = (optimizer.learning_rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon)
            self.rates = tuple(map(float, rates))  # compiled once for floats, and never for the integer 1
            self.corrections = np.empty((1, 2))
            adam = (self.moment1, self.moment2, self.rates)
            self.run = partial(prepared(train_adam, *self.data, *adam, self.corrections, self.J), *self.data, *adam)
        else:
            rate = float(optimizer.learning_rate)
            self.run = partial(prepared(train, *self.data, rate, self.J), *self.data, rate)
        self.reset()

    def gradient(self) -> None:
        self.J[0] = gradient(*self.data)

    def update(self) -> None:
        self.steps_taken += 1
        if self.adam:
            self.corrections[0] = self.adam.bias_corrections(self.steps_taken)
            descend_adam(
                self.parameters, self.gradients, self.moment1, self.moment2, self.rates, self.corrections[0]
            )  # fmt: skip
        else:
            descend(self.parameters, self.gradients, self.config.optimizer.learning_rate)

    def step(self) -> None:
        self.steps_taken += 1
        if self.adam:
            self.corrections[0] = self.adam.bias_corrections(self.steps_taken)
            self.run(self.corrections, self.J)
        else:
            self.run(self.J)

    def train(self, steps: int) -> None:
        costs = self.reserve_costs(steps)
        if self.adam:
            self.run(self.adam.correction_table(self.steps_taken + 1, steps), costs)
        else:
            self.run(costs)
        self.steps_taken += steps
        if steps:
            self.J[0] = costs[-1]


def bind(problem: Problem, config: Config, parallel: bool = False) -> Workspace:
    """On one thread, or on as many of Numba's pool as are worth waking.

    `get_num_threads` starts the pool. Numba does so itself where it compiles parallel code or finds it in its cache,
    but not for a function whose callee came from the cache when it was compiled itself: that would jump to zero.
    """
    threads = threads_worth(problem.m, problem.n, numba.get_num_threads()) if parallel else 1
    return Workspace(problem, config, threads)
