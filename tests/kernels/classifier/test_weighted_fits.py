"""Weights of rows and of classes, as scikit-learn has them, and a model without an intercept."""

import warnings

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from sklearn.ensemble import AdaBoostClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression as PeerRegression

from classifiers import parameters
from stepkernels import LogisticRegression, ProblemError, synthetic_problem
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op

OPTIMIZERS = {
    "newton": {"optimizer": "newton-cholesky"},
    "lbfgs": {"optimizer": "lbfgs"},
    "gd": {"optimizer": "gd", "max_iter": 200, "tol": 0.0},
    "adam": {"optimizer": "adam", "learning_rate": 0.05, "max_iter": 200, "tol": 0.0},
}
WEIGHING = [name for name, row in CATALOG.items() if row.weights and row.device == "cpu"]


def data(m=400, n=5):
    problem = synthetic_problem(m, n)
    counts = np.random.default_rng(1).integers(0, 4, m)
    return problem.X, problem.y, counts


def imbalanced():
    random = np.random.default_rng(2)
    y = (random.random(2000) < 0.03).astype(int)
    return random.standard_normal((2000, 3)) + y[:, None], y


@pytest.mark.parametrize("settings", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
@pytest.mark.parametrize("row", WEIGHING)
def test_a_weight_of_two_is_the_row_twice_and_of_zero_the_row_left_out(row, settings):
    if reason := CATALOG[row].unavailable():
        pytest.skip(reason)
    X, y, counts = data()
    weighted = LogisticRegression(l2=0.1, row=row, **settings).fit(X, y, sample_weight=counts)
    twice = LogisticRegression(l2=0.1, row=row, **settings).fit(X.repeat(counts, axis=0), y.repeat(counts))
    np.testing.assert_allclose(parameters(weighted), parameters(twice), rtol=1e-7)
    np.testing.assert_allclose(weighted.costs_, twice.costs_, rtol=1e-7)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1.0, 1: 5.0}, {1: 0.25}])
@pytest.mark.parametrize("given", [True, False])
def test_the_optimum_is_scikit_learns(fit_intercept, class_weight, given):
    """C = 1/(l2·Σ weights), with the weights of the classes in them."""
    X, y, counts = data()
    sample_weight = counts + 0.5 if given else None
    peer = PeerRegression(C=0.3, tol=1e-12, fit_intercept=fit_intercept, class_weight=class_weight, max_iter=1000)
    peer.set_params(solver="newton-cholesky")
    if class_weight == "balanced" and given:  # older versions balance the numbers of rows, not their weights
        of_class = [(counts + 0.5)[y == label].sum() for label in (0, 1)]
        peer.set_params(class_weight={label: sum(of_class) / 2 / of_class[label] for label in (0, 1)})
    peer.fit(X, y, sample_weight)
    weights = np.ones(len(y)) if sample_weight is None else sample_weight
    if peer.class_weight == "balanced":
        total = weights.sum()
    else:
        total = (weights * [(peer.class_weight or {}).get(label, 1.0) for label in y]).sum()
    ours = LogisticRegression(
        l2=1 / (0.3 * total), tol=1e-10, fit_intercept=fit_intercept, class_weight=class_weight
    ).fit(X, y, sample_weight)
    np.testing.assert_allclose(parameters(ours), np.append(peer.coef_, peer.intercept_), rtol=1e-6, atol=1e-9)


def test_only_the_ratios_of_weights_count():
    X, y, counts = data()
    once, thrice = (LogisticRegression(l2=0.1).fit(X, y, counts * scale) for scale in (1.0, 3.0))
    np.testing.assert_allclose(parameters(once), parameters(thrice), rtol=1e-9)
    alike = [LogisticRegression(l2=0.1).fit(X, y, sample_weight) for sample_weight in (None, 2.0, np.full(400, 7))]
    np.testing.assert_allclose(parameters(alike[1]), parameters(alike[0]), rtol=1e-9)
    np.testing.assert_allclose(parameters(alike[2]), parameters(alike[0]), rtol=1e-9)


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_a_partial_fit_weighs_as_it_repeats(optimizer):
    X, y, counts = data()
    weighted, twice = (LogisticRegression(optimizer=optimizer, learning_rate=0.1, l2=0.1) for _ in range(2))
    for start in range(0, 400, 100):
        part = slice(start, start + 100)
        weighted.partial_fit(X[part], y[part], classes=[0, 1], sample_weight=counts[part])
        twice.partial_fit(X[part].repeat(counts[part], axis=0), y[part].repeat(counts[part]), classes=[0, 1])
    np.testing.assert_allclose(parameters(weighted), parameters(twice), rtol=1e-12)


def test_a_partial_fit_weighs_classes():
    X, y, _ = data()
    by_class = LogisticRegression(optimizer="gd", class_weight={0: 1.0, 1: 4.0}, learning_rate=0.1).partial_fit(X, y)
    by_row = LogisticRegression(optimizer="gd", learning_rate=0.1).partial_fit(X, y, sample_weight=1.0 + 3.0 * y)
    np.testing.assert_allclose(parameters(by_class), parameters(by_row), rtol=1e-12)


def test_batches_follow_the_weights():
    """Blocks keep the weights they have among all rows, some of none at all, so that their mean is the whole J."""
    X, y, counts = data(3000)
    counts[:100] = 0
    exact = LogisticRegression(l2=0.1, tol=1e-10).fit(X, y, counts)
    unweighted = LogisticRegression(l2=0.1, tol=1e-10).fit(X, y)
    settings = {"optimizer": "gd", "batch_size": 7, "learning_rate": 0.002, "max_iter": 60, "tol": 0, "l2": 0.1}
    batches = LogisticRegression(random_state=0, **settings).fit(X, y, counts)
    distance = np.abs(parameters(batches) - parameters(exact)).max()
    assert distance < 0.02 < np.abs(parameters(unweighted) - parameters(exact)).max()
    whole = LogisticRegression(**settings | {"batch_size": 3000}).fit(X, y, counts)
    steps = LogisticRegression(**settings | {"batch_size": None}).fit(X, y, counts)
    np.testing.assert_allclose(parameters(whole), parameters(steps), rtol=1e-9)


def test_balanced_classes_find_what_is_rare():
    X, y = imbalanced()
    plain, balanced = (LogisticRegression(l2=1e-3, class_weight=each).fit(X, y) for each in (None, "balanced"))
    assert plain.predict(X)[y == 1].mean() < 0.3
    assert balanced.predict(X)[y == 1].mean() > 0.7


def test_adaboost_takes_it():
    X, y = imbalanced()
    boosted = AdaBoostClassifier(LogisticRegression(l2=1e-3), n_estimators=5, random_state=0).fit(X, y)
    assert boosted.score(X, y) > 0.9


@pytest.mark.parametrize("row", [name for name, row in CATALOG.items() if not row.weights and row.device == "cpu"])
def test_a_row_that_takes_no_weights_says_so(row):
    if reason := CATALOG[row].unavailable():
        pytest.skip(reason)
    X, y, counts = data()
    settings = {} if Op.GRADIENT in CATALOG[row].ops else {"optimizer": "gd"}
    with pytest.raises(ProblemError, match=f"{row} takes no weights"):
        LogisticRegression(row=row, **settings).fit(X, y, sample_weight=counts)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("settings", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
@pytest.mark.parametrize("row", ["numba-fused", "numpy-blas", "python-loop"])
def test_without_an_intercept_w_alone_is_learned(row, settings, dtype):
    """As by NumPy on the same steps, or at the same optimum; b is 0 and stays it."""
    X, y, _ = data(200)
    X = X + 0.5
    settings = settings | {"l2": 0.1, "dtype": dtype, "fit_intercept": False}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(row=row, **settings).fit(X, y)
        mirrored = LogisticRegression(row=row, **settings).fit(np.vstack([X, -X]), np.append(y, 1 - y))
    assert model.intercept_.tolist() == [0.0]
    assert model.coef_.dtype == model.intercept_.dtype == dtype
    # Every row and its mirror image: gb is zero by itself, so that nothing need be held.
    np.testing.assert_allclose(model.coef_, mirrored.coef_, rtol=1e-3 if dtype == "float32" else 1e-6)
    free = LogisticRegression(row=row, **settings | {"fit_intercept": True}).fit(X, y)
    assert np.abs(free.coef_ - model.coef_).max() > 1e-3


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_without_an_intercept_steps_are_those_of_the_formulas(optimizer):
    X, y, _ = data(100)
    w, moment1, moment2 = np.zeros(5), np.zeros(5), np.zeros(5)
    parts = LogisticRegression(optimizer=optimizer, learning_rate=0.1, l2=0.2, fit_intercept=False)
    whole = LogisticRegression(**parts.get_params() | {"max_iter": 7, "tol": 0.0})
    batch = LogisticRegression(**whole.get_params() | {"batch_size": 100})
    for t in range(1, 8):
        g = X.T @ (1 / (1 + np.exp(-X @ w)) - y) / 100 + 0.2 * w
        moment1, moment2 = 0.9 * moment1 + 0.1 * g, 0.999 * moment2 + 0.001 * g**2
        adam = 0.1 * (moment1 / (1 - 0.9**t)) / (np.sqrt(moment2 / (1 - 0.999**t)) + 1e-8)
        w = w - (0.1 * g if optimizer == "gd" else adam)
        parts.partial_fit(X, y)
    for model in (parts, whole.fit(X, y), batch.fit(X, y)):
        np.testing.assert_allclose(model.coef_[0], w, rtol=1e-9)
        assert model.intercept_.tolist() == [0.0]


def test_a_warm_start_leaves_the_old_intercept_behind():
    X, y, _ = data()
    model = LogisticRegression(l2=0.1, warm_start=True, tol=1e-8).fit(X, y)
    assert model.intercept_[0] != 0.0
    model.set_params(fit_intercept=False).fit(X, y)
    cold = LogisticRegression(l2=0.1, fit_intercept=False, tol=1e-8).fit(X, y)
    assert model.intercept_.tolist() == [0.0]
    np.testing.assert_allclose(model.coef_, cold.coef_, atol=1e-6)


def test_logarithms_of_probabilities_stay_finite():
    classifier = LogisticRegression(l2=0.1).fit([[-1.0], [1.0]], [0, 1])
    far = 5000.0 / classifier.coef_[0, 0]
    np.testing.assert_allclose(classifier.predict_log_proba([[far]]), [[-5000.0, 0.0]], rtol=1e-3)
    X, y, _ = data()
    fitted = LogisticRegression(l2=0.1).fit(X, y)
    np.testing.assert_allclose(np.exp(fitted.predict_log_proba(X)), fitted.predict_proba(X), rtol=1e-12)
