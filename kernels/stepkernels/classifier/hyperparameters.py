"""What each parameter of the classifier may be. One that is something else is told in a sentence with its name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from stepkernels.classifier.choice import AUTO
from stepkernels.problem import OPTIMIZERS, STORAGES, ProblemError, number_of, parse_dtype

LBFGS, NEWTON = "lbfgs", "newton-cholesky"
BALANCED = "balanced"
OF_ALL_ROWS = (AUTO, NEWTON, LBFGS)  # those that need all the rows at once, and find the lengths of their steps
SOLVERS = (*OPTIMIZERS, *OF_ALL_ROWS)


def _is_not_negative(value: object) -> bool:
    return 0.0 <= number_of(value) < math.inf


def _is_positive(value: object) -> bool:
    return 0.0 < number_of(value) < math.inf


def _is_count(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) >= 1


def _is_flag(value: object) -> bool:
    return isinstance(value, (bool, np.bool_))


def _is_seed(value: Any) -> bool:
    try:
        check_random_state(value)
    except ValueError:
        return False
    return True


def _is_class_weight(value: object) -> bool:
    return value is None or isinstance(value, Mapping) or (isinstance(value, str) and value == BALANCED)


RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "learning_rate": (lambda value: value is None or _is_positive(value), "it must be a positive number, or None"),
    "max_iter": (_is_count, "it must be a whole number, at least 1"),
    "optimizer": (lambda value: isinstance(value, str) and value in SOLVERS, f"choose from {', '.join(SOLVERS)}"),
    "l2": (_is_not_negative, "it must be zero or a positive number"),
    "tol": (_is_not_negative, "it must be zero or a positive number"),
    "fit_intercept": (_is_flag, "it must be True or False"),
    "class_weight": (_is_class_weight, 'it must be None, "balanced", or a dict from class to weight'),
    "batch_size": (lambda value: value is None or _is_count(value), "it must be a whole number, at least 1, or None"),
    "row": (lambda value: isinstance(value, str), 'it must be the name of a row, or "auto"'),
    "verbose": (
        lambda value: callable(value) or isinstance(value, (int, np.integer, np.bool_)),
        "it must be True or False, a whole number, or what is to be called",
    ),
    "storage": (lambda value: value is None or value in STORAGES, f"it must be None or one of {', '.join(STORAGES)}"),
    "random_state": (_is_seed, "it must be None, a whole number that is not negative, or a numpy RandomState"),
    "warm_start": (_is_flag, "it must be True or False"),
}


def require_sensible(parameters: Mapping[str, Any]) -> None:
    """Raise `ProblemError` for a parameter that is not what it must be, and for two that do not go together."""
    for name, (holds, demand) in RULES.items():
        if not holds(parameters[name]):
            raise ProblemError(f"{name} is {parameters[name]!r}; {demand}.")
    if parameters["dtype"] is not None:
        parse_dtype(parameters["dtype"])
    if parameters["batch_size"] is not None and parameters["optimizer"] in OF_ALL_ROWS:
        raise ProblemError("A batch_size is for gd and adam; lbfgs and newton-cholesky look at all the rows at once.")
