"""Columns brought to zero mean and unit variance, as any user of gradient descent would do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from stepbench.cases.data_table import blocks, cached_rows
from stepkernels.problem import Array, ProblemError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scaling:
    """What is taken from each column, and what is left is divided by: (n,) each, in float64.

    constant  whether a column does not vary: its scale is 1, and it becomes zero
    """

    mean: Array
    scale: Array
    constant: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Moments:
    """The mean and variance of each column (n,) over some rows, the first of them, and whether all are like it."""

    rows: int
    mean: Array
    variance: Array
    first: Array
    alike: NDArray[np.bool_]


def moments_of(X: Array) -> Moments:
    """Those of finite X (m, n) with at least one row, in float64, a block of rows at a time."""
    from sklearn.preprocessing import StandardScaler

    scaler, first, alike = StandardScaler(), X[0], np.ones(X.shape[1], np.bool_)
    with np.errstate(all="ignore"):
        for part in blocks(X, cached_rows(X.shape[1])):
            scaler.partial_fit(X[part].astype(np.float64))
            alike &= (X[part] == first).all(axis=0)
    return Moments(
        rows=len(X), mean=scaler.mean_, variance=scaler.var_, first=first.astype(np.float64), alike=alike
    )  # fmt: skip


def joined(parts: Sequence[Moments]) -> Moments:
    """Those of all the parts' rows together, in this order (Chan, Golub & LeVeque, 1983)."""
    rows, mean, variance = parts[0].rows, parts[0].mean, parts[0].variance
    alike = parts[0].alike.copy()
    with np.errstate(all="ignore"):
        for part in parts[1:]:
            share = part.rows / (rows + part.rows)
            change = part.mean - mean
            variance = (1 - share) * variance + share * part.variance + share * (1 - share) * np.square(change)
            mean = mean + share * change
            rows += part.rows
            alike &= part.alike & (part.first == parts[0].first)
    return Moments(rows=rows, mean=mean, variance=variance, first=parts[0].first, alike=alike)


def scaling_by(moments: Moments, columns: Sequence[str]) -> Scaling:
    """The scaling of the columns whose moments these are. Raises `ProblemError` for a variance that overflows."""
    same, variance = moments.alike, moments.variance
    if (huge := ~(same | np.isfinite(variance))).any():
        column = columns[int(huge.argmax())]
        raise ProblemError(f"The variance of the column {column!r} overflows. Divide its values by a large number.")
    u = np.finfo(np.float64).eps
    with np.errstate(all="ignore"):  # what rounding alone can make of a column that does not vary, as scikit-learn says
        still = same | (variance <= moments.rows * u * variance + np.square(moments.rows * moments.mean * u))
    mean = np.where(same, moments.first, moments.mean)  # a computed mean is rounded: of 14.62 there would be left some
    return Scaling(mean=mean, scale=np.where(still, 1.0, np.sqrt(variance)), constant=same | (variance == 0.0))


def scaling_of(X: Array, columns: Sequence[str]) -> Scaling:
    """The scaling of finite X (m, n), in float64, a block of rows at a time: a memory map is never read whole.

    Raises `ProblemError` for a column whose variance overflows.
    """
    return scaling_by(moments_of(X), columns)


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
