"""What every solver is given and gives: when to stop and whom to tell, and where it arrived."""

from __future__ import annotations

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
    """

    max_iter: int
    tol: float
    report: Report


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


def require_finite(cost: float, iteration: int) -> None:
    """Raise `ProblemError` for a cost that is not a number any more."""
    if not np.isfinite(cost):
        raise ProblemError(f"The cost overflowed by iteration {iteration}. Choose a smaller learning_rate.")


def packed(w: Array, b: Array) -> Array:
    """The parameters, or their gradients, as one float64 vector (n + 1,), the bias last."""
    return np.append(w, b).astype(np.float64, copy=False)


def largest(gradient: Array) -> float:
    return float(np.abs(gradient).max())
