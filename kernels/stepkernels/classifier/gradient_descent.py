"""A row's own updates, many of them in one call where it has `train`, one by one elsewhere."""

from __future__ import annotations

import numpy as np

from stepkernels.classifier.solution import Goal, Solution, largest, packed, require_finite, too_large
from stepkernels.interface import TrainingWorkspace, Workspace, with_training

STEPS_PER_CHECK = 50  # between two looks at the gradient: a look costs about what a step costs on a small problem


def descend(workspace: Workspace, trains: bool, goal: Goal) -> Solution:
    """Steps of the workspace's optimizer until no element of the gradient exceeds the tolerance, or `max_iter` of them.

    The gradient is looked at after every `STEPS_PER_CHECK` steps. `trains`: the row takes several in one call.
    """
    costs: list[float] = []
    norm = np.inf
    while len(costs) < goal.max_iter and norm > goal.tol:
        steps = min(STEPS_PER_CHECK, goal.max_iter - len(costs))
        costs += advance(with_training(workspace), steps) if trains else advance_singly(workspace, steps)
        state = workspace.snapshot()
        norm = largest(packed(state.gw, state.gb))
        require_finite(costs[-1], len(costs), goal)
        goal.report(len(costs), costs[-1])
    unfinished = too_large(norm, goal.tol, f"{goal.max_iter} steps")
    return Solution(w=state.w, b=state.b, costs=np.array(costs), unfinished=unfinished)


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
