"""The machine's limit as a participant: reads X once, does nothing else, and takes turns like a row.

Reading with one thread or with all of them, whichever is faster at this size, is measured when it is bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from stepbench.machine.read_kernels import read_parallel, read_serial
from stepkernels.problem import Array, Config, Problem
from stepkernels.state import State

TRIALS = 5


class Workspace(State):
    """Reads X; the state it inherits stays at the start."""

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config)
        self.X = problem.X
        self.read = min((read_serial, read_parallel), key=lambda read: _best_seconds(read, self.X))
        self.reset()

    def step(self) -> None:
        self.read(self.X)

    forward = backward = gradient = step

    def train(self, steps: int) -> None:
        for _ in range(steps):
            self.read(self.X)


def bind(problem: Problem, config: Config) -> Workspace:
    return Workspace(problem, config)


def _best_seconds(read: Callable[[Array], float], X: Array) -> float:
    read(X)
    best = float("inf")
    for _ in range(TRIALS):
        start = time.perf_counter()
        read(X)
        best = min(best, time.perf_counter() - start)
    return best
