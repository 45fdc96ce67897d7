"""The two classes: of the rows of a fit, or told to a partial fit whose rows need not have both."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets

from stepkernels.problem import ProblemError, two_classes


def classes_of(y: NDArray[Any], remedy: str = "two classes are needed") -> NDArray[Any]:
    """The two classes in y, sorted. Raises `ProblemError` when there is another number of them, with the remedy."""
    found = _distinct(y)
    check_classification_targets(found if len(found) == 2 else y)  # of all of y it takes copies
    return _two("y", found, remedy)


def classes_of_parts(y: NDArray[Any], told: ArrayLike | None, before: NDArray[Any] | None) -> NDArray[Any]:
    """The classes of a partial fit: those that are told, those of the calls before, or else those in y.

    Raises `ProblemError` where what is told are not two classes, or not those of the calls before.
    """
    if told is None:
        return classes_of(y, "name both by `classes` in the first call") if before is None else before
    classes = _told(told)
    if before is not None and classes.tolist() != before.tolist():
        raise ProblemError(
            f"classes holds {classes.tolist()}, which is not the same as on last call to partial_fit: "
            f"{before.tolist()}."
        )
    return classes if before is None else before


def labels_of(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.bool_]:
    """True for the second class. Raises `ProblemError` for a label that is neither."""
    labels: NDArray[np.bool_] = y == classes[1]
    unknown = y[~labels & (y != classes[0])]
    if len(unknown):
        known = " and ".join(map(repr, classes.tolist()))
        raise ProblemError(f"y holds {unknown.tolist()[0]!r}; the classes are {known}.")
    return labels


def _told(told: ArrayLike) -> NDArray[Any]:
    try:
        classes = np.asarray(told)
        check_classification_targets(classes)
    except ValueError:
        raise ProblemError(f"classes is {told!r}; it must be a list of two labels: text or whole numbers.") from None
    if classes.ndim != 1:
        raise ProblemError(f"classes is {told!r}; it must be a list of two labels, of one dimension.")
    return _two("classes", classes, "two classes are needed")


def _distinct(y: NDArray[Any]) -> NDArray[Any]:
    """The labels in y, each once; all of y where they have no order."""
    try:
        return np.unique(y)
    except TypeError:
        return y


def _two(name: str, labels: NDArray[Any], remedy: str) -> NDArray[Any]:
    def wrong_number(classes: NDArray[Any]) -> str:
        if len(classes) == 1:
            return f"{name} holds one class only, {classes[0]!s}; {remedy}."
        few = ", ".join(map(str, classes[:5])) + (", …" if len(classes) > 5 else "")
        return f"Only binary classification is supported. {name} holds {len(classes)} classes: {few}."

    try:
        return two_classes(labels, wrong_number)
    except TypeError:
        raise ProblemError(
            f"{name} holds labels of different types, which have no order; make them all text."
        ) from None
