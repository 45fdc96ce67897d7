"""Rank 0 is asked, and tells the others what to do: an order, and after a reset the values that it set.

Only one rank decides what comes next. A solver that ran on every rank would have to come to the same bits on every
processor there is; so it runs on rank 0, and what it wants is told. Many steps are one order.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import IntEnum

import numpy as np
import torch

from stepkernels.arrays.torch_ranks.ranks import Ranks
from stepkernels.arrays.torch_ranks.sharded_step import ClockedStep, ShardedStep
from stepkernels.interface import Snapshot
from stepkernels.problem import Array, ProblemError


class Order(IntEnum):
    """What the ranks do next."""

    END = 0
    BIND = 1
    RELEASE = 2
    RESET = 3
    GRADIENT = 4
    UPDATE = 5
    STEP = 6
    TRAIN = 7
    REPORT = 8
    TIMES = 9


class Leading:
    """Rank 0's side: it gives the orders, for workspaces that have numbers."""

    def __init__(self, ranks: Ranks) -> None:
        self.ranks = ranks
        self.numbers = np.zeros(3, np.int64)
        self.message = torch.from_numpy(self.numbers)  # the same memory
        self.released: list[int] = []  # by the garbage collector, which may come in the middle of an order

    @contextmanager
    def give(self, order: Order, key: int, argument: int = 0) -> Iterator[None]:
        """The others do what this rank does within. What breaks it off here, Ctrl-C or other, leaves them behind."""
        try:
            while self.released:
                self._send(Order.RELEASE, self.released.pop(), 0)
            self._send(order, key, argument)
            yield
        except BaseException as error:
            self.ranks.leave("an operation was broken off", refusal_in(error))
            raise

    @contextmanager
    def ended(self) -> Iterator[None]:
        """When the block is done, so are the others, and when it refuses to go on between two orders.

        Broken off, it leaves them behind.
        """
        try:
            yield
        except BaseException as error:
            if self.ranks.over is None and isinstance(error, (ProblemError, OSError, MemoryError)):
                self._end()
            else:
                self.ranks.leave("an operation was broken off")
            raise
        self._end()

    def _end(self) -> None:
        with self.give(Order.END, 0):
            pass

    def _send(self, order: Order, key: int, argument: int) -> None:
        self.numbers[:] = order, key, argument
        self.ranks.pass_order(self.message)


class LedStep:
    """The workspace of all ranks, on rank 0: what is asked of it, every rank does."""

    def __init__(self, leading: Leading, key: int, own: ShardedStep) -> None:
        self.leading, self.key, self.own = leading, key, own
        weakref.finalize(self, leading.released.append, key)

    def gradient(self) -> None:
        with self._all(Order.GRADIENT):
            self.own.gradient()

    def update(self) -> None:
        with self._all(Order.UPDATE):
            self.own.update()

    def step(self) -> None:
        with self._all(Order.STEP):
            self.own.step()

    def train(self, steps: int) -> None:
        with self._all(Order.TRAIN, steps):
            self.own.train(steps)

    def synchronize(self) -> None:
        """The last thing in an operation is the update, on the host."""

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        self.own.reset(w, b, moments, step)
        with self._all(Order.RESET, step):
            self.leading.ranks.tell(torch.from_numpy(packed_state(self.own)))

    def snapshot(self) -> Snapshot:
        return self.own.snapshot()

    def snapshots(self) -> list[Snapshot]:
        """That of each rank, in order."""
        with self._all(Order.REPORT):
            snapshots: list[Snapshot] = self.leading.ranks.all_told(self.own.snapshot())
        return snapshots

    def computing_seconds(self) -> list[list[float]]:
        """How long each rank computed in each step since this was last asked; none where nobody was to note it."""
        with self._all(Order.TIMES):
            return self.leading.ranks.all_told(noted(self.own))

    def _all(self, order: Order, argument: int = 0) -> AbstractContextManager[None]:
        return self.leading.give(order, self.key, argument)


def obey(ranks: Ranks, steps: dict[int, ShardedStep], bind: Callable[[], ShardedStep] | None = None) -> None:
    """Do what rank 0 orders, until it says that this is the end. `bind` makes a workspace that it tells of."""
    message = torch.zeros(3, dtype=torch.int64)
    while True:
        ranks.pass_order(message)
        order, key, argument = message.tolist()
        match Order(order):
            case Order.END:
                return
            case Order.BIND if bind is not None:
                steps[key] = bind()
            case Order.RELEASE:
                del steps[key]
            case Order.RESET:
                reset_as_told(ranks, steps[key], argument)
            case Order.GRADIENT:
                steps[key].gradient()
            case Order.UPDATE:
                steps[key].update()
            case Order.STEP:
                steps[key].step()
            case Order.TRAIN:
                steps[key].train(argument)
            case Order.REPORT:
                ranks.all_told(steps[key].snapshot())
            case Order.TIMES:
                ranks.all_told(noted(steps[key]))


def refusal_in(error: BaseException) -> str:
    """What the others are told of an error: the sentence of one that refuses to go on, nothing of another."""
    return str(error) if isinstance(error, ProblemError) else ""


def noted(step: ShardedStep) -> list[float]:
    """The seconds that a rank has noted, which are forgotten."""
    if not isinstance(step, ClockedStep):
        return []
    found, step.computing_seconds = step.computing_seconds, []
    return found


def packed_state(step: ShardedStep) -> Array:
    """Parameters and moments one behind the other, (3n + 3,) float64, which holds every float32 as it is."""
    return np.concatenate([step.parameters, step.moment1, step.moment2]).astype(np.float64)


def reset_as_told(ranks: Ranks, step: ShardedStep, steps_taken: int) -> None:
    """Reset to the state that rank 0 has."""
    state = packed_state(step)
    ranks.tell(torch.from_numpy(state))
    parameters, moment1, moment2 = np.split(state, 3)
    step.reset(parameters[:-1], float(parameters[-1]), (moment1, moment2), steps_taken)
