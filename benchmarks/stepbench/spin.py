"""Rows whose speed is known, for the harness to measure: they burn time, and compute nothing.

`bind(problem, config, seconds=…)` gives a step that lasts so long. `bind(problem, config, row=…, slower=…)` gives
another row's workspace whose step takes a known fraction longer than that row's own.
"""

from __future__ import annotations

import importlib
import time

from stepkernels.interface import Workspace
from stepkernels.problem import Config, Problem
from stepkernels.state import State


def burn(start: float, seconds: float) -> None:
    """Return `seconds` after `start` by the clock."""
    end = start + seconds
    while time.perf_counter() < end:
        pass


class KnownWorkspace(State):
    """A step of known duration."""

    def __init__(self, problem: Problem, config: Config, seconds: float) -> None:
        super().__init__(problem, config)
        self.seconds = seconds

    def step(self) -> None:
        burn(time.perf_counter(), self.seconds)


class SlowedWorkspace(State):
    """Another row's step, then a pause in proportion to what it took."""

    def __init__(self, problem: Problem, config: Config, inner: Workspace, slower: float) -> None:
        super().__init__(problem, config)
        self.inner, self.slower = inner, slower

    def step(self) -> None:
        start = time.perf_counter()
        self.inner.step()
        now = time.perf_counter()
        burn(now, (now - start) * self.slower)


def bind(
    problem: Problem, config: Config, seconds: float = 0.0, row: str | None = None, slower: float = 0.0
) -> KnownWorkspace | SlowedWorkspace:
    if row is None:
        return KnownWorkspace(problem, config, seconds)
    return SlowedWorkspace(problem, config, importlib.import_module(row).bind(problem, config), slower)
