"""A row's own updates, many of them in one call where it has `train`, one by one elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from stepkernels.classifier.solution import Goal, Solution, largest, packed, require_finite, too_large
from stepkernels.interface import TrainingWorkspace, Workspace, with_training

STEPS_PER_CHECK = 50  # between two looks at the gradient: a look costs about what a step costs on a small problem


def descend(workspace: Workspace, trains: bool, goal: Goal, report_seconds: float = np.inf) -> Solution:
    """Steps of the workspace's optimizer until no element of the gradient exceeds the tolerance, or `max_iter` of them.

    The gradient is looked at whenever another `STEPS_PER_CHECK` steps have been taken, those counted that the optimizer
    took before, so that where it ends depends on no clock. A report comes as often; where so many steps take longer
    than `report_seconds`, about as often as that, or after every step. `trains`: the row takes several in one call.
    """
    before = workspace.snapshot().step
    pace = Pace(report_seconds)
    costs: list[float] = []
    norm = np.inf
    while len(costs) < goal.max_iter and norm > goal.tol:
        to_check = STEPS_PER_CHECK - (before + len(costs)) % STEPS_PER_CHECK
        checked = min(len(costs) + to_check, goal.max_iter)
        while len(costs) < checked:
            steps = min(pace.steps, checked - len(costs))
            with pace.measured(steps):
                costs += advance(with_training(workspace), steps) if trains else advance_singly(workspace, steps)
            require_finite(costs[-1], len(costs), goal)
            goal.report(len(costs), costs[-1])
        state = workspace.snapshot()
        norm = largest(packed(state.gw, state.gb))
    unfinished = too_large(norm, goal.tol, f"{goal.max_iter} steps")
    return Solution(w=state.w, b=state.b, costs=np.array(costs), unfinished=unfinished)


class Pace:
    """How many steps take so many seconds, as the last ones did: at least one, and at most `STEPS_PER_CHECK`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.steps = STEPS_PER_CHECK if seconds == np.inf else 1

    @contextmanager
    def measured(self, steps: int) -> Iterator[None]:
        """So many steps are taken within."""
        begun = time.perf_counter()
        yield
        took = time.perf_counter() - begun
        fast = took * STEPS_PER_CHECK <= steps * self.seconds
        self.steps = STEPS_PER_CHECK if fast else max(1, int(steps * self.seconds / took))


def advance(workspace: TrainingWorkspace, steps: int) -> list[float]:
    """The costs of so many steps, taken in one call."""
    workspace.train(steps)
    costs: list[float] = workspace.snapshot().costs.tolist()
    return costs


def advance_singly(workspace: Workspace, steps: int) -> list[float]:
    costs = []
    for _ in range(steps):
        workspace.step()
        costs.append(float(workspace.snapshot().J))
    return costs
