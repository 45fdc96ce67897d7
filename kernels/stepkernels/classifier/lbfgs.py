"""L-BFGS around a row's gradient: SciPy's L-BFGS-B, scikit-learn's own default solver.

The path to the optimum is the same, and the time differs by what J and its gradient cost: a fused row reads X once for
both. A gradient with the parameters in and out costs a small problem on the CPU 5 to 15 µs.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

from stepkernels.classifier.solution import Goal, Solution, largest, packed, too_large
from stepkernels.interface import GradientWorkspace
from stepkernels.problem import Array

# L-BFGS-B gives up on J when an iteration lowers it by less than this fraction: its last digit.
LEAST_FALL = float(np.finfo(np.float64).eps)
LINE_SEARCH_STEPS = 50


def solve_lbfgs(workspace: GradientWorkspace, goal: Goal) -> Solution:
    """L-BFGS-B from the workspace's parameters until no element of the gradient exceeds the tolerance."""
    objective = Objective(workspace, goal)
    return go_on(objective, packed(objective.state.w, objective.state.b))


def go_on(objective: Objective, point: Array, norm: float = np.inf) -> Solution:
    """L-BFGS-B from a point (n + 1,) whose gradient is so large, in the iterations that are left.

    It stops earlier where rounding hides the fall of J, at gradients of about √u. From there it goes on with the
    change of J told by the gradients, for as long as that at least halves them.
    """
    goal, dtype = objective.goal, objective.state.w.dtype
    if goal.tol < norm and objective.iterations < goal.max_iter:
        point, norm = objective.minimize(objective.cost, point, LEAST_FALL)
    before = np.inf
    while goal.tol < norm <= 0.5 * before and objective.iterations < goal.max_iter:
        before = norm
        point, norm = objective.minimize(objective.change_since(point), point, 0.0)
    parameters = point.astype(dtype)
    return Solution(
        w=parameters[:-1],
        b=parameters[-1],
        costs=np.array(objective.costs[:-1]),
        unfinished=too_large(norm, goal.tol, f"{objective.iterations} iterations"),
    )


class Objective:
    """A workspace's J and gradient as SciPy asks for them: functions of n + 1 parameters, the bias last.

    costs  J at the start and after each iteration
    """

    def __init__(self, workspace: GradientWorkspace, goal: Goal) -> None:
        self.workspace, self.goal = workspace, goal
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
        self.goal.report(self.iterations, self.costs[-1])

    @property
    def iterations(self) -> int:
        """Those done: the first of the costs is J at the start."""
        return max(len(self.costs) - 1, 0)

    def minimize(self, function: Any, start: Array, least_fall: float) -> tuple[Array, float]:
        """Where SciPy ends with a function that returns a value and a gradient, in the iterations that are left.

        The point as the row's dtype holds it, and the largest element of its gradient.
        """
        left = self.goal.max_iter - self.iterations
        options = {"maxiter": left, "gtol": self.goal.tol, "ftol": least_fall, "maxls": LINE_SEARCH_STEPS}
        with SCIPYS_BLAS.one_thread():
            found = minimize(
                function, start, method="L-BFGS-B", jac=True, callback=self.iteration_done, options=options
            )
        return found.x.astype(self.state.w.dtype).astype(np.float64), largest(found.jac)


class Limit:
    """The number of threads of SciPy's BLAS, which is the whole process's: fits side by side limit it together.

    The first sets it to one, and the last sets it back. If each did so for itself, one would take another's limit for
    what there was before, and leave it behind.
    """

    def __init__(self) -> None:
        self.lock, self.users = threading.Lock(), 0
        self.limiter: Any = None

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        with (lock := self.lock):
            if self.users == 0:
                self.limiter = scipys_blas().limit(limits=1)
            self.users += 1
        try:
            yield
        finally:
            with lock:
                self.users -= lock is self.lock  # else this process was forked meanwhile, and counts anew
                if self.users == 0:
                    self.limiter.restore_original_limits()

    def forked(self) -> None:
        """Whoever held the lock, or had the limit, in the process that this one was forked from, is not here."""
        self.lock, self.users = threading.Lock(), 0


SCIPYS_BLAS = Limit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SCIPYS_BLAS.forked)


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
