"""Columns brought to zero mean and unit variance, as any user of gradient descent would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stepbench.cases.data_table import blocks
from stepkernels.problem import Array, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaling:
    """What is taken from each column, and what is left is divided by: (n,) each, in float64.

    constant  whether a column does not vary: its scale is 1, and it becomes zero
    """

    mean: Array
    scale: Array
    constant: NDArray[np.bool_]


def scaling_of(X: Array, columns: Sequence[str]) -> Scaling:
    """The scaling of finite X (m, n), in float64, a block of rows at a time: a memory map is never read whole.

    Raises `ProblemError` for a column whose variance overflows.
    """
    from sklearn.preprocessing import StandardScaler

    scaler, first, same = StandardScaler(), X[0], np.ones(X.shape[1], np.bool_)
    with np.errstate(all="ignore"):
        for part in blocks(X):
            scaler.partial_fit(X[part].astype(np.float64))
            same &= (X[part] == first).all(axis=0)
    if (huge := ~(same | np.isfinite(scaler.var_))).any():
        column = columns[int(huge.argmax())]
        raise ProblemError(f"The variance of the column {column!r} overflows. Divide its values by a large number.")
    first = first.astype(np.float64)
    mean = np.where(same, first, scaler.mean_)  # a computed mean is rounded: what is left of 14.62 would not be zero
    return Scaling(mean=mean, scale=np.where(same, 1.0, scaler.scale_), constant=same | (scaler.var_ == 0.0))


def standardize(X: Array, mean: Array, scale: Array) -> Array:
    """X (m, n) with a scaling applied, in float64; infinite where that overflows."""
    with np.errstate(all="ignore"):
        result: Array = (X.astype(np.float64, copy=False) - mean) / scale
    return result


def standardized(X: Array, columns: Sequence[str], dtype: DTypeLike) -> Array:
    """A copy of finite X (m, n) in dtype, scaled by its own scaling, row-major. Raises as `scaling_of`."""
    scaling, result = scaling_of(X, columns), np.empty(X.shape, dtype)
    for part in blocks(X):
        result[part] = standardize(X[part], scaling.mean, scaling.scale)
    return result
