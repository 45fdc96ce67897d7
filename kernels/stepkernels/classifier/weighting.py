"""How much each row counts: what is given for rows, times what is given for classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepkernels.classifier.hyperparameters import BALANCED
from stepkernels.problem import Array, ProblemError, number_of, validated_weights


def row_weights(
    sample_weight: ArrayLike | None,
    class_weight: Mapping[Any, float] | str | None,
    labels: NDArray[np.bool_],
    classes: NDArray[Any],
) -> Array | None:
    """(m,) float64, or None where nothing is given. `labels` are True for the second of the classes.

    Raises `ProblemError`, a sentence about sample_weight or class_weight.
    """
    if sample_weight is None and class_weight is None:
        return None
    weights = np.ones(len(labels)) if sample_weight is None else _of_samples(sample_weight, len(labels))
    if class_weight is not None:
        first, second = _of_classes(class_weight, labels, classes, weights)
        weights = weights * np.where(labels, second, first)
    total = weights.sum()
    if total == 0.0:
        raise ProblemError("sample_weight and class_weight leave no row: every weight is zero.")
    if not np.isfinite(total):
        raise ProblemError(
            "sample_weight and class_weight make weights that sum to infinity; divide them by the largest."
        )
    return weights


def _of_samples(sample_weight: ArrayLike, m: int) -> Array:
    """One number stands for as many as there are rows."""
    alike = number_of(sample_weight)
    return validated_weights(sample_weight if np.isnan(alike) else np.full(m, alike), m, "sample_weight")


def _of_classes(
    class_weight: Mapping[Any, float] | str, labels: NDArray[np.bool_], classes: NDArray[Any], weights: Array
) -> tuple[float, float]:
    """What a row of the first class counts, and one of the second."""
    if isinstance(class_weight, Mapping):
        first, second = _told(class_weight, classes)
        return first, second
    assert class_weight == BALANCED
    total, second_total = float(weights.sum()), float(weights[labels].sum())
    first_total = total - second_total
    return _share(total, first_total), _share(total, second_total)


def _share(total: float, of_class: float) -> float:
    """Such a weight that both classes count alike, and together as much as without; 0 for a class that is not there."""
    return total / (2.0 * of_class) if of_class > 0.0 else 0.0


def _told(class_weight: Mapping[Any, float], classes: NDArray[Any]) -> list[float]:
    """As scikit-learn reads the dict: a class that it leaves out counts 1, but a name that is no class is a mistake.

    Unless both classes are there: then what else there is belongs to other data.
    """
    known = classes.tolist()
    absent = [name for name in known if name not in class_weight]
    strangers = [name for name in class_weight if name not in known]
    if absent and strangers:
        raise ProblemError(
            f"class_weight has a weight for {strangers[0]!r}, which is no class; the classes are "
            f"{' and '.join(map(repr, known))}."
        )
    for name, value in class_weight.items():
        if not 0.0 <= number_of(value) < np.inf:
            raise ProblemError(f"class_weight of {name!r} is {value!r}; it must be zero or a positive number.")
    return [number_of(class_weight.get(name, 1.0)) for name in known]
