"""Logistic regression as scikit-learn users know it, trained by any row of the catalogue.

The rows compute; this module only decides what they compute next. Three ways down the same cost J:

- "gd" and "adam" are the rows' own updates, many of them in one call where a row has `train`.
- "lbfgs" is SciPy's L-BFGS-B around the rows' `gradient`: scikit-learn's own default solver, so the path to the
  optimum is the same, and the time differs by what J and its gradient cost. A fused row reads X once for both.
- With `batch_size`, gd and adam take a step for each block of rows instead of one for all of them.

Needs scikit-learn and SciPy (extra `estimator`); resolved lazily as `stepkernels.LogisticRegression`.
"""

from __future__ import annotations

import sys
import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from stepkernels.classifier.batches import Batches, descend_in_batches, is_memory_mapped, take_step
from stepkernels.classifier.choice import AUTO, choose_row
from stepkernels.classifier.gradient_descent import descend
from stepkernels.classifier.lbfgs import solve_lbfgs
from stepkernels.classifier.solution import Goal, Report, Solution
from stepkernels.interface import Implementation, Op, Snapshot, with_gradient
from stepkernels.problem import (
    OPTIMIZERS,
    Adam,
    Array,
    Config,
    Problem,
    ProblemError,
    parse_dtype,
    safe_learning_rate,
    two_classes,
)

LBFGS = "lbfgs"


def takes_steps(classifier: LogisticRegression) -> bool:
    """Whether there is a `partial_fit`: L-BFGS needs all the rows at once."""
    if classifier.optimizer == LBFGS:
        raise AttributeError('partial_fit takes a step of "gd" or "adam"; "lbfgs" needs all the rows at once.')
    return True


class LogisticRegression(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Binary logistic regression, with scikit-learn's conventions, on any row of the catalogue.

    Minimizes J = mean loss + l2/2·‖w‖²; the intercept is not penalized.

    Parameters
    ----------
    learning_rate : float or None, default=None
        Of "gd" and "adam". None means just under 1/L for "gd", where L bounds the curvature of J on these data, so
        that J never rises on full batches; and 0.001 for "adam".
    max_iter : int, default=1000
        Most steps of "gd" and "adam", epochs where there is a `batch_size`, iterations of "lbfgs".
    optimizer : {"lbfgs", "gd", "adam"}, default="lbfgs"
        "lbfgs" needs no learning rate and is the fastest to an exact optimum.
    l2 : float, default=0.0
        Strength of the penalty. scikit-learn's C is 1/(l2·m) for m samples.
    tol : float, default=1e-4
        Done when no element of the gradient of J is larger. With 0, "gd" and "adam" take all their steps.
    batch_size : int or None, default=None
        Rows a step of "gd" or "adam" looks at; None means all. The rows are shuffled once, into a copy, whose
        blocks are visited in a new order each epoch; a row may keep small blocks in a layout of its own besides. A
        memory-mapped X is not shuffled, since that would copy it: let its rows be in no particular order.
    row : str, default="auto"
        What computes: a name from `stepbench list`. "auto" takes the fastest CPU row for the size that is available
        here: numba-fused, from 100,000 elements of X (of a batch) on numba-fused-parallel, or numpy-blas without
        Numba. A row that was named is never replaced by another.
    dtype : {None, "float32", "float64"}, default=None
        What is computed in. None means X's own: float32 stays float32, all else is float64.
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
        The one used; None for "lbfgs".
    row_ : str
        The name of the row that computed.

    """

    def __init__(
        self,
        *,
        learning_rate: float | None = None,
        max_iter: int = 1000,
        optimizer: str = LBFGS,
        l2: float = 0.0,
        tol: float = 1e-4,
        batch_size: int | None = None,
        row: str = AUTO,
        dtype: str | None = None,
        verbose: int | Report = 0,
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
    ) -> None:
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.optimizer = optimizer
        self.l2 = l2
        self.tol = tol
        self.batch_size = batch_size
        self.row = row
        self.dtype = dtype
        self.verbose = verbose
        self.random_state = random_state
        self.warm_start = warm_start

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Find the parameters. Warns with `ConvergenceWarning` when they are not within `tol`."""
        self._require_sensible_parameters()
        features, target = self._validated(X, y, reset=True)
        self.classes_ = classes_of(target)
        labels = self._labels(target)
        random = check_random_state(self.random_state)
        if self.batch_size is not None and not is_memory_mapped(features):
            order = random.permutation(len(features))
            features, labels = features[order], labels[order]
        solution = self._solve(self._problem(features, labels, warm=self.warm_start), random)
        if solution.unfinished:
            warnings.warn(f"Not converged: {solution.unfinished}.", ConvergenceWarning, stacklevel=2)
        self._state: Snapshot | None = None  # a later partial_fit starts here, with fresh moments
        self._keep(solution)
        return self

    @available_if(takes_steps)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """One step of "gd" or "adam" on these rows, from where the last call ended: for data that arrive in parts.

        The first call needs `classes`, both of them, unless these rows have both.
        """
        self._require_sensible_parameters()
        first = not hasattr(self, "classes_")
        features, target = self._validated(X, y, reset=first)
        if first:
            self.classes_ = classes_of(target if classes is None else np.asarray(classes))
        problem = self._problem(features, self._labels(target), warm=True)
        row, config = self._row_and_config(problem, problem.m)
        workspace = row.bind(problem, config)
        self._state = state = take_step(workspace, getattr(self, "_state", None) or workspace.snapshot())
        costs = np.append(getattr(self, "costs_", ()), np.float64(state.J))
        self._keep(Solution(w=state.w, b=state.b, costs=costs, unfinished=None))
        return self

    def decision_function(self, X: ArrayLike) -> NDArray[np.floating]:
        """The margins z = Xw + b, (m,): positive for `classes_[1]`."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        z: Array = X @ self.coef_[0] + self.intercept_[0]
        return z

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The likelier class of each row, (m,)."""
        z = self.decision_function(X)
        predicted: NDArray[Any] = self.classes_[(z > 0).astype(np.intp)]
        return predicted

    def predict_proba(self, X: ArrayLike) -> NDArray[np.floating]:
        """The probability of each class, (m, 2). Neither is one minus the other, so both keep their small values."""
        z = self.decision_function(X)
        return np.column_stack([expit(-z), expit(z)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _require_sensible_parameters(self) -> None:
        """Raise `ProblemError` for what `Config` and the optimizers do not check themselves."""
        if self.optimizer not in (*OPTIMIZERS, LBFGS):
            raise ProblemError(f"optimizer is {self.optimizer!r}; choose from {', '.join((*OPTIMIZERS, LBFGS))}.")
        for name, value in (("max_iter", self.max_iter), ("batch_size", self.batch_size)):
            whole = isinstance(value, (int, np.integer)) and value >= 1
            if not whole and not (name == "batch_size" and value is None):
                raise ProblemError(f"{name} is {value!r}; it must be a whole number, at least 1.")
        if not self.tol >= 0.0:
            raise ProblemError(f"tol is {self.tol!r}; it must be zero or a positive number.")
        if self.batch_size is not None and self.optimizer == LBFGS:
            raise ProblemError("lbfgs looks at all the rows at once; use gd or adam with batch_size.")

    def _validated(self, X: Any, y: Any, *, reset: bool) -> tuple[Array, NDArray[Any]]:
        """X in the dtype to compute in, and y. `Problem` looks for NaN, so it is not looked for twice.

        A memory map stays one: it is converted block by block, when it is bound.
        """
        kinds = [np.float64, np.float32] if self.dtype is None or is_memory_mapped(X) else parse_dtype(self.dtype)
        checked: tuple[Array, NDArray[Any]] = validate_data(
            self, X, y, reset=reset, dtype=kinds, ensure_all_finite=False
        )
        return checked

    def _labels(self, target: NDArray[Any]) -> NDArray[np.bool_]:
        """True for `classes_[1]`. Raises `ProblemError` for a label that is neither class."""
        labels: NDArray[np.bool_] = target == self.classes_[1]
        unknown = target[~labels & (target != self.classes_[0])]
        if len(unknown):
            known = " and ".join(map(str, self.classes_))
            raise ProblemError(f"y holds {unknown[0]!s}; the classes are {known}.")
        return labels

    def _problem(self, X: Array, labels: NDArray[np.bool_], *, warm: bool) -> Problem:
        """From the last solution where there is one and it is wanted, else from zero."""
        if warm and hasattr(self, "coef_"):
            return Problem(X, labels, self.coef_[0], float(self.intercept_[0]))
        return Problem(X, labels)

    def _config(self, problem: Problem) -> Config:
        dtype = problem.dtype if self.dtype is None else self.dtype
        if self.optimizer == LBFGS:
            return Config(dtype=dtype, l2=self.l2)
        kind, rate = OPTIMIZERS[self.optimizer], self.learning_rate
        if rate is None:
            rate = kind().learning_rate if kind is Adam else safe_learning_rate(problem, self.l2)
        return Config(dtype=dtype, optimizer=kind(learning_rate=rate), l2=self.l2)

    def _row_and_config(self, problem: Problem, rows: int) -> tuple[Implementation, Config]:
        """What computes on so many rows at a time, and how; noted in `row_` and `learning_rate_`."""
        row, config = choose_row(self.row, min(rows, problem.m) * problem.n), self._config(problem)
        if self.optimizer == LBFGS and Op.GRADIENT not in row.ops:
            raise ProblemError(f"lbfgs needs the gradient alone, and {row.name} only takes whole steps.")
        self.row_ = row.name
        self.learning_rate_ = None if self.optimizer == LBFGS else config.optimizer.learning_rate
        return row, config

    def _solve(self, problem: Problem, random: np.random.RandomState) -> Solution:
        goal = Goal(self.max_iter, self.tol, self._report())
        if self.batch_size is not None:
            row, config = self._row_and_config(problem, self.batch_size)
            batches = Batches(problem, self.batch_size, row, config)
            return descend_in_batches(batches, random, goal)
        row, config = self._row_and_config(problem, problem.m)
        workspace = row.bind(problem, config)
        if self.optimizer == LBFGS:
            return solve_lbfgs(with_gradient(workspace), goal)
        return descend(workspace, Op.TRAIN in row.ops, goal)

    def _report(self) -> Report:
        """What is told of each look at the cost: by `verbose`."""
        if callable(self.verbose):
            return self.verbose
        return print_cost if self.verbose else lambda *_: None

    def _keep(self, solution: Solution) -> None:
        self.coef_, self.intercept_ = solution.w[np.newaxis], np.atleast_1d(solution.b)
        self.costs_, self.n_iter_ = solution.costs, len(solution.costs)


def classes_of(y: NDArray[Any]) -> NDArray[Any]:
    """The two classes in y, sorted. Raises `ProblemError` when there is another number of them."""
    check_classification_targets(y)
    return two_classes(y, _not_two)


def _not_two(classes: NDArray[Any]) -> str:
    if len(classes) == 1:
        return f"y holds one class only, {classes[0]!s}; two classes are needed."
    few = ", ".join(map(str, classes[:5])) + (", …" if len(classes) > 5 else "")
    return f"Only binary classification is supported. y holds {len(classes)} classes: {few}."


def print_cost(iteration: int, cost: float) -> None:
    """As scikit-learn's estimators do when they are verbose."""
    sys.stdout.write(f"iteration {iteration}: cost {cost:.6g}\n")
