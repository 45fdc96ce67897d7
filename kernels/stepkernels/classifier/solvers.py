"""What a classifier asks of a workspace: an optimum, by the row's own steps or by L-BFGS around its gradient.

Works through the laws of `stepkernels.interface.Workspace` alone, so every row can be driven, on any device. A step,
or a gradient with the parameters in and out, costs a small problem on the CPU 5 to 15 µs.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from scipy.optimize import OptimizeResult, minimize
from threadpoolctl import ThreadpoolController

from stepkernels.catalog import CATALOG, rows_named
from stepkernels.interface import (
    GradientWorkspace,
    Implementation,
    Snapshot,
    TrainingWorkspace,
    Workspace,
    with_training,
)
from stepkernels.problem import Array, Config, Problem, ProblemError

AUTO = "auto"

STEPS_PER_CHECK = 50  # between two looks at the gradient: a look costs about what a step costs on a small problem

# L-BFGS-B gives up on J when an iteration lowers it by less than this fraction: its last digit.
LEAST_FALL = float(np.finfo(np.float64).eps)
LINE_SEARCH_STEPS = 50

Report = Callable[[int, float], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Where an optimizer arrived, and how: J before each iteration, and why it stopped short, or None."""

    w: Array
    b: Array  # 0-d
    costs: Array
    unfinished: str | None


def choose_row(name: str, elements: int) -> Implementation:
    """The row called `name`, or the fastest available CPU row for so many elements of X when it is "auto".

    Only "auto" ever chooses: a named row that cannot run here raises `ProblemError`. "auto" stays on the CPU, since
    whether a GPU repays the copy of X depends on how many steps follow; ask for a CUDA row by its name.
    """
    if name == AUTO:
        able = (row for least, row in auto_rows() if elements >= least)
        return next(row for row in able if row.unavailable() is None)
    row = rows_named([name])[0]
    if reason := row.unavailable():
        raise ProblemError(f"{name} cannot run here: {reason}.")
    return row


def auto_rows() -> list[tuple[int, Implementation]]:
    """What "auto" takes the first available of, each with the fewest elements of X that it is taken for.

    The row of the largest such number comes first, and of equal ones the later row of the catalogue.
    """
    rows = [(row.auto_from, row) for row in reversed(CATALOG.values()) if row.auto_from is not None]
    return sorted(rows, key=lambda pair: -pair[0])


class Objective:
    """A workspace's J and gradient as SciPy asks for them: functions of n + 1 parameters, the bias last.

    costs  J at the start and after each iteration
    """

    def __init__(self, workspace: GradientWorkspace, report: Report) -> None:
        self.workspace, self.report = workspace, report
        self.state = workspace.snapshot()
        self.costs: list[float] = []

    def evaluate(self, parameters: Array) -> Array:
        """The gradient there. Afterwards `state` holds J, and the parameters as the row's dtype rounded them."""
        self.workspace.reset(parameters[:-1], parameters[-1])
        self.workspace.gradient()
        self.state = self.workspace.snapshot()
        if not self.costs:
            self.costs.append(float(self.state.J))
        return packed(self.state.gw, self.state.gb)

    def cost(self, parameters: Array) -> tuple[float, Array]:
        """J and its gradient."""
        gradient = self.evaluate(parameters)
        return float(self.state.J), gradient

    def change_since(self, origin: Array) -> Callable[[Array], tuple[float, Array]]:
        """How much J changes on the way from `origin`, by the trapezoid rule over the gradients at both ends.

        Near an optimum J is flat, and two J hide in their last digits what two gradients show in their first.
        """
        gradient_there = self.evaluate(origin)

        def change(parameters: Array) -> tuple[float, Array]:
            gradient = self.evaluate(parameters)
            way = packed(self.state.w, self.state.b) - origin
            return float(0.5 * (gradient_there + gradient) @ way), gradient

        return change

    def iteration_done(self, _: Array) -> None:
        self.costs.append(float(self.state.J))  # the line search ends on the point that it accepts
        self.report(len(self.costs) - 1, self.costs[-1])

    def minimize(self, function: Any, start: Array, max_iter: int, tol: float, least_fall: float) -> OptimizeResult:
        options = {"maxiter": max_iter, "gtol": tol, "ftol": least_fall, "maxls": LINE_SEARCH_STEPS}
        with scipys_blas().limit(limits=1):
            return minimize(function, start, method="L-BFGS-B", jac=True, callback=self.iteration_done, options=options)


@functools.cache
def scipys_blas() -> ThreadpoolController:
    """The BLAS that SciPy's wheel brings for itself; none where SciPy shares NumPy's, which some rows compute with.

    L-BFGS-B asks it for products of a few hundred numbers. Two threads make none of them faster, and where another
    process is busy they wait for each other: a fit of 569×30 then takes 10 to 260 ms instead of 2. Limiting it
    takes 7 µs a fit.
    """
    package = Path(scipy.__file__).resolve().parent
    homes = (package.with_name("scipy.libs"), package / ".dylibs")  # on Linux and Windows, on macOS
    libraries = ThreadpoolController()
    paths = [library["filepath"] for library in libraries.info()]
    return libraries.select(filepath=[path for path in paths if Path(path).parent in homes])


def solve_lbfgs(workspace: GradientWorkspace, max_iter: int, tol: float, report: Report) -> Solution:
    """L-BFGS-B from the workspace's parameters until no element of the gradient exceeds `tol`.

    It stops earlier where rounding hides the fall of J, at gradients of about √u. From there it goes on with the
    change of J told by the gradients, for as long as that at least halves them.
    """
    objective = Objective(workspace, report)
    dtype = objective.state.w.dtype
    start = packed(objective.state.w, objective.state.b)
    found = objective.minimize(objective.cost, start, max_iter, tol, LEAST_FALL)
    norm, before = largest(found.jac), np.inf
    while tol < norm <= 0.5 * before and (left := max_iter - len(objective.costs) + 1) > 0:
        origin = found.x.astype(dtype).astype(np.float64)
        found = objective.minimize(objective.change_since(origin), origin, left, tol, 0.0)
        norm, before = largest(found.jac), norm
    parameters = found.x.astype(dtype)
    return Solution(
        w=parameters[:-1],
        b=parameters[-1],
        costs=np.array(objective.costs[:-1]),
        unfinished=too_large(norm, tol, f"{len(objective.costs) - 1} iterations"),
    )


def packed(w: Array, b: Array) -> Array:
    """The parameters, or their gradients, as one float64 vector (n + 1,), the bias last."""
    return np.append(w, b).astype(np.float64, copy=False)


def largest(gradient: Array) -> float:
    return float(np.abs(gradient).max())


def descend(workspace: Workspace, trains: bool, max_iter: int, tol: float, report: Report) -> Solution:
    """`max_iter` steps of the workspace's optimizer, or fewer: until no element of the gradient exceeds `tol`.

    The gradient is looked at after every `STEPS_PER_CHECK` steps. `trains`: the row takes several in one call.
    """
    costs: list[float] = []
    norm = np.inf
    while len(costs) < max_iter and norm > tol:
        steps = min(STEPS_PER_CHECK, max_iter - len(costs))
        costs += advance(with_training(workspace), steps) if trains else advance_singly(workspace, steps)
        state = workspace.snapshot()
        norm = largest(packed(state.gw, state.gb))
        require_finite(costs[-1], len(costs))
        report(len(costs), costs[-1])
    return Solution(w=state.w, b=state.b, costs=np.array(costs), unfinished=too_large(norm, tol, f"{max_iter} steps"))


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


class Batches:
    """Contiguous blocks of the rows of X, each a problem of its own over a view of X.

    Each is bound once and kept. Those of a memory map are bound anew on every visit instead, so that a row which
    copies X to its device or layout holds one block and not the file.
    """

    def __init__(self, problem: Problem, rows: int, row: Implementation, config: Config) -> None:
        self.problem, self.row, self.config = problem, row, config
        self.starts = range(0, problem.m, rows)
        self.keeps = not is_memory_mapped(problem.X)
        self.kept: dict[int, Workspace] = {}

    def rows(self, start: int) -> slice:
        return slice(start, min(start + self.starts.step, self.problem.m))

    def workspace(self, start: int) -> Workspace:
        """The block that begins with row `start`, bound."""
        if start in self.kept:
            return self.kept[start]
        part, whole = self.rows(start), self.problem
        workspace = self.row.bind(Problem(whole.X[part], whole.y[part], whole.w0, whole.b0), self.config)
        if self.keeps:
            self.kept[start] = workspace
        return workspace


def descend_in_batches(
    batches: Batches, random: np.random.RandomState, max_iter: int, tol: float, report: Report
) -> Solution:
    """`max_iter` epochs of a step for each block, in a new order each epoch, or fewer.

    The cost of an epoch, and the gradient that ends it all at `tol`, are the means over its blocks as they were met.
    """
    costs: list[float] = []
    norm = np.inf
    state = batches.workspace(0).snapshot()
    while len(costs) < max_iter and norm > tol:
        cost, gradient = 0.0, np.zeros(batches.problem.n + 1)
        for start in random.permutation(batches.starts):
            state = take_step(batches.workspace(start), state)
            part = batches.rows(start)
            share = (part.stop - part.start) / batches.problem.m
            cost += share * float(state.J)
            gradient += share * packed(state.gw, state.gb)
        norm = largest(gradient)
        costs.append(cost)
        require_finite(cost, len(costs))
        report(len(costs), cost)
    return Solution(w=state.w, b=state.b, costs=np.array(costs), unfinished=too_large(norm, tol, f"{max_iter} epochs"))


def take_step(workspace: Workspace, state: Snapshot) -> Snapshot:
    """One step on the workspace's data from a state that another workspace, or an earlier call, left behind."""
    workspace.reset(state.w, float(state.b), (state.moment1, state.moment2), state.step)
    workspace.step()
    return workspace.snapshot()


def too_large(norm: float, tol: float, budget: str) -> str | None:
    """Why an optimizer is unfinished. With tol = 0 all the steps are wanted, and taking them is no failure."""
    return f"after {budget} the gradient is {norm:.1e}, tol is {tol:.1e}" if norm > tol > 0.0 else None


def require_finite(cost: float, iteration: int) -> None:
    if not np.isfinite(cost):
        raise ProblemError(f"The cost overflowed by iteration {iteration}. Choose a smaller learning_rate.")


def is_memory_mapped(X: object) -> bool:
    """Whether the elements of X, or of an array it is a view of, lie in a mapped file."""
    while isinstance(X, np.ndarray):
        if isinstance(X, np.memmap):
            return True
        X = X.base
    return False
