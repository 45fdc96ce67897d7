"""Costs, steps, tolerance: what a fit goes through, and what it tells."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from sklearn.exceptions import ConvergenceWarning

from classifiers import VARIANTS, parameters
from stepbench.evidence.optima import breast_cancer
from stepkernels import LogisticRegression, synthetic_problem
from stepkernels.catalog import CATALOG


@pytest.mark.parametrize("variant", VARIANTS)
def test_costs_begin_before_the_first_step_and_have_one_entry_an_iteration(variant):
    X, y = breast_cancer()
    tol = 1e-3 if variant in ("newton", "lbfgs", "numpy-blas") else 0.0
    classifier = LogisticRegression(l2=1e-2, tol=tol, max_iter=60, **VARIANTS[variant]).fit(X, y)
    assert classifier.costs_.shape == (classifier.n_iter_,)
    assert classifier.costs_[-1] < classifier.costs_[0]
    if variant != "batches":
        assert classifier.costs_[0] == pytest.approx(np.log(2))


def test_gradient_descent_at_its_own_learning_rate_never_raises_the_cost():
    X, y = breast_cancer()
    costs = LogisticRegression(optimizer="gd", max_iter=300, tol=0).fit(X, y).costs_
    assert len(costs) == 300
    assert (np.diff(costs) < 0).all()


@pytest.mark.parametrize("variant", ["newton", "lbfgs", "gd", "adam", "batches"])
def test_stopping_short_is_a_warning_with_the_gradient(variant):
    X, y = breast_cancer()
    with pytest.warns(ConvergenceWarning, match=r"after 3 (steps|iterations|epochs) the gradient is"):
        LogisticRegression(**VARIANTS[variant], max_iter=3, tol=1e-9).fit(X, y)


def test_a_warm_start_goes_on_from_the_last_solution():
    X, y = breast_cancer()
    classifier = LogisticRegression(l2=1e-2, warm_start=True).fit(X, y)
    assert classifier.fit(X, y).n_iter_ <= 1
    cold = LogisticRegression(l2=1e-2).fit(X, y)
    assert cold.fit(X, y).n_iter_ > 1


def test_partial_fits_of_all_rows_are_steps_of_fit():
    X, y = breast_cancer()
    settings = {"optimizer": "adam", "learning_rate": 0.01, "tol": 0.0, "row": "numba-fused"}
    whole = LogisticRegression(max_iter=7, **settings).fit(X, y)
    parts = LogisticRegression(**settings)
    for _ in range(7):
        parts.partial_fit(X, y)
    np.testing.assert_allclose(parameters(parts), parameters(whole), rtol=1e-12)
    np.testing.assert_allclose(parts.costs_, whole.costs_, rtol=1e-12)


def test_batches_are_views_of_rows_shuffled_once(monkeypatch):
    """Every block is a view of one copy, every epoch visits each block once, and the seed settles it all."""
    seen = []
    row = CATALOG["numpy-blas"]
    bind = type(row).bind
    monkeypatch.setattr(
        type(row), "bind", lambda self, problem, config: seen.append(problem) or bind(self, problem, config)
    )
    problem = synthetic_problem(100, 3)
    settings = {"row": "numpy-blas", "optimizer": "gd", "batch_size": 32, "max_iter": 4, "tol": 0}
    first = LogisticRegression(random_state=1, **settings).fit(problem.X, problem.y)
    again = LogisticRegression(random_state=1, **settings).fit(problem.X, problem.y)
    other = LogisticRegression(random_state=2, **settings).fit(problem.X, problem.y)
    blocks = seen[: len(seen) // 3]
    assert sorted(block.m for block in blocks) == [4, 32, 32, 32]
    shared = np.concatenate([block.X for block in sorted(blocks, key=lambda block: block.X.ctypes.data)])
    assert np.ptp([block.X.ctypes.data for block in blocks]) == 96 * 3 * 8
    np.testing.assert_array_equal(np.sort(shared, axis=0), np.sort(problem.X, axis=0))
    np.testing.assert_array_equal(parameters(first), parameters(again))
    assert (parameters(first) != parameters(other)).any()


def test_probabilities_keep_their_small_values():
    classifier = LogisticRegression(l2=0.1).fit([[-1.0], [1.0]], [0, 1])
    far = 500.0 / classifier.coef_[0, 0]
    low, high = classifier.predict_proba([[far], [-far]])
    assert 0.0 < low[0] < 1e-200
    assert 0.0 < high[1] < 1e-200


def test_verbose_prints_or_calls(capsys):
    X, y = breast_cancer()
    LogisticRegression(l2=1e-2, verbose=1).fit(X, y)
    assert "iteration 1: cost" in capsys.readouterr().out
    told = []
    fitted = LogisticRegression(l2=1e-2, verbose=lambda iteration, cost: told.append((iteration, cost))).fit(X, y)
    assert [iteration for iteration, _ in told] == list(range(1, fitted.n_iter_ + 1))
    assert capsys.readouterr().out == ""
