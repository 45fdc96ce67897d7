"""A step for each block of rows instead of one for all of them; a memory map is worked through block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stepkernels.classifier.solution import Goal, Solution, largest, packed, require_finite, too_large
from stepkernels.interface import Snapshot, Workspace
from stepkernels.problem import Problem


class Batches:
    """Contiguous blocks of the rows of X, each a problem of its own over a view of X.

    Each is bound once and kept. Those of a memory map are bound anew on every visit instead, so that a row which
    copies X to its device or layout holds one block and not the file. `bind` is what binds them.
    """

    def __init__(self, problem: Problem, rows: int, bind: Callable[[Problem], Workspace]) -> None:
        self.problem, self.bind = problem, bind
        self.starts = range(0, problem.m, rows)
        self.keeps = not is_memory_mapped(problem.X)
        self.kept: dict[int, Workspace] = {}

    def rows(self, start: int) -> slice:
        return slice(start, min(start + self.starts.step, self.problem.m))

    def block(self, part: slice) -> Problem:
        """Some of the rows. Their weights stay what they are among all: a block of heavy rows takes a long step."""
        whole = self.problem
        weights = None if whole.weights is None else whole.weights[part]
        total = whole.total_weight * (part.stop - part.start) / whole.m
        return Problem(whole.X[part], whole.y[part], whole.w0, whole.b0, weights, total)

    def workspace(self, start: int) -> Workspace:
        """The block that begins with row `start`, bound."""
        if start in self.kept:
            return self.kept[start]
        workspace = self.bind(self.block(self.rows(start)))
        if self.keeps:
            self.kept[start] = workspace
        return workspace


def descend_in_batches(batches: Batches, random: np.random.RandomState, goal: Goal) -> Solution:
    """Epochs of a step for each block, in a new order each epoch: `max_iter` of them, or fewer.

    The cost of an epoch, and the gradient that the tolerance is for, are the means over its blocks as they were met.
    """
    costs: list[float] = []
    norm = np.inf
    state = batches.workspace(0).snapshot()
    while len(costs) < goal.max_iter and norm > goal.tol:
        cost, gradient = 0.0, np.zeros(batches.problem.n + 1)
        for start in random.permutation(batches.starts):
            state = take_step(batches.workspace(start), state)
            part = batches.rows(start)
            share = (part.stop - part.start) / batches.problem.m
            cost += share * float(state.J)
            gradient += share * packed(state.gw, state.gb)
        norm = largest(gradient)
        costs.append(cost)
        require_finite(cost, len(costs), goal)
        goal.report(len(costs), cost)
    unfinished = too_large(norm, goal.tol, f"{goal.max_iter} epochs")
    return Solution(w=state.w, b=state.b, costs=np.array(costs), unfinished=unfinished)


def take_step(workspace: Workspace, state: Snapshot) -> Snapshot:
    """One step on the workspace's data from a state that another workspace, or an earlier call, left behind."""
    workspace.reset(state.w, float(state.b), (state.moment1, state.moment2), state.step)
    workspace.step()
    return workspace.snapshot()


def is_memory_mapped(X: object) -> bool:
    """Whether the elements of X, or of an array it is a view of, lie in a mapped file."""
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap):
            return True
        X = X.base
    return False
