"""The optimum of the classifier against scikit-learn's, on real and synthetic data, easy and hard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression as PeerRegression

from stepbench.cases.datasets import make_problem
from stepkernels.classifier.estimator import LogisticRegression
from stepkernels.problem import Array, Problem, synthetic_problem

Data = tuple[Array, Array]

# Of each dtype: the tolerance our fit is given, and how near its parameters are to come to scikit-learn's.
MARKS = {"float64": (1e-11, 1e-6), "float32": (1e-7, 1e-3)}


def breast_cancer() -> Data:
    return data_of(make_problem("breast-cancer", 0, 0, "float64", 0))


def digits_parity() -> Data:
    return data_of(make_problem("digits-parity", 0, 0, "float64", 0))


def well_conditioned() -> Data:
    return data_of(synthetic_problem(5000, 20))


def ill_conditioned() -> Data:
    """Columns of scales from 1 to 1/100: curvatures from 1 to 1/10000."""
    X, y = data_of(synthetic_problem(2000, 20, seed=1))
    return X * np.logspace(0, -2, 20), y


def nearly_separable() -> Data:
    """One plane divides all rows but the three nearest to it."""
    random = np.random.default_rng(2)
    X = random.standard_normal((1000, 10))
    z = X @ random.standard_normal(10)
    y = z > 0
    nearest = np.argsort(np.abs(z))[:3]
    y[nearest] = ~y[nearest]
    return X, y.astype(np.float64)


def data_of(problem: Problem) -> Data:
    return problem.X, problem.y


DATA: tuple[Callable[[], Data], ...] = (
    breast_cancer,
    digits_parity,
    well_conditioned,
    ill_conditioned,
    nearly_separable,
)


def distances() -> Iterable[dict[str, Any]]:
    """How far our parameters lie from scikit-learn's at C = 1 and tol = 1e-12, on each data set in each dtype.

    Its default solver ends where rounding hides the fall of the cost; its Newton solver goes on to the optimum, and
    shows whose digits the difference is in.
    """
    for data in DATA:
        X, y = data()
        default, newton = (
            PeerRegression(tol=1e-12, max_iter=100_000, solver=solver).fit(X, y)
            for solver in ("lbfgs", "newton-cholesky")
        )
        for dtype, (tol, mark) in MARKS.items():
            ours = LogisticRegression(l2=1 / len(X), tol=tol, dtype=dtype).fit(X, y)
            yield {
                "data": data.__name__.replace("_", " "),
                "dtype": dtype,
                "from_newton": distance(ours, newton),
                "from_default": distance(ours, default),
                "apart": distance(default, newton),
                "mark": mark,
            }


def distance(classifier: Any, peer: Any) -> float:
    """The largest difference of two classifiers' parameters, relative to the peer's largest."""
    ours, theirs = (np.append(each.coef_[0], each.intercept_) for each in (classifier, peer))
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())
