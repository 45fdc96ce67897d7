"""Rung 5, one pass over X in vector code: a row goes forward and back while it lies in the first cache.

numba_fused_simple.py does so, too, and waits: for a scalar exponential, and for one row to end before the next begins.
Here X is read once as well, and as fast as it can be read. What that takes:

- Where X is large, the products of the next rows forward and of the rows before back in one loop, so that a load from
  memory is always under way; rows at once lie in runs far apart, plain streams to a prefetcher (`pipeline.py`).
- Where X fits in the caches, a copy of it in tiles (`tiles.py`): nothing is transposed or left empty.
- Sigmoid and loss in vectors (`residuals.py`), one logarithm for hundreds of rows.
- Sums of some hundred rows in the dtype of X, of all in float64; the rows in shares with partial sums of their own,
  added in order: the same bits every run (`gradient.py`).
- One compiled call for a step, and one for all the steps of `train`; the types of its arguments are looked up in bind
  (`calls.py`), and most of its arrays told by address (`addresses.py`).
- As many threads as the size is worth (`shares.py`): those of a pool (`pool.py`) for a step; for `train` some that wake
  once and meet at a barrier a step (`team.py`).

Beyond the caches the bound is X read once; in cache two loads a vector of X, and some 60 instructions a vector of rows.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from stepkernels.problem import Adam, Array, Config, Problem
from stepkernels.rows.numba_fused.addresses import addresses_of, given_or_at, matrix_at, vector_at
from stepkernels.rows.numba_fused.cache_lines import LINE, Aligned, aligned
from stepkernels.rows.numba_fused.calls import bound
from stepkernels.rows.numba_fused.gradient import accumulate, finish, gradient
from stepkernels.rows.numba_fused.pipeline import order_of_rows, rows_in_group, scratch_of
from stepkernels.rows.numba_fused.pool import in_turn, refuse, start_for
from stepkernels.rows.numba_fused.reading_plan import ReadingPlan, plan_for
from stepkernels.rows.numba_fused.shares import Division, division_of
from stepkernels.rows.numba_fused.team import Team, meet
from stepkernels.rows.numba_fused.tiles import in_tiles, rows_in_tile
from stepkernels.simd import compiled
from stepkernels.state import State


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
def operands(X: Array, weighted: Array | None, addresses: Array) -> tuple[Array, Array, Array, Array]:
    """What `gradient` takes and X and scratch do not tell: signs, parameters, totals, gradients."""
    signs, parameters = given_or_at(weighted, addresses, 0, np.int8), vector_at(addresses, 1, X.dtype)
    return signs, parameters, matrix_at(addresses, 2, np.float64), vector_at(addresses, 3, X.dtype)


@compiled
def train(
    X: Array,
    weighted: Array | None,
    scratch_out: Array,
    addresses: Array,
    l2: float,
    m: int,
    block: int,
    plan: tuple[bool, int | None],
    learning_rate: float,
    costs_out: Array,
) -> None:
    """A step of gradient descent for each of the costs, and its J before the update into them.

    Arrays as `gradient` takes them, all but X and scratch by their addresses, as `operands` has them; signs that have
    weights in are given as `weighted`, which is None without weights.
    """
    signs, parameters, totals, gradients = operands(X, weighted, addresses)
    for k in range(len(costs_out)):
        costs_out[k] = gradient(X, signs, parameters, l2, m, block, plan, scratch_out, totals, gradients)
        descend(parameters, gradients, learning_rate)


@compiled
def train_adam(
    X: Array,
    weighted: Array | None,
    scratch_out: Array,
    addresses: Array,
    l2: float,
    m: int,
    block: int,
    plan: tuple[bool, int | None],
    rates: tuple[float, float, float, float],
    corrections: Array,
    costs_out: Array,
) -> None:
    """As `train`, with Adam; both moments behind the other addresses; corrections (steps, 2)."""
    signs, parameters, totals, gradients = operands(X, weighted, addresses)
    moment1, moment2 = vector_at(addresses, 4, X.dtype), vector_at(addresses, 5, X.dtype)
    for k in range(len(costs_out)):
        costs_out[k] = gradient(X, signs, parameters, l2, m, block, plan, scratch_out, totals, gradients)
        descend_adam(parameters, gradients, moment1, moment2, rates, corrections[k])


class Data(NamedTuple):
    """What a training only reads.

    X (m, n), or tiles of it; signs = 1 − 2y, int8 (m + a vector,), or with weights s·(1 − 2y) in X's dtype,
    (1, m + a vector), in the order the rows are met in; the penalty; the rows, and those of a block, which is a tile or
    a group; whether rows are read apart, and how many elements ahead lines are asked for.
    """

    X: Array
    signs: NDArray[Any]
    l2: float
    m: int
    block: int
    plan: tuple[bool, int | None]


class Member(NamedTuple):
    """What a member of a team has to itself: its number, scratch as `gradient` takes it, and the whole state."""

    number: int
    scratch: Array
    parameters: Array
    gradients: Array
    moment1: Array
    moment2: Array


@compiled
def train_in_team(
    data: Data,
    member: Member,
    totals_out: Array,
    arrivals_out: Array,
    rates: tuple[float, float, float, float],
    corrections: Array,
    costs_out: Array,
) -> None:
    """As `train` or `train_adam`, by a member of a team: it accumulates its share, and makes every update for itself.

    totals (2, shares, n and more) and arrivals are the team's: one meeting a step suffices, because totals alternate.
    corrections (steps, 2), or (0, 2) for gradient descent. Member 0 writes the costs.
    """
    X, signs, l2, m, block, plan = data
    number, scratch, parameters, gradients, moment1, moment2 = member
    members = totals_out.shape[1]
    for k in range(len(costs_out)):
        totals = totals_out[k % 2]
        accumulate(X, signs, parameters, m, block, plan, scratch, totals, number)
        meet(arrivals_out, (k + 1) * members)
        J = finish(totals, parameters, l2, m, gradients)
        if number == 0:
            costs_out[k] = J
        if len(corrections) > 0:
            descend_adam(parameters, gradients, moment1, moment2, rates, corrections[k])
        else:
            descend(parameters, gradients, rates[0])


def rates_of(config: Config) -> tuple[float, float, float, float]:
    """Learning rate, β1, β2, ε, the last three zero under gradient descent; compiled for floats, never for an int 1."""
    match config.optimizer:
        case Adam() as adam:
            return float(adam.learning_rate), float(adam.beta1), float(adam.beta2), float(adam.epsilon)
        case descent:
            return float(descent.learning_rate), 0.0, 0.0, 0.0


def data_of(problem: Problem, config: Config, plan: ReadingPlan, shares: int) -> Data:
    """X is viewed, or copied into tiles; behind the signs a vector may be loaded whole."""
    X, m, n = problem.X, problem.m, problem.n
    weights = problem.relative_weights(config.dtype)
    places = m + LINE // X.itemsize
    signs = np.zeros(places, np.int8) if weights is None else aligned((1, places), config.dtype)
    order = order_of_rows(m, n, X.itemsize, shares, plan.apart and not plan.tiles)
    signs[..., :m] = ((1 - 2 * problem.y) * (1 if weights is None else weights))[order]
    block = rows_in_tile(X.itemsize) if plan.tiles else rows_in_group(n, X.itemsize)
    X = in_tiles(X) if plan.tiles else np.ascontiguousarray(X)
    return Data(X, signs, float(config.l2), m, block, plan.compiled(X.itemsize))


class Workspace(State):
    """Labels as signs of one byte each, and scratch space and partial sums for each share."""

    def __init__(self, problem: Problem, config: Config, division: Division, plan: ReadingPlan | None = None) -> None:
        super().__init__(problem, config, Aligned())
        self.division, self.plan = division, plan or plan_for(problem.X)
        self.adam = config.optimizer if isinstance(config.optimizer, Adam) else None
        self.rates, self.corrections = rates_of(config), np.empty((1 if self.adam else 0, 2))
        self.data = data_of(problem, config, self.plan, division.shares)
        n, line, shares = problem.n, LINE // self.data.X.itemsize, division.shares
        needed = max(self.data.block + (n + 1) * line, scratch_of(n, self.data.X.itemsize))
        scratch = aligned((shares, -(-needed // line) * line), config.dtype)
        totals = aligned((2, shares, -(-n // line) * line + 6 * line), "float64")
        self.bind_calls(scratch if division.pool else scratch[0], totals[0])
        self.bind_members = partial(self.bind_team, scratch, totals)
        self.members: list[Any] = []
        self.reset()

    def bind_calls(self, scratch: Array, totals: Array) -> None:
        """`evaluate` a gradient, `run` steps, `run_once` a step: calls with all but a few arguments given."""
        X, signs, *sizes = self.data
        self.evaluate = bound(gradient, (X, signs, self.parameters, *sizes, scratch, totals, self.gradients), ())
        addresses = addresses_of(signs, self.parameters, totals, self.gradients, self.moment1, self.moment2)
        given = (X, signs if signs.ndim == 2 else None, scratch, addresses, *sizes)
        if self.adam:
            self.run = bound(train_adam, (*given, self.rates), (self.corrections, self.J))
        else:
            self.run = bound(train, (*given, self.rates[0]), (self.J,))
        if self.division.pool:
            start_for(self)
            self.evaluate, self.run = map(in_turn, (self.evaluate, self.run))
        self.run_once = partial(self.run, self.corrections, self.J) if self.adam else partial(self.run, self.J)

    def leave_pool(self) -> None:
        self.evaluate = self.run = self.run_once = partial(refuse)

    def bind_team(self, scratch: Array, totals: Array) -> list[Any]:
        """The training of each member of a team: the first one's state is the workspace's, the others' are copies."""
        self.team = Team(len(scratch))
        own = (self.parameters, self.gradients, self.moment1, self.moment2)
        self.copies = [tuple(aligned(array.shape, array.dtype.str) for array in own) for _ in scratch[1:]]
        return [
            bound(
                train_in_team,
                (self.data, Member(k, scratch[k], *state), totals, self.team.arrivals, self.rates),
                (self.corrections, self.J),
            )
            for k, state in enumerate([own, *self.copies])
        ]

    def gradient(self) -> None:
        self.J[0] = self.evaluate()

    def update(self) -> None:
        self.steps_taken += 1
        if self.adam:
            self.corrections[0] = self.adam.bias_corrections(self.steps_taken)
            moments = self.moment1, self.moment2
            descend_adam(self.parameters, self.gradients, *moments, self.rates, self.corrections[0])
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
        if self.division.shares > 1 and steps >= self.division.team_from:
            self.train_as_team(corrections, costs)
        elif self.adam:
            self.run(corrections, costs)
        else:
            self.run(costs)
        self.steps_taken += steps
        if steps:
            self.J[0] = costs[-1]

    def train_as_team(self, corrections: Array, costs: Array) -> None:
        """The first time, the team is called together and its training compiled."""
        self.members = self.members or self.bind_members()
        for copy in self.copies:
            for array, value in zip(copy, (self.parameters, self.gradients, self.moment1, self.moment2), strict=True):
                array[:] = value
        self.team.run(lambda member: self.members[member](corrections, costs))


def bind(problem: Problem, config: Config, parallel: bool = False) -> Workspace:
    """On one thread, or in shares for as many threads as are worth it: of a pool for steps, of a team for training."""
    available = numba.get_num_threads() if parallel else 1
    return Workspace(problem, config, division_of(problem.m, problem.n, available))
