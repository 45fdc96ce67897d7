"""Newton's method: its curvature is the gradient's slope, and it comes to the optimum from anywhere."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers import parameters
from stepbench.evidence.optima import breast_cancer
from stepkernels import LogisticRegression, Problem, reference, synthetic_problem
from stepkernels.classifier import newton
from stepkernels.classifier.newton import Curvature, is_small

SEEDS = st.integers(0, 2**32 - 1)


def some_problem(seed, *, weighted, dtype="float64"):
    random = np.random.default_rng(seed)
    m, n = int(random.integers(1, 200)), int(random.integers(1, 9))
    X = random.normal(size=(m, n)).astype(dtype)
    y = (X[:, 0] + random.normal(size=m) > 0).astype(dtype)
    weights = random.choice([0.0, 0.5, 3.0], size=m) if weighted else None
    if weights is not None:
        weights[0] = 1.0
    return Problem(X, y, weights=weights)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, weighted=st.booleans(), intercept=st.booleans(), l2=st.sampled_from([0.0, 0.25]))
def test_the_curvature_is_the_slope_of_the_references_gradient(seed, weighted, intercept, l2):
    problem = some_problem(seed, weighted=weighted)
    point = np.random.default_rng(seed).normal(size=problem.n + 1)
    curved = Curvature(problem, l2, intercept).at(point[:-1], point[-1])
    h = 1e-5
    slopes = []
    for column in np.eye(problem.n + 1)[: problem.n + intercept]:
        ahead, behind = (
            reference.gradient(problem, there[:-1], there[-1], l2).packed.astype(np.float64)
            for there in (point + h * column, point - h * column)
        )
        slopes.append((ahead - behind)[: problem.n + intercept] / (2 * h))
    np.testing.assert_allclose(curved, np.array(slopes), atol=1e-8)


def test_it_is_the_same_in_blocks(monkeypatch):
    problem = some_problem(5, weighted=True)
    point = np.linspace(-1, 1, problem.n + 1)
    whole = Curvature(problem, 0.1, True).at(point[:-1], point[-1])
    monkeypatch.setattr(newton, "BLOCK_ELEMENTS", 7 * problem.n)
    np.testing.assert_allclose(Curvature(problem, 0.1, True).at(point[:-1], point[-1]), whole, rtol=1e-13)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, weighted=st.booleans(), fit_intercept=st.booleans(), dtype=st.sampled_from(["float32", "float64"]))
def test_it_comes_to_the_optimum_of_l_bfgs(seed, weighted, fit_intercept, dtype):
    problem = some_problem(seed, weighted=weighted, dtype=dtype)
    if np.unique(problem.y if problem.weights is None else problem.y[problem.weights > 0]).size < 2:
        return  # of one class the bias has no optimum
    asked = {
        "l2": 1e-2,
        "tol": 1e-5 if dtype == "float32" else 1e-9,
        "fit_intercept": fit_intercept,
        "row": "numpy-blas",
    }
    near, far = (
        LogisticRegression(optimizer=optimizer, **asked).fit(problem.X, problem.y, problem.weights)
        for optimizer in ("newton-cholesky", "lbfgs")
    )
    assert near.n_iter_ <= 20
    np.testing.assert_allclose(parameters(near), parameters(far), atol=2e-3 if dtype == "float32" else 1e-6)


@pytest.mark.parametrize("storage", ["float16", "bfloat16", "int8"])
def test_in_a_storage_it_is_the_optimum_of_the_stored_numbers(storage):
    problem = synthetic_problem(300, 4, "float32")
    stored = problem.stored(storage)
    asked = {"l2": 1e-2, "tol": 1e-6, "optimizer": "newton-cholesky", "row": "numba-fused"}
    found = LogisticRegression(storage=storage, **asked).fit(problem.X, problem.y)
    wanted = LogisticRegression(**asked).fit(stored.X, stored.y)
    np.testing.assert_allclose(parameters(found), parameters(wanted), atol=1e-4)
    assert found.n_iter_ <= 10


@pytest.mark.parametrize("scale", [10.0, 1e3, -1e3])
def test_it_comes_back_from_far_away(scale):
    """From there a whole step overshoots, or J has no curvature left."""
    X, y = breast_cancer()
    wanted = LogisticRegression(l2=1e-2, tol=1e-9).fit(X, y)
    lost = LogisticRegression(l2=1e-2, tol=1e-9, warm_start=True, optimizer="newton-cholesky").fit(X, y)
    lost.coef_, lost.intercept_ = np.full_like(lost.coef_, scale), np.full_like(lost.intercept_, -scale)
    lost.fit(X, y)
    np.testing.assert_allclose(parameters(lost), parameters(wanted), atol=1e-6)
    assert (np.diff(lost.costs_) <= 1e-12 * np.abs(lost.costs_[:-1])).all()


ODD = {
    "a column of zeros": lambda X: np.column_stack([X, np.zeros(len(X))]),
    "a column twice": lambda X: np.column_stack([X, X[:, 0]]),
    "a constant column": lambda X: np.column_stack([X, np.ones(len(X))]),
    "columns of unlike sizes": lambda X: X * np.geomspace(1e-3, 1e3, X.shape[1]),
}


@pytest.mark.parametrize("odd", ODD)
def test_columns_along_which_j_is_flat_are_no_failure(odd):
    problem = synthetic_problem(200, 3)
    X = ODD[odd](problem.X)
    found = LogisticRegression(tol=1e-6, optimizer="newton-cholesky").fit(X, problem.y)
    gradient = reference.gradient(Problem(X, problem.y), found.coef_[0], found.intercept_[0], 0.0)
    assert np.abs(gradient.packed).max() <= 1.1e-6


def test_separable_data_end_at_the_tolerance():
    X, y = np.linspace(-1, 1, 40)[:, np.newaxis], np.repeat([0, 1], 20)
    found = LogisticRegression(tol=1e-6, optimizer="newton-cholesky").fit(X, y)
    assert found.score(X, y) == 1.0
    assert found.n_iter_ < 100


def test_auto_takes_it_for_what_is_small_alone():
    small, large = synthetic_problem(569, 30), synthetic_problem(20_000, 30)
    for problem, taken in ((small, "newton-cholesky"), (large, "lbfgs")):
        classifier = LogisticRegression(l2=1e-3).fit(problem.X, problem.y)
        assert classifier.optimizer_ == taken
        assert is_small(problem.m, problem.n) == (taken == "newton-cholesky")
    assert LogisticRegression(optimizer="gd", max_iter=1, tol=0.0).fit(small.X, small.y).optimizer_ == "gd"


def test_few_iterations_are_the_point():
    X, y = breast_cancer()
    near, far = (
        LogisticRegression(l2=1 / len(X), tol=1e-8, optimizer=optimizer).fit(X, y)
        for optimizer in ("newton-cholesky", "lbfgs")
    )
    assert near.n_iter_ < far.n_iter_ / 3
