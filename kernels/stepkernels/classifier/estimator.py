"""Logistic regression as scikit-learn users know it, trained by any row of the catalogue.

The rows compute; this module only decides what they compute next. Ways down the same cost J:

- "gd" and "adam" are the rows' own updates, many of them in one call where a row has `train`.
- "lbfgs" is SciPy's L-BFGS-B around the rows' `gradient`: scikit-learn's own default solver, so the path to the
  optimum is the same, and the time differs by what J and its gradient cost. A fused row reads X once for both.
  "newton-cholesky" takes far fewer gradients, and the second derivatives with each: for small problems.
- With `batch_size`, gd and adam take a step for each block of rows instead of one for all of them.

Needs scikit-learn and SciPy (extra `estimator`); resolved lazily as `stepkernels.LogisticRegression`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from stepkernels.classifier.batches import Batches, descend_in_batches, is_memory_mapped, take_step
from stepkernels.classifier.choice import AUTO, choose_row
from stepkernels.classifier.gradient_descent import descend
from stepkernels.classifier.hyperparameters import BALANCED, LBFGS, NEWTON, OF_ALL_ROWS, require_sensible
from stepkernels.classifier.labels import classes_of, classes_of_parts, labels_of
from stepkernels.classifier.lbfgs import solve_lbfgs
from stepkernels.classifier.linear import LinearClassifier
from stepkernels.classifier.newton import Curvature, is_small, solve_newton
from stepkernels.classifier.solution import Goal, Report, Solution, remedy_of, reporter
from stepkernels.classifier.weighting import row_weights
from stepkernels.classifier.wide_numbers import require_within_float64
from stepkernels.classifier.without_intercept import WithoutIntercept
from stepkernels.interface import Implementation, Op, Snapshot, Workspace, with_gradient
from stepkernels.problem import (
    OPTIMIZERS,
    Adam,
    Array,
    Config,
    Problem,
    ProblemError,
    parse_dtype,
    rounded,
    safe_learning_rate,
    undisturbed,
)

__all__ = ["LBFGS", "LogisticRegression"]


def takes_steps(classifier: LogisticRegression) -> bool:
    """Whether there is a `partial_fit`: the others need all the rows at once."""
    if classifier.optimizer in OF_ALL_ROWS:
        raise AttributeError('partial_fit takes a step of "gd" or "adam"; other optimizers need all the rows at once.')
    return True


class LogisticRegression(LinearClassifier):
    """Binary logistic regression, with scikit-learn's conventions, on any row of the catalogue.

    Minimizes J = mean loss + l2/2·‖w‖²; the intercept is not penalized.

    Parameters
    ----------
    learning_rate : float or None, default=None
        Of "gd" and "adam". None means just under 1/L for "gd", where L bounds the curvature of J on these data, so
        that J never rises on full batches; and 0.001 for "adam".
    max_iter : int, default=1000
        Most steps of "gd" and "adam", epochs where there is a `batch_size`, iterations of the others.
    optimizer : {"auto", "newton-cholesky", "lbfgs", "gd", "adam"}, default="auto"
        "auto" takes the soonest at an exact optimum: "newton-cholesky" for a small X, of up to 64 columns and
        32,768 elements, and "lbfgs" for all others. They need no learning rate.
    l2 : float, default=0.0
        Strength of the penalty. scikit-learn's C is 1/(l2·m) for m samples, or 1/(l2·Σ weights).
    fit_intercept : bool, default=True
        Without, the intercept is 0, and w alone is learned.
    class_weight : dict, "balanced" or None, default=None
        How much the rows of each class count. "balanced": both classes alike, whatever their numbers; fit alone.
    tol : float, default=1e-4
        Done when no element of the gradient of J is larger. With 0, "gd" and "adam" take all their steps.
    batch_size : int or None, default=None
        Rows a step of "gd" or "adam" looks at; None means all. The rows are shuffled once, into a copy, whose
        blocks are visited in a new order each epoch; a row may keep small blocks in a layout of its own besides. A
        memory-mapped X is not shuffled, since that would copy it: let its rows be in no particular order.
    row : str, default="auto"
        What computes: a name from `stepbench list`. "auto" takes the fastest CPU row for the size that is available
        here: numba-fused, from 100,000 elements of X (of a batch) on numba-fused-parallel, or numpy-blas without
        Numba; on one thread in a process that was forked after a parallel fit. A row that was named is never replaced.
    dtype : {None, "float32", "float64"}, default=None
        What is computed in. None means X's own: float32 stays float32, all else is float64.
    storage : {None, "float16", "bfloat16", "int8"}, default=None
        What X is rounded to and kept in, to be computed with in float32: less has to be read. None keeps its numbers.
    verbose : int or callable, default=0
        Truthy: prints the cost now and then. A callable is given (iterations done, cost) instead.
    random_state : int, RandomState or None, default=None
        Shuffles the rows and orders the batches.
    warm_start : bool, default=False
        Start from the last solution instead of zero.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features)
    intercept_ : ndarray of shape (1,)
    classes_ : ndarray of shape (2,)
    costs_ : ndarray of shape (n_iter_,)
        J of the parameters before each step or iteration; with `batch_size`, the mean over each epoch.
    n_iter_ : int
        Steps, epochs or iterations taken.
    learning_rate_ : float or None
        The one used; None where the optimizer needs none.
    optimizer_ : str
        The one that "auto" took, or the one asked for.
    row_ : str
        The name of the row that computed.

    """

    def __init__(
        self,
        *,
        learning_rate: float | None = None,
        max_iter: int = 1000,
        optimizer: str = AUTO,
        l2: float = 0.0,
        tol: float = 1e-4,
        fit_intercept: bool = True,
        class_weight: Mapping[Any, float] | str | None = None,
        batch_size: int | None = None,
        row: str = AUTO,
        dtype: str | None = None,
        storage: str | None = None,
        verbose: int | Report = 0,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.optimizer = optimizer
        self.l2 = l2
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.class_weight = class_weight
        self.batch_size = batch_size
        self.row = row
        self.dtype = dtype
        self.storage = storage
        self.verbose = verbose
        self.random_state = random_state
        self.warm_start = warm_start

    @undisturbed
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Find the parameters. Warns with `ConvergenceWarning` when they are not within `tol`.

        sample_weight (m,): how much each row counts; 2 is the row twice, 0 the row left out.
        """
        require_sensible(self.get_params(deep=False))
        features, target = self._validated(X, y, reset=True)
        self.classes_ = classes_of(target)
        labels = labels_of(target, self.classes_)
        weights = row_weights(sample_weight, self.class_weight, labels, self.classes_)
        random = check_random_state(self.random_state)
        if self.batch_size is not None and not is_memory_mapped(features):
            order = random.permutation(len(features))
            features, labels = features[order], labels[order]
            weights = None if weights is None else weights[order]
        solution = self._solve(self._problem(features, labels, weights, warm=self.warm_start), random)
        if solution.unfinished:
            warnings.warn(f"Not converged: {solution.unfinished}.", ConvergenceWarning, stacklevel=3)
        self._state: Snapshot | None = None  # a later partial_fit starts here, with fresh moments
        self._keep(solution)
        return self

    @available_if(takes_steps)  # type: ignore[untyped-decorator]
    @undisturbed
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """One step of "gd" or "adam" on these rows, from where the last call ended: for data that arrive in parts.

        The first call needs `classes`, both of them, unless these rows have both; a later one may repeat them. The
        step follows the weighted mean over these rows: weights that are all alike change nothing.
        """
        require_sensible(self.get_params(deep=False))
        if self.class_weight == BALANCED:
            raise ProblemError(
                'class_weight "balanced" needs all the rows at once; give partial_fit a dict of weights.'
            )
        first = not hasattr(self, "classes_")
        features, target = self._validated(X, y, reset=first)
        self.classes_ = classes_of_parts(target, classes, None if first else self.classes_)
        labels = labels_of(target, self.classes_)
        weights = row_weights(sample_weight, self.class_weight, labels, self.classes_)
        problem = self._problem(features, labels, weights, warm=True)
        row, config = self._row_and_config(problem, problem.m)
        workspace = self._bind(row, problem.stored(config.storage), config)
        self._state = state = take_step(workspace, getattr(self, "_state", None) or workspace.snapshot())
        costs = np.append(getattr(self, "costs_", ()), np.float64(state.J))
        self._keep(Solution(w=state.w, b=state.b, costs=costs, unfinished=None))
        return self

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, NDArray[Any]]:
        """X in the dtype to compute in, and y. `Problem` looks for NaN, so it is not looked for twice.

        A memory map stays one: it is converted block by block, when it is bound.
        """
        require_within_float64(X)
        features, target = validate_data(
            self, X, y, reset=reset, dtype=[np.float64, np.float32], ensure_all_finite=False
        )  # fmt: skip
        if self.dtype is not None and not is_memory_mapped(X):
            features = rounded("X", features, np.dtype(parse_dtype(self.dtype)))
        return features, target

    def _problem(self, X: Array, labels: NDArray[np.bool_], weights: Array | None, *, warm: bool) -> Problem:
        """From the last solution where there is one and it is wanted, else from zero."""
        w0, b0 = (self.coef_[0], float(self.intercept_[0])) if warm and hasattr(self, "coef_") else (None, 0.0)
        return Problem(X, labels.astype(X.dtype), w0, b0, weights)  # of what is no float it makes float64 first

    def _config(self, problem: Problem) -> Config:
        dtype = self.dtype or ("float32" if self.storage else problem.dtype)
        if self.optimizer in OF_ALL_ROWS:
            return Config(dtype=dtype, l2=self.l2, storage=self.storage)
        kind, rate = OPTIMIZERS[self.optimizer], self.learning_rate
        if rate is None:
            rate = (
                kind().learning_rate
                if kind is Adam
                else safe_learning_rate(problem, self.l2, intercept=self.fit_intercept)
            )
        return Config(dtype=dtype, optimizer=kind(learning_rate=rate), l2=self.l2, storage=self.storage)

    def _row_and_config(self, problem: Problem, rows: int) -> tuple[Implementation, Config]:
        """What computes on so many rows at a time, and how; noted in `row_` and `learning_rate_`."""
        row = choose_row(self.row, min(rows, problem.m) * problem.n, self.storage)
        config = self._config(problem)
        searches = self.optimizer in OF_ALL_ROWS
        self.row_, self.optimizer_ = row.name, self.optimizer
        if self.optimizer == AUTO:
            self.optimizer_ = NEWTON if is_small(problem.m, problem.n) else LBFGS
        if searches and Op.GRADIENT not in row.ops:
            raise ProblemError(f"{self.optimizer_} needs the gradient alone, and {row.name} only takes whole steps.")
        self.learning_rate_ = None if searches else config.optimizer.learning_rate
        return row, config

    def _bind(self, row: Implementation, problem: Problem, config: Config) -> Workspace:
        workspace = row.bind(problem, config)
        return workspace if self.fit_intercept else WithoutIntercept(workspace)

    def _solve(self, problem: Problem, random: np.random.RandomState) -> Solution:
        goal = Goal(self.max_iter, float(self.tol), reporter(self.verbose), remedy_of(self.learning_rate))
        if self.batch_size is not None:
            rows = min(self.batch_size, problem.m)
            row, config = self._row_and_config(problem, rows)
            batches = Batches(problem, rows, lambda block: self._bind(row, block.stored(config.storage), config))
            return descend_in_batches(batches, random, goal)
        row, config = self._row_and_config(problem, problem.m)
        problem = problem.stored(config.storage)
        workspace = self._bind(row, problem, config)
        if self.optimizer_ == NEWTON:
            return solve_newton(with_gradient(workspace), goal, Curvature(problem, self.l2, self.fit_intercept))
        if self.optimizer_ == LBFGS:
            return solve_lbfgs(with_gradient(workspace), goal)
        return descend(workspace, Op.TRAIN in row.ops and self.fit_intercept, goal)

    def _keep(self, solution: Solution) -> None:
        self.coef_, self.intercept_ = solution.w[np.newaxis], np.atleast_1d(solution.b)
        self.costs_, self.n_iter_ = solution.costs, len(solution.costs)
