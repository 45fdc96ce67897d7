"""Rows whose speed is known, for the harness to measure: steps that take time and compute nothing, or slow another's.

- `bind(problem, config, seconds=…)`: a step lasts so long; for zero it does nothing.
- `bind(problem, config, row=…, slower=…)`: the step of another row's module, made slower by that fraction of its time.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any

from stepkernels.interface import Workspace
from stepkernels.problem import Config, Problem
from stepkernels.state import State

SHORTEST_PAUSE = 1e-6
LONGEST_STALL = 1e-3  # of a machine that is shared, in the middle of a round; what is longer lies between rounds

Clock = Callable[[], float]  # seconds, from any start


def wait_until(end: float, clock: Clock) -> None:
    """Return at `end`, and keep the processor busy until then: a sleep would last too long."""
    while clock() < end:
        pass


class KnownStep(State):
    """A step ends so many seconds after the one before it ended, whether or not it began late.

    So k steps last k times as long: where the machine stands still for a moment, the next steps make up for it, however
    short they are. What the call itself takes is hidden in the wait; an `EmptyStep` shows it.
    """

    def __init__(self, problem: Problem, config: Config, seconds: float, clock: Clock = time.perf_counter) -> None:
        super().__init__(problem, config)
        self.seconds, self.clock, self.end = seconds, clock, 0.0

    def reset(self, *state: Any, **more: Any) -> None:
        """A round begins here: the next step has none before it."""
        super().reset(*state, **more)
        self.end = 0.0

    def step(self) -> None:
        now, end = self.clock(), self.end + self.seconds
        self.end = end if end > now - LONGEST_STALL else now + self.seconds
        wait_until(self.end, self.clock)


class EmptyStep(State):
    """A step that does nothing: what is timed is the call."""

    def step(self) -> None:
        pass


class SlowedStep(State):
    """Another row's step, and waits in proportion to the time that went by between them.

    A clock cannot measure out 5 % of a few microseconds: what is owed is saved up until it is worth a wait, and where a
    wait was too long, the next is shorter by as much.
    """

    def __init__(
        self, problem: Problem, config: Config, inner: Workspace, slower: float, clock: Clock = time.perf_counter
    ) -> None:
        super().__init__(problem, config)
        self.inner, self.slower, self.clock = inner, slower, clock
        self.before, self.owed = 0.0, 0.0

    def reset(self, *state: Any, **more: Any) -> None:
        """A round begins here: what goes by between rounds is no step's."""
        super().reset(*state, **more)
        self.inner.reset(*state, **more)
        self.before = 0.0

    def step(self) -> None:
        self.inner.step()
        now = self.clock()
        self.owed += (now - (self.before or now)) * self.slower
        if self.owed > SHORTEST_PAUSE:
            end = now + self.owed
            wait_until(end, self.clock)
            now = self.clock()
            self.owed = end - now
        self.before = now


def bind(problem: Problem, config: Config, seconds: float = 0.0, row: str | None = None, slower: float = 0.0) -> State:
    """A step of known duration, an empty one, or that of the module `row` slowed."""
    if row is not None:
        return SlowedStep(problem, config, importlib.import_module(row).bind(problem, config), slower)
    return KnownStep(problem, config, seconds) if seconds else EmptyStep(problem, config)
