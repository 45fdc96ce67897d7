"""The machine's limit as a participant: reads X once, does nothing else, and takes turns like a row.

In the way that is fastest at this size and dtype, which is measured when it is bound. Of an X in a narrower storage, it
reads as many bytes of float32.
"""

from __future__ import annotations

import math

import numpy as np

from stepbench.machine.read_kernels import budgets, fastest_way
from stepkernels.problem import Array, Config, Problem
from stepkernels.problem.storage import BITS
from stepkernels.state import State


class Workspace(State):
    """Reads X; the state it inherits stays at the start. `plan` tells how."""

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config)
        self.X = problem.X.reshape(-1) if config.storage is None else _as_many_bytes(problem.X.size, config.storage)
        self.plan = fastest_way(self.X, budgets())
        self.reset()

    def step(self) -> None:
        self.plan.read(self.X)

    forward = backward = gradient = step

    def train(self, steps: int) -> None:
        for _ in range(steps):
            self.plan.read(self.X)


def _as_many_bytes(elements: int, storage: str) -> Array:
    return np.ones(math.ceil(elements * np.dtype(BITS[storage]).itemsize / np.dtype(np.float32).itemsize), np.float32)


def bind(problem: Problem, config: Config) -> Workspace:
    return Workspace(problem, config)
