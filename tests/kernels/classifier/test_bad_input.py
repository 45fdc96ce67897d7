"""Bad settings and bad data are sentences."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from stepkernels import LogisticRegression, ProblemError

BAD_SETTINGS = {
    "optimizer": ({"optimizer": "sgd"}, "optimizer is 'sgd'; choose from gd, adam, lbfgs"),
    "row": ({"row": "numpy"}, "There is no row called 'numpy'"),
    "dtype": ({"dtype": "float16"}, "dtype 'float16' is not supported"),
    "rate": ({"optimizer": "gd", "learning_rate": -1.0}, "learning_rate is -1.0"),
    "l2": ({"l2": -1.0}, "l2 is -1.0"),
    "tol": ({"tol": -1.0}, "tol is -1.0"),
    "iterations": ({"max_iter": 0}, "max_iter is 0"),
    "batch": ({"optimizer": "gd", "batch_size": 0.5}, "batch_size is 0.5"),
    "lbfgs": ({"batch_size": 10}, "lbfgs looks at all the rows at once"),
}


@pytest.mark.parametrize(("settings", "sentence"), BAD_SETTINGS.values(), ids=list(BAD_SETTINGS))
def test_a_bad_setting_is_a_sentence(settings, sentence):
    with pytest.raises(ProblemError, match=sentence):
        LogisticRegression(**settings).fit([[0.0], [1.0]], [0, 1])


BAD_DATA = {
    "one class": ([[0.0], [1.0]], ["a", "a"], "one class only, a"),
    "three classes": ([[0.0], [1.0], [2.0]], ["a", "b", "c"], "holds 3 classes: a, b, c"),
    "NaN": ([[0.0], [np.nan]], [0, 1], "NaN"),
    "infinity": ([[0.0], [np.inf]], [0, 1], "infinity"),
    "text": ([["red"], ["blue"]], [0, 1], "red"),
    "continuous": ([[0.0], [1.0]], [0.5, 1.5], "Unknown label type"),
}


@pytest.mark.parametrize(("X", "y", "sentence"), BAD_DATA.values(), ids=list(BAD_DATA))
def test_bad_data_is_a_sentence(X, y, sentence):
    with pytest.raises(ValueError, match=sentence):
        LogisticRegression().fit(X, y)


def test_a_label_never_seen_is_a_sentence():
    classifier = LogisticRegression(optimizer="gd").partial_fit([[0.0]], [0], classes=[0, 1])
    with pytest.raises(ProblemError, match="y holds 2; the classes are 0 and 1"):
        classifier.partial_fit([[0.0]], [2])


def test_partial_fit_is_not_for_lbfgs():
    assert not hasattr(LogisticRegression(), "partial_fit")


def test_a_cost_that_overflows_is_a_sentence():
    with pytest.raises(ProblemError, match="Choose a smaller learning_rate"), np.errstate(all="ignore"):
        LogisticRegression(optimizer="gd", learning_rate=1e300, row="numpy-blas").fit([[1e10], [-1e10]], [0, 1])
