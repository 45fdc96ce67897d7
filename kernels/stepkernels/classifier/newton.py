"""Newton's method around a row's gradient, for small problems: what scikit-learn calls newton-cholesky.

An iteration costs a gradient, and n times its products for the curvature of J. It takes five to ten of them, however
unlike the columns are, where L-BFGS takes fifty, each at SciPy's own price. So it is the sooner one where X is so small
that a product with it costs less than that price.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg.blas import dgemm, sgemm
from scipy.linalg.lapack import dposv

from stepkernels.classifier.lbfgs import LINE_SEARCH_STEPS, SCIPYS_BLAS, Objective, go_on
from stepkernels.classifier.solution import Goal, Solution, largest, packed
from stepkernels.interface import GradientWorkspace
from stepkernels.problem import Array, Problem

BLOCK_ELEMENTS = 2**15  # of X, whose weighted copy stays in a cache
SMALL_ELEMENTS, SMALL_FEATURES = 2**15, 64  # up to which it was the sooner one, also where L-BFGS took few iterations
ENOUGH = 1e-4  # of the fall that the slope promises (Nocedal and Wright, Numerical Optimization, 3.1)
HIDDEN = 16.0  # times the rounding of J, within which a rise says nothing


def is_small(m: int, n: int) -> bool:
    """Whether Newton's method is expected to be the sooner one."""
    return m * n <= SMALL_ELEMENTS and n <= SMALL_FEATURES


class Curvature:
    """The second derivatives of J = Σ s_i·loss_i / Σ s + (l2/2)·‖w‖², from X block by block, in X's own dtype.

    Newton's method forgives them their rounding: they decide how soon it arrives, and the gradient where.
    """

    def __init__(self, problem: Problem, l2: float, intercept: bool) -> None:
        self.problem, self.l2, self.intercept = problem, l2, intercept
        self.multiply = dgemm if problem.X.dtype == np.float64 else sgemm

    def at(self, w: Array, b: Array) -> Array:
        """Of w (n,) and b, or of w alone: (n + 1, n + 1) or (n, n), symmetric."""
        m, n = self.problem.m, self.problem.n
        k = n + self.intercept
        found: Array = np.zeros((k, k), self.problem.X.dtype, order="F")
        rows = max(1, BLOCK_ELEMENTS // n)
        for start in range(0, m, rows):
            weighted = self._weighted(slice(start, min(start + rows, m)), w, b)
            found = self.multiply(1.0, weighted.T, weighted.T, trans_b=True, beta=1.0, c=found, overwrite_c=True)
        found[np.arange(n), np.arange(n)] += self.l2
        return found

    def _weighted(self, part: slice, w: Array, b: Array) -> Array:
        """√d_i·(x_i, 1) for the rows of a part, (rows, n + 1) or (rows, n), with d_i = s_i·σ(z_i)·σ(−z_i) / Σ s.

        σ(z)·σ(−z) is 1 / (2·cosh(z/2))².
        """
        problem, X = self.problem, self.problem.X[part]
        z = X @ w.astype(X.dtype) + X.dtype.type(b)
        shares = 1.0 if problem.weights is None else problem.weights[part]
        roots = (np.sqrt(shares / problem.total_weight) / (2.0 * np.cosh(0.5 * z))).astype(X.dtype)
        weighted = np.empty((len(X), problem.n + self.intercept), X.dtype)
        np.multiply(X, roots[:, np.newaxis], out=weighted[:, : problem.n])
        if self.intercept:
            weighted[:, -1] = roots
        return weighted

    def step(self, w: Array, b: Array, gradient: Array) -> Array | None:
        """−H⁻¹·gradient, (n + 1,), or None where J is not curved in every direction, as far as rounding shows."""
        k = self.problem.n + self.intercept
        _, solved, info = dposv(self.at(w, b).astype(np.float64), -gradient[:k], overwrite_a=True)
        if info != 0 or not np.isfinite(solved).all():
            return None
        step: Array = solved if self.intercept else np.append(solved, 0.0)
        return step


def solve_newton(workspace: GradientWorkspace, goal: Goal, curvature: Curvature) -> Solution:
    """Newton's method from the workspace's parameters until no element of the gradient exceeds the tolerance.

    Where there is no such step, or none that lowers J, L-BFGS goes on from there: along columns that say the same J is
    flat, and on separable data its optimum is infinitely far away.
    """
    objective = Objective(workspace, goal)
    point = packed(objective.state.w, objective.state.b)
    gradient = objective.evaluate(point)
    with SCIPYS_BLAS.one_thread():
        while largest(gradient) > goal.tol and objective.iterations < goal.max_iter:
            here = objective.state
            step = curvature.step(here.w, here.b, gradient)
            found = None if step is None else shortened(objective, point, gradient, step)
            if found is None:
                break
            point, gradient = found
            objective.iteration_done(point)
    return go_on(objective, point, largest(gradient))


def shortened(objective: Objective, point: Array, gradient: Array, step: Array) -> tuple[Array, Array] | None:
    """The point that the step leads to, and its gradient: of the whole step, or the half, or the quarter, …

    None where none of them lowers J. Near the optimum rounding hides the fall of J, and the gradient shows it.
    """
    before, slope, norm = float(objective.state.J), float(gradient @ step), largest(gradient)
    hidden = HIDDEN * float(np.finfo(objective.state.J.dtype).eps) * abs(before)
    length = 1.0
    for _ in range(LINE_SEARCH_STEPS if slope < 0.0 else 0):
        there = objective.evaluate(point + length * step)
        after = float(objective.state.J)
        enough = after <= before + ENOUGH * length * slope
        if enough or (after <= before + hidden and largest(there) <= 0.5 * norm):
            return packed(objective.state.w, objective.state.b), there
        length *= 0.5
    return None
