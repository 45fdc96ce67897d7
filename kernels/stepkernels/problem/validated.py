"""What numbers, vectors and matrices must be to be worked with; what is none is told in a sentence with its name."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.floating]

DTYPES = ("float32", "float64")

# What np.seterr asks for is the caller's business. Here overflow and underflow are looked for, or are harmless.
undisturbed = np.errstate(all="ignore")


class ProblemError(ValueError):
    """Data or settings that no row could work on. The message says what was wrong and what to do."""


def number_of(value: object) -> float:
    """A real number as a float; NaN, which lies in no range, for whatever is none: text, None, a bool, an array."""
    plain = isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iuf"
    if isinstance(value, bool) or not (plain or isinstance(value, Real)):
        return math.nan
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:  # a Python integer may have thousands of digits
        return math.inf


def positive(name: str, value: object) -> float:
    """The value as a float. Raises `ProblemError` unless it is a positive number."""
    number = number_of(value)
    if not (math.isfinite(number) and number > 0.0):
        raise ProblemError(f"{name} is {value!r}; it must be a positive number.")
    return number


def not_negative(name: str, value: object) -> float:
    """The value as a float. Raises `ProblemError` unless it is zero or a positive number."""
    number = number_of(value)
    if not (math.isfinite(number) and number >= 0.0):
        raise ProblemError(f"{name} is {value!r}; it must be zero or a positive number.")
    return number


def fraction(name: str, value: object) -> float:
    """The value as a float. Raises `ProblemError` unless it is in [0, 1)."""
    number = number_of(value)
    if not 0.0 <= number < 1.0:
        raise ProblemError(f"{name} is {value!r}; it must be at least 0 and below 1.")
    return number


def two_classes(labels: NDArray[Any], told: Callable[[NDArray[Any]], str]) -> NDArray[Any]:
    """The two classes among the labels, sorted.

    Raises `ProblemError` when there is another number of them, with the sentence that `told` makes of those there are.
    """
    classes: NDArray[Any] = np.unique(labels)
    if len(classes) != 2:
        raise ProblemError(told(classes))
    return classes


def parse_dtype(dtype: object) -> str:
    """The name of a supported dtype. Raises `ProblemError`."""
    try:
        name = str(np.dtype(dtype).name)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        name = str(dtype)
    if name not in DTYPES:
        raise ProblemError(f"dtype {name!r} is not supported; use {' or '.join(DTYPES)}.")
    return name


def validated_features(X: ArrayLike) -> Array:
    """X (m, n), finite, in one of `DTYPES`: itself where it is so already."""
    array = as_numbers("X", X)
    if array.ndim != 2:
        raise ProblemError(f"X has {array.ndim} dimension(s); it must be a matrix of samples by features.")
    if 0 in array.shape:
        raise ProblemError(f"X is {array.shape[0]} × {array.shape[1]}; it needs at least one row and one column.")
    # The minimum and maximum carry NaN and infinity and need no temporary the size of X.
    if not (math.isfinite(array.min()) and math.isfinite(array.max())):
        raise ProblemError("X contains NaN or infinity; remove or impute those values first.")
    return array


def validated_labels(y: ArrayLike, m: int, dtype: np.dtype) -> Array:
    """Labels (m,), each 0 or 1, in `dtype`."""
    labels = validated_vector("y", y, m, dtype)
    if not bool(((labels == 0) | (labels == 1)).all()):
        wrong = labels[(labels != 0) & (labels != 1)][0]
        raise ProblemError(f"y contains {wrong:g}; every label must be 0 or 1.")
    return labels


def validated_weights(weights: ArrayLike, m: int, name: str = "weights") -> Array:
    """Weights (m,), finite and none of them negative, float64."""
    array = validated_vector(name, weights, m, np.dtype(np.float64))
    if bool((array < 0.0).any()):
        raise ProblemError(f"{name} contains {array.min():g}; a weight must be zero or a positive number.")
    return array


def validated_vector(name: str, values: ArrayLike, length: int, dtype: np.dtype) -> Array:
    """A vector of finite numbers, of the length that X asks for, in `dtype`."""
    array = as_numbers(name, values)
    if array.shape != (length,):
        raise ProblemError(f"{name} has shape {array.shape}; X asks for ({length},).")
    if not bool(np.isfinite(array).all()):
        raise ProblemError(f"{name} contains NaN or infinity; every value must be finite.")
    return rounded(name, array, dtype)


def as_numbers(name: str, values: ArrayLike) -> Array:
    """Dense real numbers in one of `DTYPES`, float64 unless they are so already."""
    if hasattr(values, "toarray"):
        raise ProblemError(f"{name} is sparse, and every row works on dense arrays; give {name}.toarray() instead.")
    try:
        array = np.asarray(values)
    except ValueError:
        raise ProblemError(f"{name} is ragged; all of its rows must have the same length.") from None
    if array.dtype.name in DTYPES and array.dtype.isnative:
        return array
    if array.dtype.kind not in "biuf":
        raise ProblemError(f"{name} holds {array.dtype} values; it must hold real numbers.")
    return rounded(name, array, np.dtype(np.float64))


@undisturbed
def rounded(name: str, array: NDArray[Any], dtype: np.dtype) -> Array:
    """The array in `dtype`, itself where it is so already. Raises `ProblemError` where a number is too large for it."""
    narrow: Array = array.astype(dtype, copy=False)
    if np.can_cast(array.dtype, dtype) or not array.size:
        return narrow
    for extreme in (array.min(), array.max()):
        if np.isfinite(extreme) and not np.isfinite(dtype.type(extreme)):
            largest = f"{np.finfo(dtype).max:.2g}"
            wider = "use float64, or " if dtype.name == "float32" and abs(extreme) < np.finfo(np.float64).max else ""
            raise ProblemError(
                f"{name} holds {extreme!s}, which is beyond {dtype.name}, whose largest number is {largest}; "
                f"{wider}bring the values to a smaller scale."
            )
    return narrow
