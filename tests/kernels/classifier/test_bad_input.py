"""Bad settings and bad data are sentences."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from stepkernels import LogisticRegression, ProblemError

BAD_SETTINGS = {
    "optimizer": ({"optimizer": "sgd"}, "optimizer is 'sgd'; choose from gd, adam, auto, newton-cholesky, lbfgs"),
    "row": ({"row": "numpy"}, "There is no row called 'numpy'"),
    "dtype": ({"dtype": "float16"}, "dtype 'float16' is not supported"),
    "rate": ({"optimizer": "gd", "learning_rate": -1.0}, "learning_rate is -1.0"),
    "l2": ({"l2": -1.0}, "l2 is -1.0"),
    "tol": ({"tol": -1.0}, "tol is -1.0"),
    "iterations": ({"max_iter": 0}, "max_iter is 0"),
    "batch": ({"optimizer": "gd", "batch_size": 0.5}, "batch_size is 0.5"),
    "lbfgs": ({"batch_size": 10}, "lbfgs and newton-cholesky look at all the rows at once"),
    "endless": ({"tol": np.inf}, "tol is inf"),
    "thousands of digits": ({"l2": 10**400}, "l2 is 1000"),
}

WRONG_TYPES = {
    "learning_rate": "0.1",
    "max_iter": True,
    "optimizer": ["lbfgs"],
    "l2": "strong",
    "tol": None,
    "fit_intercept": "no",
    "class_weight": 5,
    "batch_size": "3",
    "row": ["numba-fused"],
    "dtype": {},
    "storage": ["int8"],
    "verbose": "yes",
    "random_state": "abc",
    "warm_start": "yes",
}


@pytest.mark.parametrize(("settings", "sentence"), BAD_SETTINGS.values(), ids=list(BAD_SETTINGS))
def test_a_bad_setting_is_a_sentence(settings, sentence):
    with pytest.raises(ProblemError, match=sentence):
        LogisticRegression(**settings).fit([[0.0], [1.0]], [0, 1])


def test_every_parameter_is_looked_at():
    assert set(WRONG_TYPES) == set(LogisticRegression().get_params())


@pytest.mark.parametrize("name", WRONG_TYPES)
def test_a_parameter_of_a_wrong_type_is_named(name):
    for method in ("fit", "partial_fit"):
        classifier = LogisticRegression(**{"optimizer": "gd", name: WRONG_TYPES[name]})
        if hasattr(classifier, method):
            with pytest.raises(ProblemError, match=f"^{name} "):
                getattr(classifier, method)([[0.0], [1.0]], [0, 1])


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
    text = LogisticRegression(optimizer="gd").partial_fit([[0.0]], ["0"], classes=["0", "1"])
    with pytest.raises(ProblemError, match="y holds 1; the classes are '0' and '1'"):
        text.partial_fit([[0.0]], [1])


BAD_CLASSES = {
    "one": ([1], "classes holds one class only, 1"),
    "three": ([1, 2, 3], "classes holds 3 classes: 1, 2, 3"),
    "continuous": ([0.5, 1.5], r"classes is \[0.5, 1.5\]; it must be a list of two labels"),
    "a matrix": ([[0, 1]], r"classes is \[\[0, 1\]\]"),
    "ragged": ([[0], [1, 2]], r"classes is \[\[0\], \[1, 2\]\]"),
    "a number": (3, "classes is 3"),
    "NaN": ([0.0, np.nan], r"classes is \[0.0, nan\]"),
    "no order": (np.array([None, 1], object), r"classes is array\(\[None, 1\]"),
}


@pytest.mark.parametrize(("classes", "sentence"), BAD_CLASSES.values(), ids=list(BAD_CLASSES))
def test_what_is_wrong_with_classes_is_told_of_classes(classes, sentence):
    with pytest.raises(ProblemError, match=sentence):
        LogisticRegression(optimizer="gd").partial_fit([[0.0], [1.0]], [0, 1], classes=classes)


@pytest.mark.parametrize("other", [[1, 2], ["0", "1"], [0, 2]])
def test_other_classes_than_those_of_the_first_call_are_refused(other):
    """As scikit-learn refuses them; the same ones in another order are the same ones."""
    for first in ("fit", "partial_fit"):
        classifier = getattr(LogisticRegression(optimizer="gd", max_iter=5, tol=0), first)([[0.0], [1.0]], [0, 1])
        before = classifier.coef_.copy()
        with pytest.raises(ValueError, match="not the same as on last call to partial_fit: \\[0, 1\\]"):
            classifier.partial_fit([[0.0], [1.0]], [0, 1], classes=other)
        np.testing.assert_array_equal(classifier.coef_, before)
        classifier.partial_fit([[0.0]], [1], classes=[1, 0])


def test_a_first_call_with_one_class_asks_for_classes():
    with pytest.raises(ProblemError, match="y holds one class only, 0; name both by `classes`"):
        LogisticRegression(optimizer="gd").partial_fit([[0.0]], [0])


HUGE = np.array([[1e200, 1.0], [0.0, 2.0], [1.0, 0.0], [3.0, 1.0]])


@pytest.mark.parametrize("optimizer", ["newton-cholesky", "lbfgs", "gd", "adam"])
@pytest.mark.parametrize("value", [1e200, -1e39])
def test_a_value_beyond_float32_is_no_nan(optimizer, value):
    X = np.where(HUGE == 1e200, value, HUGE)
    with pytest.raises(ProblemError, match=r"X holds .*, which is beyond float32, .*use float64") as error:
        LogisticRegression(optimizer=optimizer, dtype="float32").fit(X, [0, 1, 0, 1])
    assert "NaN" not in str(error.value)


WIDE = {
    "long doubles": np.array([[np.longdouble("1e400")], [1.0], [2.0], [3.0]]),
    "a frame of them": pd.DataFrame({"a": np.array(["1e400", "1", "2", "3"], np.longdouble)}),
    "Python's integers": [[10**400], [1], [2], [3]],
    "decimals": [[Decimal("-1e400")], [1], [2], [3]],
}


@pytest.mark.skipif(np.finfo(np.longdouble).max == np.finfo(np.float64).max, reason="a long double is a float64 here")
@pytest.mark.parametrize("wide", WIDE)
def test_a_number_beyond_float64_is_no_infinity(wide):
    model = LogisticRegression().fit([[0.0], [1.0], [2.0], [1.5]], [0, 1, 0, 1])
    for call in (lambda X: LogisticRegression().fit(X, [0, 1, 0, 1]), model.predict):
        with pytest.raises(ProblemError, match=r"X holds .*, which is beyond float64.*smaller scale"):
            call(WIDE[wide])


@pytest.mark.parametrize("infinite", [np.inf, np.longdouble("inf"), Decimal("NaN")])
def test_an_infinity_stays_one(infinite):
    with pytest.raises(ValueError, match="NaN or infinity"):
        LogisticRegression().fit(np.array([[infinite], [1.0], [2.0], [3.0]]), [0, 1, 0, 1])


def test_gradient_descent_speaks_of_no_learning_rate_that_was_not_given():
    for settings in ({}, {"batch_size": 2}, {"fit_intercept": False}):
        with pytest.raises(
            ProblemError, match=r"X holds 1e\+200, whose square is beyond float64.*common scale"
        ) as error:
            LogisticRegression(optimizer="gd", **settings).fit(HUGE, [0, 1, 0, 1])
        assert "learning_rate" not in str(error.value)


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "coo_matrix"])
def test_sparse_data_are_refused_with_the_way_to_make_them_dense(kind):
    import scipy.sparse

    sparse = getattr(scipy.sparse, kind)([[0.0], [1.0]])
    fitted = LogisticRegression(l2=0.1).fit([[0.0], [1.0]], [0, 1])
    for refused in (
        lambda: LogisticRegression().fit(sparse, [0, 1]),
        lambda: LogisticRegression(optimizer="gd").partial_fit(sparse, [0, 1]),
        lambda: LogisticRegression().fit([[0.0], [1.0]], [0, 1], sample_weight=sparse),
        lambda: fitted.predict(sparse),
    ):
        with pytest.raises((ProblemError, TypeError), match=r"[Ss]parse.*\.toarray\(\)"):
            refused()


BAD_WEIGHTS = {
    "negative": ([1, -1], None, "sample_weight contains -1"),
    "too many": ([1, 1, 1], None, r"sample_weight has shape \(3,\)"),
    "a matrix": ([[1], [1]], None, r"sample_weight has shape \(2, 1\)"),
    "NaN": ([1, np.nan], None, "sample_weight contains NaN"),
    "text": (["a", "b"], None, "sample_weight holds <U1 values"),
    "all zero": ([0, 0], None, "sample_weight and class_weight leave no row: every weight is zero"),
    "zero together": ([0, 1], {1: 0}, "sample_weight and class_weight leave no row"),
    "infinite together": ([1, 1e308], {1: 10.0}, "weights that sum to infinity"),
    "another class": (None, {2: 1.0}, "class_weight has a weight for 2, which is no class; the classes are 0 and 1"),
    "a negative class": (None, {0: -1.0}, "class_weight of 0 is -1.0"),
    "a class of text": (None, {0: "heavy"}, "class_weight of 0 is 'heavy'"),
}


@pytest.mark.parametrize(("sample", "by_class", "sentence"), BAD_WEIGHTS.values(), ids=list(BAD_WEIGHTS))
def test_a_bad_weight_is_a_sentence(sample, by_class, sentence):
    with pytest.raises(ProblemError, match=sentence):
        LogisticRegression(class_weight=by_class).fit([[0.0], [1.0]], [0, 1], sample_weight=sample)


def test_balanced_classes_need_all_the_rows():
    classifier = LogisticRegression(optimizer="gd", class_weight="balanced")
    with pytest.raises(ProblemError, match='class_weight "balanced" needs all the rows at once'):
        classifier.partial_fit([[0.0], [1.0]], [0, 1])


def test_partial_fit_is_not_for_lbfgs():
    assert not hasattr(LogisticRegression(), "partial_fit")


def test_a_cost_that_overflows_is_a_sentence():
    with pytest.raises(ProblemError, match="Choose a smaller learning_rate"):
        LogisticRegression(optimizer="gd", learning_rate=1e300, row="numpy-blas").fit([[1e10], [-1e10]], [0, 1])


def test_a_batch_of_more_rows_than_there_are_is_all_of_them_and_a_fraction_is_a_number():
    X, y = np.random.default_rng(1).standard_normal((50, 3)), np.arange(50) % 2
    fitted = LogisticRegression(optimizer="adam", batch_size=10**30, tol=1e9).fit(X, y)
    assert len(fitted.costs_) <= 1
    assert LogisticRegression(tol=Fraction(1, 100)).fit(X, y).n_iter_ >= 1
