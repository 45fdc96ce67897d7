"""What every solver is given and gives: when to stop and whom to tell, and where it arrived."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from stepkernels.problem import Array, ProblemError

Report = Callable[[int, float], object]


class Goal(NamedTuple):
    """What ends a search, and who is told of its costs.

    max_iter  most steps, epochs or iterations
    tol       done when no element of the gradient of J is larger
    report    called with the iterations done and J, now and then
    remedy    what to do where J overflows
    """

    max_iter: int
    tol: float
    report: Report
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Where an optimizer arrived, and how: J before each iteration, and why it stopped short, or None."""

    w: Array
    b: Array  # 0-d
    costs: Array
    unfinished: str | None


def too_large(norm: float, tol: float, spent: str) -> str | None:
    """Why an optimizer is unfinished. With tol = 0 all the steps are wanted, and taking them is no failure."""
    return f"after {spent} the gradient is {norm:.1e}, tol is {tol:.1e}" if norm > tol > 0.0 else None


def remedy_of(learning_rate: float | None) -> str:
    """What to do where J overflows: nobody is told of a learning rate that was not given."""
    if learning_rate is None:
        return "Bring the features to a common scale (StandardScaler does)."
    return "Choose a smaller learning_rate."


def reporter(verbose: int | Report) -> Report:
    """What is told of each look at the cost."""
    if callable(verbose):
        return verbose
    return print_cost if verbose else lambda *_: None


def print_cost(iteration: int, cost: float) -> None:
    """As scikit-learn's estimators do when they are verbose."""
    sys.stdout.write(f"iteration {iteration}: cost {cost:.6g}\n")


def require_finite(cost: float, iteration: int, goal: Goal) -> None:
    """Raise `ProblemError` for a cost that is not a number any more."""
    if not np.isfinite(cost):
        raise ProblemError(f"The cost overflowed by iteration {iteration}. {goal.remedy}")


def packed(w: Array, b: Array) -> Array:
    """The parameters, or their gradients, as one float64 vector (n + 1,), the bias last."""
    return np.append(w, b).astype(np.float64, copy=False)


def largest(gradient: Array) -> float:
    return float(np.abs(gradient).max())
