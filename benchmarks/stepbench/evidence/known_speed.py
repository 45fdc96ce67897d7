"""Rows whose speed is known, for the harness to measure: they burn time, and compute nothing.

`bind(problem, config, seconds=…)` gives a step that lasts so long, or does nothing for zero. `bind(problem, config,
row=…, slower=…)` gives another row's workspace whose step takes a known fraction longer than that row's own.
"""

from __future__ import annotations

import importlib
import time

from stepkernels.interface import Workspace
from stepkernels.problem import Config, Problem
from stepkernels.state import State

SHORTEST_PAUSE = 1e-6


def burn_until(end: float) -> None:
    """Return at `end`, by the clock."""
    while time.perf_counter() < end:
        pass


class KnownWorkspace(State):
    """A metronome: a step ends so long after the one before it, be it late to begin or not.

    So k steps on end last k times as long: what a machine that stands still for a moment takes is made up for, and
    what the call takes is hidden. An `EmptyWorkspace` shows it.
    """

    def __init__(self, problem: Problem, config: Config, seconds: float) -> None:
        super().__init__(problem, config)
        self.seconds, self.end = seconds, 0.0

    def synchronize(self) -> None:
        """A round begins or ends here: the next step has none before it."""
        self.end = 0.0

    def step(self) -> None:
        now, end = time.perf_counter(), self.end + self.seconds
        self.end = end if end > now else now + self.seconds
        burn_until(self.end)


class EmptyWorkspace(State):
    """A step that does nothing: what is timed is the call."""

    def step(self) -> None:
        pass


class SlowedWorkspace(State):
    """Another row's step, and pauses in proportion to the time that went by between them.

    A clock cannot pause for 5 % of a few microseconds: what is owed is saved up, and what a pause was too long is
    taken off what is owed next.
    """

    def __init__(self, problem: Problem, config: Config, inner: Workspace, slower: float) -> None:
        super().__init__(problem, config)
        self.inner, self.slower = inner, slower
        self.before, self.owed = 0.0, 0.0

    def synchronize(self) -> None:
        """A round begins or ends here: what goes by between rounds is no step's."""
        self.before = 0.0

    def step(self) -> None:
        self.inner.step()
        now = time.perf_counter()
        self.owed += (now - (self.before or now)) * self.slower
        if self.owed > SHORTEST_PAUSE:
            end = now + self.owed
            burn_until(end)
            now = time.perf_counter()
            self.owed = end - now
        self.before = now


def bind(problem: Problem, config: Config, seconds: float = 0.0, row: str | None = None, slower: float = 0.0) -> State:
    if row is None:
        return KnownWorkspace(problem, config, seconds) if seconds else EmptyWorkspace(problem, config)
    return SlowedWorkspace(problem, config, importlib.import_module(row).bind(problem, config), slower)
