"""One rank's part of a step: the gradient of its own rows, then the sums of all ranks, then an update like theirs.

A rank keeps a contiguous share of the rows, and any row of the catalogue takes the gradient of it, with l2 = 0. What
travels is n + 2 numbers a rank, Σr·x, Σr and Σ loss, in float64. They are gathered, not reduced, and every rank adds
them in the order of the ranks: so the sums have the same bits on every rank and in every repeat, which an all-reduce,
whose order is the engine's business, does not promise. From there on no rank does anything but arithmetic of single
elements, which is the same everywhere, and the parameters never travel.
"""

from __future__ import annotations

import math
import time

import numpy as np
import torch

from stepkernels.arrays.numpy_updates import descend, descend_adam
from stepkernels.arrays.torch_ranks.ranks import Ranks
from stepkernels.interface import GradientWorkspace
from stepkernels.problem import Adam, Array, Config, Problem, undisturbed
from stepkernels.state import State


def share_of(rank: int, count: int, m: int) -> slice:
    """The rows of a rank: contiguous, in the order of the ranks, the first ranks one row longer where m asks for it."""
    length, longer = divmod(m, count)
    start = rank * length + min(rank, longer)
    return slice(start, start + length + (rank < longer))


def add_in_order(parts: Array, total_out: Array) -> None:
    """The sum over the ranks, the first ones first: parts (ranks, n + 2), total (n + 2,), both float64."""
    np.copyto(total_out, parts[0])
    for part in parts[1:]:
        np.add(total_out, part, out=total_out)


def divide_among_rows(total: Array, m: int, w: Array, l2: float, gradients_out: Array, J_out: Array) -> None:
    """The gradients (n + 1,) and J (1,) of the sums over all m rows, (n + 2,) float64, with the penalty of w (n,).

    ‖w‖² is summed exactly, so that it depends on no processor.
    """
    np.divide(total, m, out=total)
    if l2:
        total[:-2] += l2 * w.astype(np.float64)
        total[-1] += 0.5 * l2 * norm_squared(w)
    np.copyto(gradients_out, total[:-1], casting="same_kind")
    np.copyto(J_out, total[-1:], casting="same_kind")


@undisturbed
def norm_squared(w: Array) -> float:
    """‖w‖² in float64, infinite or NaN where it is."""
    squares = np.square(w.astype(np.float64))
    if not math.isfinite(largest := float(squares.max())):
        return largest
    try:
        return math.fsum(squares)
    except OverflowError:
        return math.inf


class ShardedStep(State):
    """The state of a step, the same on every rank, and this rank's share of the rows.

    start  w0 and b0, in a problem whose rows do not count
    share  a workspace with the rank's rows, bound without a penalty; None for a rank that has no rows
    rows   how many rows those are, of the m of all ranks

    All ranks have to call the same operations in the same order.
    """

    def __init__(
        self, ranks: Ranks, start: Problem, share: GradientWorkspace | None, rows: int, m: int, config: Config
    ) -> None:
        super().__init__(start, config)
        self.ranks, self.share, self.rows, self.m = ranks, share, rows, m
        length = start.n + 2
        self.sums, self.parts = np.zeros(length), np.empty((ranks.count, length))
        self.total = np.empty(length)
        self.sent = torch.from_numpy(self.sums).to(ranks.device)
        self.received = torch.from_numpy(self.parts).to(ranks.device)
        self.of_each_rank = list(self.received)
        self.reset()

    @undisturbed
    def gradient(self) -> None:
        self.take_sums()
        self.gather()
        add_in_order(self.parts, self.total)
        divide_among_rows(self.total, self.m, self.w, self.config.l2, self.gradients, self.J)

    def take_sums(self) -> None:
        """Σr·x, Σr and Σ loss over the rank's rows, which a row of the catalogue has the means of; none stay zero."""
        if self.share is None:
            return
        self.share.reset(self.w, float(self.b[0]))
        self.share.gradient()
        means = self.share.snapshot()
        self.sums[:-2], self.sums[-2], self.sums[-1] = means.gw, means.gb, means.J
        self.sums *= self.rows

    def gather(self) -> None:
        """On a CPU the tensors and the arrays are the same memory. One rank has nobody to ask."""
        if self.ranks.count == 1:
            np.copyto(self.parts[0], self.sums)
            return
        if self.sent.is_cuda:
            self.sent.copy_(torch.from_numpy(self.sums))
        self.ranks.gather(self.of_each_rank, self.sent)
        if self.received.is_cuda:
            torch.from_numpy(self.parts).copy_(self.received)

    @undisturbed
    def update(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                descend_adam(
                    self.parameters, self.gradients, self.moment1, self.moment2, adam, self.steps_taken
                )  # fmt: skip
            case descent:
                descend(self.parameters, self.gradients, descent.learning_rate)

    def step(self) -> None:
        self.gradient()
        self.update()

    def train(self, steps: int) -> None:
        costs = self.reserve_costs(steps)
        for k in range(steps):
            self.step()
            costs[k] = self.J[0]


class ClockedStep(ShardedStep):
    """The same, which notes how many seconds this rank computes in each step: the rest of it is waiting for others."""

    def __init__(
        self, ranks: Ranks, start: Problem, share: GradientWorkspace | None, rows: int, m: int, config: Config
    ) -> None:
        super().__init__(ranks, start, share, rows, m, config)
        self.computing_seconds: list[float] = []

    def take_sums(self) -> None:
        begun = time.perf_counter()
        super().take_sums()
        self.computing_seconds.append(time.perf_counter() - begun)


def starting_from(w0: Array, b0: float) -> Problem:
    """A problem that has a start, in w0's dtype, and no rows of its own: one of zeros, since there is none without."""
    return Problem(np.zeros((1, len(w0)), w0.dtype), np.zeros(1), w0, b0)
