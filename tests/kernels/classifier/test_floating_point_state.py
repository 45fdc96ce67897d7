"""np.seterr(all="raise") around a fit, and around what is asked of a model, changes nothing."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from classifiers import VARIANTS, parameters
from stepkernels import LogisticRegression, synthetic_problem
from stepkernels.problem import OPTIMIZERS

SETTINGS = VARIANTS | {
    "weights": {"class_weight": "balanced"},
    "no intercept": {"fit_intercept": False},
    "float32": {"dtype": "float32"},
    "float32 gd": {"dtype": "float32", "optimizer": "gd", "row": "numpy-blas"},
}


def model_of(settings, asking):
    """Fitted to margins that underflow, and all that it says of rows far from the plane."""
    problem = synthetic_problem(200, 4)
    X = problem.X * np.linspace(0.1, 500.0, 200)[:, None]
    model = LogisticRegression(**{"l2": 1e-6, "max_iter": 60, "tol": 0.0, "random_state": 0} | settings)
    model.fit(X, problem.y, sample_weight=np.geomspace(1e-200, 1.0, 200) if "class_weight" in settings else None)
    if settings.get("optimizer") in OPTIMIZERS and "batch_size" not in settings:
        model.partial_fit(X, problem.y)
    far = X * 1e4
    return parameters(model), *(getattr(model, each)(far) for each in asking), model.score(far, problem.y)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_nothing_is_raised_and_nothing_is_warned_of(settings):
    asking = ("decision_function", "predict", "predict_proba", "predict_log_proba")
    plain = model_of(settings, asking)
    with np.errstate(all="raise"):
        strict = model_of(settings, asking)
    for one, other in zip(plain, strict, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_cost_that_overflows_is_told_in_our_words():
    with np.errstate(all="raise"), pytest.raises(ValueError, match="Choose a smaller learning_rate"):
        LogisticRegression(optimizer="gd", learning_rate=1e300, row="numpy-blas").fit([[1e10], [-1e10]], [0, 1])
