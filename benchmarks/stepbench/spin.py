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
    """Another row's step, then a pause in proportion to what it took."""

    def __init__(self, problem: Problem, config: Config, inner: Workspace, slower: float) -> None:
        super().__init__(problem, config)
        self.inner, self.slower = inner, slower

    def step(self) -> None:
        start = time.perf_counter()
        self.inner.step()
        now = time.perf_counter()
        burn_until(now + (now - start) * self.slower)


def bind(problem: Problem, config: Config, seconds: float = 0.0, row: str | None = None, slower: float = 0.0) -> State:
    if row is None:
        return KnownWorkspace(problem, config, seconds) if seconds else EmptyWorkspace(problem, config)
    return SlowedWorkspace(problem, config, importlib.import_module(row).bind(problem, config), slower)
