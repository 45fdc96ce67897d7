"""Rung 5, one pass over X in vector code: a row goes forward and back while it lies in the first cache.

numba_fused_simple.py does so, too, and waits: for a scalar exponential, and for one row to end before the next begins.
Here X is read once as well, and as fast as it can be read. What that takes, from a step (`stepping.py`) down:

- Where X is large, the products of the next rows forward and of the rows before back in one loop, so that a load from
  memory is always under way; rows at once lie in runs far apart, plain streams to a prefetcher (`pipeline.py`).
- Where X fits in the caches, a copy of it in tiles (`tiles.py`): nothing is transposed or left empty.
- Sigmoid and loss in vectors (`residuals.py`), one logarithm for hundreds of rows.
- Sums of some hundred rows in the dtype of X, of all in float64; the rows in shares with partial sums of their own,
  added in order: the same bits every run (`gradient.py`).
- One compiled call for a step, and one for all the steps of `train`; the types of its arguments are looked up in bind
  (`calls.py`), and most of its arrays told by address (`addresses.py`). So are the sums over a share, to all who take
  them: they are most of what there is to compile.
- As many threads as the size is worth (`shares.py`): those of a pool (`pool.py`) for a step; for `train` some that wake
  once and meet at a barrier a step (`team.py`).

Beyond the caches the bound is X read once; in cache two loads a vector of X, and some 60 instructions a vector of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numba
import numpy as np

from stepkernels.problem import Adam, Array, Config, Problem
from stepkernels.problem.storage import kept_of
from stepkernels.rows.numba_fused.addresses import addresses_of
from stepkernels.rows.numba_fused.cache_lines import LINE, Aligned, aligned
from stepkernels.rows.numba_fused.calls import address_of, bound
from stepkernels.rows.numba_fused.gradient import accumulate, elements_of_scaled, gradient
from stepkernels.rows.numba_fused.pipeline import in_order_of_rows, rows_in_group, scratch_of
from stepkernels.rows.numba_fused.pool import in_turn, refuse, start_for
from stepkernels.rows.numba_fused.reading_plan import ReadingPlan, is_for_tiles
from stepkernels.rows.numba_fused.shares import Division, division_of
from stepkernels.rows.numba_fused.stepping import (
    Data,
    Member,
    descend,
    descend_adam,
    rates_of,
    train,
    train_adam,
    train_in_team,
)
from stepkernels.rows.numba_fused.team import Team
from stepkernels.rows.numba_fused.tiles import in_tiles, rows_in_tile
from stepkernels.rows.numba_fused.tuned_plans import Kind, file, known_plans, tuned_plan, write
from stepkernels.rows.numba_fused.tuning import fastest_plans, kinds
from stepkernels.state import State


def data_of(problem: Problem, config: Config, plan: ReadingPlan, shares: int) -> Data:
    """X is viewed, or copied into tiles or a narrower storage; behind the signs a vector may be loaded whole."""
    X, m, n = problem.X, problem.m, problem.n
    weights = problem.relative_weights(config.dtype)
    places = m + LINE // X.itemsize
    signs = np.zeros(places, np.int8) if weights is None else aligned((1, places), config.dtype)
    # A byte each, and moved as they are: what is bound holds little beside X while it is bound, too.
    signed = 1 - 2 * (problem.y.astype(np.int8) if weights is None else problem.y)
    signed = signed if weights is None else signed * weights
    signs[..., :m] = in_order_of_rows(signed, n, X.itemsize, shares, plan.apart and not plan.tiles)
    block = rows_in_tile(X.itemsize) if plan.tiles else rows_in_group(n, X.itemsize)
    kept, scales = kept_of(np.ascontiguousarray(X), config.storage)
    kept = in_tiles(kept, rows_in_tile(X.itemsize)) if plan.tiles else kept
    return Data(kept, scales, signs, float(config.l2), m, block, plan.compiled(kept.itemsize))


def plan_for(X: Array, shares: int) -> ReadingPlan:
    """Tiles for a small X; for a large one what was measured on this machine, or the default."""
    if is_for_tiles(X):
        return ReadingPlan(tiles=True)
    kind = Kind.of(X.dtype.name, X.shape[1] * X.itemsize, shares)
    return tuned_plan(kind) or ReadingPlan.default()


class Workspace(State):
    """Labels as signs of one byte each, and scratch space and partial sums for each share."""

    def __init__(self, problem: Problem, config: Config, division: Division, plan: ReadingPlan | None = None) -> None:
        super().__init__(problem, config, Aligned())
        self.division, self.plan = division, plan or plan_for(problem.X, division.shares)
        self.adam = config.optimizer if isinstance(config.optimizer, Adam) else None
        self.rates, self.corrections = rates_of(config), np.empty((1 if self.adam else 0, 2))
        self.data = data_of(problem, config, self.plan, division.shares)
        n, line, shares = problem.n, LINE // problem.X.itemsize, division.shares
        needed = max(self.data.block + (n + 1) * line, scratch_of(n, problem.X.itemsize)) + elements_of_scaled(n + 1)
        self.scratch = aligned((shares, -(-needed // line) * line), config.dtype)
        self.totals = aligned((2, shares, -(-n // line) * line + 6 * line), "float64")
        self.bind_calls(self.scratch if division.pool else self.scratch[0], self.totals[0])
        self.members: list[Any] = []
        self.reset()

    def bind_calls(self, scratch: Array, totals: Array) -> None:
        """`evaluate` a gradient, `run` steps, `run_once` a step: calls with all but a few arguments given."""
        X, scales, signs, *sizes = self.data
        self.address = address_of(
            accumulate, (X, scales, signs, self.parameters, *sizes[1:], self.scratch[0], totals, 0)
        )
        self.evaluate = bound(
            gradient, (X, scales, signs, self.parameters, *sizes, scratch, totals, self.gradients, self.address), ()
        )  # fmt: skip
        state = (self.parameters, totals, self.gradients, self.moment1, self.moment2)
        addresses = addresses_of(signs, *state, scales)
        given = (X, signs if signs.ndim == 2 else None, scratch, addresses, *sizes)
        if self.adam:
            self.run = bound(train_adam, (*given, self.address, self.rates), (self.corrections, self.J))
        else:
            self.run = bound(train, (*given, self.address, self.rates[0]), (self.J,))
        if self.division.pool:
            start_for(self)
            self.evaluate, self.run = map(in_turn, (self.evaluate, self.run))
        self.run_once = partial(self.run, self.corrections, self.J) if self.adam else partial(self.run, self.J)

    def leave_pool(self) -> None:
        self.evaluate = self.run = self.run_once = partial(refuse)

    def bind_team(self) -> list[Any]:
        """The training of each member of a team: the first one's state is the workspace's, the others' are copies."""
        scratch, totals = self.scratch, self.totals
        self.team = Team(len(scratch))
        own = (self.parameters, self.gradients, self.moment1, self.moment2)
        self.copies = [tuple(aligned(array.shape, array.dtype.str) for array in own) for _ in scratch[1:]]
        return [
            bound(
                train_in_team,
                (self.data, Member(k, scratch[k], *state), totals, self.team.arrivals, self.address, self.rates),
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
        self.members = self.members or self.bind_team()
        for copy in self.copies:
            for array, value in zip(copy, (self.parameters, self.gradients, self.moment1, self.moment2), strict=True):
                array[:] = value
        self.team.run(lambda member: self.members[member](corrections, costs))


def bind(problem: Problem, config: Config, parallel: bool = False) -> Workspace:
    """On one thread, or in shares for as many threads as are worth it: of a pool for steps, of a team for training."""
    available = numba.get_num_threads() if parallel else 1
    return Workspace(problem, config, division_of(problem.m, problem.n, available))


def tune(parallel: bool = False) -> Iterator[str]:
    """Measure the fastest reading plans on one thread, or on all, and keep them; tells each as it is found."""

    def bound_to(problem: Problem, config: Config, threads: int, plan: ReadingPlan) -> Workspace:
        return Workspace(problem, config, Division(threads, pool=threads > 1), plan)

    found = known_plans(file())
    write(file(), found)  # tried before minutes are spent on what could not be kept
    for kind, plan, gain in fastest_plans(threads_tuned_for(parallel), bound_to):
        found[str(kind)] = plan
        write(file(), found)
        yield f"{kind}: {plan}, {gain:.2f} times as fast as the default"


def threads_tuned_for(parallel: bool) -> int:
    return numba.get_num_threads() if parallel else 1


def untuned(parallel: bool = False) -> Iterator[str]:
    """What `tune` would measure that was never measured on this machine, also where it was cut short."""
    known = known_plans(file())
    return (str(kind) for kind, _ in kinds(threads_tuned_for(parallel)) if str(kind) not in known)


def tuned(parallel: bool = False) -> Iterator[str]:
    """The plans that were measured on this machine before, each in words."""
    for kind, plan in known_plans(file()).items():
        if kind.endswith(" 1 thread") is not parallel:
            yield f"{kind}: {plan}"
