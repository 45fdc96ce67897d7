"""Data to time on and to train on: synthetic of any size, and the data sets scikit-learn carries.

Real data are standardized (zero mean, unit variance), as any user of gradient descent would do.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stepkernels.problem import Array, Problem, ProblemError, synthetic_problem

SYNTHETIC = "synthetic"


def breast_cancer() -> tuple[Array, Array]:
    """Wisconsin diagnostic breast cancer: 569 × 30, benign against malignant."""
    from sklearn.datasets import load_breast_cancer

    X, y = load_breast_cancer(return_X_y=True)
    return standardized(X), y.astype(np.float64)


def digits_parity() -> tuple[Array, Array]:
    """Handwritten digits: 1797 × 64 pixels, odd against even."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    return standardized(X), (y % 2).astype(np.float64)


DATASETS: dict[str, Callable[[], tuple[Array, Array]]] = {
    "breast-cancer": breast_cancer,
    "digits-parity": digits_parity,
}


def standardized(X: Array) -> Array:
    """Columns with zero mean and unit variance; a constant column becomes zero."""
    deviation = X.std(axis=0)
    result: Array = (X - X.mean(axis=0)) / np.where(deviation == 0.0, 1.0, deviation)
    return result


def shape_of(dataset: str) -> tuple[int, int]:
    """(m, n) of a named data set. Raises `ProblemError` for an unknown name."""
    m, n = _load(dataset)[0].shape
    return m, n


def make_problem(dataset: str, m: int, n: int, dtype: str, seed: int) -> Problem:
    """The problem of a case: a named data set, or synthetic data of m × n, with random starting parameters."""
    if dataset == SYNTHETIC:
        data = synthetic_problem(m, n, dtype, seed)
        X, y = data.X, data.y
    else:
        X, y = (part.astype(dtype) for part in _load(dataset))
    random = np.random.default_rng([seed, 1])
    return Problem(
        X, y, w0=random.standard_normal(X.shape[1]).astype(dtype) / np.sqrt(X.shape[1]).astype(dtype), b0=0.25
    )


def _load(dataset: str) -> tuple[Array, Array]:
    if dataset not in DATASETS:
        raise ProblemError(f"There is no data set called {dataset!r}. Data sets: {', '.join(DATASETS)}.")
    return DATASETS[dataset]()
