"""A problem dealt to the ranks: each gets its rows, in the dtype to compute in, and binds them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace

import numpy as np

from stepkernels import probe
from stepkernels.arrays.torch_ranks.ranks import Ranks
from stepkernels.arrays.torch_ranks.sharded_step import ClockedStep, ShardedStep, share_of, starting_from
from stepkernels.interface import GradientWorkspace, with_gradient
from stepkernels.problem import Array, Config, Problem

Rows = tuple[Array, Array]  # X (m_r, n) and y (m_r,) of one rank


@dataclass(frozen=True, slots=True, eq=False)
class Deal:
    """What every rank is told of a problem: its size and start, how to compute, and by which row's module.

    clocked  whether the ranks note how long they compute
    """

    m: int
    w0: Array
    b0: float
    config: Config
    share: str
    clocked: bool = False

    @classmethod
    def of(cls, problem: Problem, config: Config, share: str, *, clocked: bool) -> Deal:
        return cls(problem.m, np.array(problem.w0), problem.b0, config, share, clocked)


def hand_out(ranks: Ranks, problem: Problem) -> Rows:
    """Send the others their rows; rank 0's own are views."""
    for rank in range(1, ranks.count):
        rows = share_of(rank, ranks.count, problem.m)
        if rows.start < rows.stop:
            ranks.send(problem.X[rows], rank)
            ranks.send(problem.y[rows], rank)
    own = share_of(0, ranks.count, problem.m)
    return problem.X[own], problem.y[own]


def take(ranks: Ranks, deal: Deal) -> Rows:
    """The rows that rank 0 sends, which may be none."""
    rows = share_of(ranks.rank, ranks.count, deal.m)
    length, n = rows.stop - rows.start, len(deal.w0)
    X, y = np.empty((length, n), deal.config.dtype), np.empty(length, deal.config.dtype)
    if length:
        ranks.receive(X)
        ranks.receive(y)
    return X, y


def bind_share(ranks: Ranks, deal: Deal, rows: Rows) -> ShardedStep:
    """The part of the step that is this rank's.

    The ranks bind and warm up one after the other: what one has compiled the next finds, and Numba's cache takes one at
    a time.
    """
    share: GradientWorkspace | None = None
    for rank in ranks.in_turn():
        if rank == ranks.rank and len(rows[0]):
            share = warm_share(deal, rows)
    start = starting_from(deal.w0, deal.b0)
    kind = ClockedStep if deal.clocked else ShardedStep
    return kind(ranks, start, share, len(rows[0]), deal.m, deal.config)


def warm_share(deal: Deal, rows: Rows) -> GradientWorkspace:
    """The rows bound by the row that takes their gradient, which has taken it once."""
    module = probe.with_a_cache(lambda: importlib.import_module(deal.share))
    problem = Problem(*rows, deal.w0, deal.b0)
    share = with_gradient(module.bind(problem, replace(deal.config, l2=0.0)))
    share.gradient()
    share.synchronize()
    return share
