"""Rung 4, one pass over X: forward and backward of a block of rows before the next block is touched.

A step does four operations on each element of X and is bound by reading it. numba_loop.py and the matrix form of
numpy_blas.py read it twice; here X is read once: rows are taken in blocks that stay in a near cache between their dot
products and their accumulation into gw. What that takes:

- The rows in shares, each with partial sums of its own (`gradient.py`).
- Where X is large, blocks of rows as they lie (`blocks.py`): eight rows at a time for Xw, so that w is loaded once for
  all of them and their sums are transposed together; four vectors of columns at a time for Xᵀr, so that gw stays in
  registers for a whole block; and the next block fetched while this one is worked on.
- Where X fits in the caches, a copy of it in tiles (`tiles.py`): nothing is transposed or left empty.
- Sigmoid and loss as vector code (`residuals.py`, with `stepkernels.simd.exp`). One logarithm serves hundreds of rows:
  Σ log1p(eᵢ) = log1p(∏(1 + eᵢ) − 1), the product kept as its excess over 1, which loses nothing when it is tiny.
- Sums of a block in the dtype of X, sums of blocks in float64. `numba-fused-parallel` gives each thread a contiguous
  share of the rows and partial sums of its own, added in order: the same bits every run.
- One compiled call for a step, and one for all the steps of `train`; the types of its arguments are looked up in bind,
  and most of its arrays told by address (`addresses.py`). The threads of `train` wake once and meet at a barrier a
  step (`team.py`).

Beyond the caches the bound is X read once; in cache, the loads: two a vector of X, and about 40 instructions for
the sigmoids of a vector of rows.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numba
import numpy as np

from stepkernels.problem import Adam, Array, Config, Problem
from stepkernels.rows.numba_fused.addresses import addresses_of, matrix_at, vector_at
from stepkernels.rows.numba_fused.blocks import rows_in_block
from stepkernels.rows.numba_fused.cache_lines import LINE, Aligned, aligned
from stepkernels.rows.numba_fused.gradient import accumulate, finish, gradient
from stepkernels.rows.numba_fused.team import Team, meet
from stepkernels.rows.numba_fused.tiles import in_tiles
from stepkernels.simd import compiled
from stepkernels.state import State

STEPS_WORTH_A_THREAD = 100  # to begin another takes 110 µs, and it saves 1 µs of a small step


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
def operands(X: Array, addresses: Array) -> tuple[Array, Array, Array, Array]:
    """What `gradient` takes and X and scratch do not tell: signs, parameters, totals, gradients."""
    signs, parameters = vector_at(addresses, 0, np.int8), vector_at(addresses, 1, X.dtype)
    return signs, parameters, matrix_at(addresses, 2, np.float64), vector_at(addresses, 3, X.dtype)


@compiled
def train(
    X: Array,
    scratch_out: Array,
    addresses: Array,
    l2: float,
    m: int,
    block: int,
    learning_rate: float,
    costs_out: Array,
) -> None:
    """A step of gradient descent for each of the costs, and its J before the update into them.

    Arrays as `gradient` takes them, all but the first two by their addresses, as `operands` has them.
    """
    signs, parameters, totals, gradients = operands(X, addresses)
    for k in range(len(costs_out)):
        costs_out[k] = gradient(X, signs, parameters, l2, m, block, scratch_out, totals, gradients)
        descend(parameters, gradients, learning_rate)


@compiled
def train_adam(
    X: Array,
    scratch_out: Array,
    addresses: Array,
    l2: float,
    m: int,
    block: int,
    rates: tuple[float, float, float, float],
    corrections: Array,
    costs_out: Array,
) -> None:
    """As `train`, with Adam; both moments behind the other addresses; corrections (steps, 2)."""
    signs, parameters, totals, gradients = operands(X, addresses)
    moment1, moment2 = vector_at(addresses, 4, X.dtype), vector_at(addresses, 5, X.dtype)
    for k in range(len(costs_out)):
        costs_out[k] = gradient(X, signs, parameters, l2, m, block, scratch_out, totals, gradients)
        descend_adam(parameters, gradients, moment1, moment2, rates, corrections[k])


@compiled
def train_in_team(
    member: int,
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
    arrivals_out: Array,
    costs_out: Array,
) -> None:
    """As `train` or `train_adam`, by a member of a team: it accumulates its share, and makes every update for itself.

    parameters, gradients, moments and scratch are the member's own. totals (2, shares, n and more) and arrivals are the
    team's: one meeting a step suffices, because totals alternate. corrections (steps, 2), or (0, 2) for gradient
    descent. Member 0 writes the costs.
    """
    members = totals_out.shape[1]
    for k in range(len(costs_out)):
        totals = totals_out[k % 2]
        accumulate(X, signs, parameters_out, m, block, scratch_out, totals, member)
        meet(arrivals_out, (k + 1) * members)
        J = finish(totals, parameters_out, l2, m, gradients_out)
        if member == 0:
            costs_out[k] = J
        if len(corrections) > 0:
            descend_adam(parameters_out, gradients_out, moment1_out, moment2_out, rates, corrections[k])
        else:
            descend(parameters_out, gradients_out, rates[0])


def shares_worth(m: int, n: int, available: int) -> int:
    """Threads of a team, each with 1 µs of work a step or more: a meeting takes 0.3 µs.

    A sigmoid and its loss cost as much as about 20 elements of X, and 12,000 elements take about 1 µs.
    """
    return max(min(available, m * (n + 20) // 12_000), 1)


def worth_waking(m: int, n: int) -> bool:
    """Whether a single step gains by Numba's pool: waking two threads takes 1.5 to 4 µs while they spin.

    At 569×30 and 1,000×20 that is the gain or more than it, at 2,000×50 a third is gained.
    """
    return m * (n + 20) > 60_000


_COMPILED: dict[Any, Any] = {}


def bound(function: Any, given: tuple[Any, ...], later: tuple[Any, ...]) -> Any:
    """`function` compiled for arguments like these, the first ones given now: a call takes the later ones alone.

    It does not ask for types again, which is half of a call. What is compiled is kept by what the types follow from,
    because asking takes some 100 µs, as long as twenty small steps.
    """
    arguments = (*given, *later)
    kinds = (a.dtype.char + str(a.ndim) + str(a.flags.num) if isinstance(a, np.ndarray) else type(a) for a in arguments)
    key = (function, *kinds)
    if key not in _COMPILED:
        _COMPILED[key] = function.compile(tuple(map(numba.typeof, arguments)))
    return partial(_COMPILED[key], *given)


def rates_of(config: Config) -> tuple[float, float, float, float]:
    """Learning rate, β1, β2, ε, the last three zero under gradient descent; compiled for floats, never for an int 1."""
    match config.optimizer:
        case Adam() as adam:
            return float(adam.learning_rate), float(adam.beta1), float(adam.beta2), float(adam.epsilon)
        case descent:
            return float(descent.learning_rate), 0.0, 0.0, 0.0


class Workspace(State):
    """Labels as signs of one byte each, and scratch space for each share. X is viewed, or copied if it is small."""

    def __init__(self, problem: Problem, config: Config, shares: int, pool: bool) -> None:
        super().__init__(problem, config, Aligned())
        X, m, n, dtype = in_tiles(problem.X), problem.m, problem.n, np.dtype(config.dtype)
        line = LINE // dtype.itemsize
        block = X.shape[2] if X.ndim == 3 else rows_in_block(n, dtype.itemsize)
        signs = np.zeros(m + line, np.int8)
        signs[:m] = 1 - 2 * problem.y
        scratch = aligned((shares, -(-block // line) * line + (n + 1) * line), dtype.str)
        totals = aligned((2, shares, -(-n // line) * line + 6 * line), "float64")
        sizes = (float(config.l2), m, block)
        self.rates = rates_of(config)
        self.adam = config.optimizer if isinstance(config.optimizer, Adam) else None
        self.corrections = np.empty((1 if self.adam else 0, 2))

        self.X, step_scratch, step_totals = X, scratch if pool else scratch[0], totals[0]
        self.evaluate = bound(
            gradient, (X, signs, self.parameters, *sizes, step_scratch, step_totals, self.gradients), ()
        )  # fmt: skip
        addresses = addresses_of(signs, self.parameters, step_totals, self.gradients, self.moment1, self.moment2)
        given = (X, step_scratch, addresses, *sizes)
        if self.adam:
            self.run = bound(train_adam, (*given, self.rates), (self.corrections, self.J))
            self.run_once = partial(self.run, self.corrections, self.J)
        else:
            self.run = bound(train, (*given, self.rates[0]), (self.J,))
            self.run_once = partial(self.run, self.J)

        self.members: list[Any] = []
        if shares > 1:
            self.team = Team(shares)
            own = (self.parameters, self.gradients, self.moment1, self.moment2)
            others = [tuple(aligned(a.shape, a.dtype.str) for a in own) for _ in range(shares - 1)]
            self.states = [own, *others]
            self.members = [
                bound(
                    train_in_team,
                    (member, X, signs, state[0], *sizes, scratch[member], totals, *state[1:], self.rates),
                    (self.corrections, self.team.arrivals, self.J),
                )
                for member, state in enumerate(self.states)
            ]
        self.reset()

    def gradient(self) -> None:
        self.J[0] = self.evaluate()

    def update(self) -> None:
        self.steps_taken += 1
        if self.adam:
            self.corrections[0] = self.adam.bias_corrections(self.steps_taken)
            descend_adam(
                self.parameters, self.gradients, self.moment1, self.moment2, self.rates, self.corrections[0]
            )  # fmt: skip
        else:
            descend(self.parameters, self.gradients, self.rates[0])

    def step(self) -> None:
        self.steps_taken += 1
        if self.adam:
            self.corrections[0] = self.adam.bias_corrections(self.steps_taken)
        self.run_once()

    def train(self, steps: int) -> None:
        costs = self.reserve_costs(steps)
        corrections = self.adam.correction_table(self.steps_taken + 1, steps) if self.adam else self.corrections
        if self.members and steps >= STEPS_WORTH_A_THREAD * (len(self.members) - 1):
            for state in self.states[1:]:
                for array, value in zip(state, self.states[0], strict=True):
                    array[:] = value
            self.team.run(lambda member: self.members[member](corrections, self.team.arrivals, costs))
        elif self.adam:
            self.run(corrections, costs)
        else:
            self.run(costs)
        self.steps_taken += steps
        if steps:
            self.J[0] = costs[-1]


def bind(problem: Problem, config: Config, parallel: bool = False) -> Workspace:
    """On one thread, or in shares for as many threads as are worth it: of a pool for steps, of a team for training.

    `get_num_threads` starts the pool. Numba does so itself where it compiles parallel code or finds it in its cache,
    but not for a function whose callee came from the cache when it was compiled itself: that would jump to zero.
    """
    shares = shares_worth(problem.m, problem.n, numba.get_num_threads()) if parallel else 1
    return Workspace(problem, config, shares, pool=shares > 1 and worth_waking(problem.m, problem.n))
