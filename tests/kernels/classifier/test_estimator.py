"""The classifier keeps scikit-learn's conventions: its checks, labels, names, pipelines, pickles."""

import pickle
import pickletools
import subprocess
import sys
import warnings
from collections import Counter

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import stepkernels
from classifiers import VARIANTS
from runs import environment
from stepbench.evidence.optima import breast_cancer
from stepkernels import LogisticRegression
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op

CHECK_ESTIMATOR = """
import sys, warnings
warnings.simplefilter("ignore")
import pandas
from sklearn.utils.estimator_checks import check_estimator
from stepkernels import LogisticRegression
expected = {name: "as of any stochastic solver" for name in sys.argv[2:]}
estimator = LogisticRegression(**eval(sys.argv[1]))
results = check_estimator(estimator, on_fail=None, expected_failed_checks=expected)
print(*(f"{result['check_name']}={result['status']}" for result in results))
for result in results:
    if result["status"] not in ("passed", "xfail"):
        print(result["check_name"], result["exception"], file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_check_estimator_passes_whole(variant):
    """Every check, none skipped; in a process where SciPy speaks the array API.

    None is expected to fail but one of batches, as of scikit-learn's own SGD: a row twice is in other blocks than a
    row of twice the weight.
    """
    stochastic = ["check_sample_weight_equivalence_on_dense_data"] if variant == "batches" else []
    settings = VARIANTS[variant] | ({"max_iter": 30} if variant == "batches" else {})  # an epoch has many steps
    finished = subprocess.run(
        [sys.executable, "-c", CHECK_ESTIMATOR, repr(settings), *stochastic],
        capture_output=True,
        text=True,
        env=environment(SCIPY_ARRAY_API="1"),
        check=True,
    )
    statuses = Counter(pair.partition("=")[2] for pair in finished.stdout.split())
    assert set(statuses) <= {"passed", "xfail"}, finished.stderr
    assert statuses["xfail"] == len(stochastic)
    assert statuses["passed"] > 40


def test_importing_the_package_loads_neither_scikit_learn_nor_scipy():
    source = "import sys, stepkernels; print([name for name in ('sklearn', 'scipy') if name in sys.modules])"
    finished = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, env=environment(), check=True
    )
    assert finished.stdout.strip() == "[]"
    assert stepkernels.LogisticRegression is LogisticRegression


def test_it_works_in_a_pipeline_a_grid_search_and_a_cross_validation():
    X, y = load_breast_cancer(return_X_y=True)
    model = make_pipeline(StandardScaler(), LogisticRegression(l2=1e-3))
    search = GridSearchCV(model, {"logisticregression__l2": [1e-3, 1e-1]}, cv=3).fit(X, y)
    assert search.best_score_ > 0.95
    assert cross_val_score(model, X, y, cv=3).min() > 0.95


@pytest.mark.parametrize("kind", [str, float, bool, object])
def test_any_two_labels_will_do(kind):
    X, y = breast_cancer()
    names = np.array(["benign", "malignant"]) if kind in (str, object) else np.array([0, 1])
    labels = names[y.astype(int)].astype(kind)
    classifier = LogisticRegression(l2=1e-2).fit(X, labels)
    assert list(classifier.classes_) == sorted(set(labels.tolist()))
    assert set(classifier.predict(X).tolist()) == set(labels.tolist())
    assert classifier.score(X, labels) > 0.97


def test_a_data_frame_names_its_features():
    X, y = breast_cancer()
    frame = pd.DataFrame(X).add_prefix("column ")
    classifier = LogisticRegression(l2=1e-2).fit(frame, y)
    assert list(classifier.feature_names_in_) == list(frame.columns)
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(frame.rename(columns={"column 3": "another"}))


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_pickles(variant):
    X, y = breast_cancer()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        classifier = LogisticRegression(max_iter=5, **VARIANTS[variant]).fit(X, y)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))


def test_a_fitted_model_holds_host_arrays_only():
    """So that a model trained on a GPU loads where there is none."""
    X, y = breast_cancer()
    classifier = LogisticRegression(optimizer="adam").partial_fit(X, y).partial_fit(X, y)
    opcodes = pickletools.genops(pickle.dumps(classifier, protocol=2))
    modules = {str(name).partition(".")[0].partition(" ")[0] for code, name, _ in opcodes if code.name == "GLOBAL"}
    assert modules <= {"stepkernels", "numpy", "copyreg", "_codecs", "__builtin__"}


CUDA_ROWS = [
    pytest.param(row, id=row.name, marks=pytest.mark.gpu)
    for row in CATALOG.values()
    if row.device == "cuda" and Op.GRADIENT in row.ops
]


@pytest.mark.parametrize("row", CUDA_ROWS, indirect=True)
def test_a_model_trained_on_a_gpu_loads_without_one(row, tmp_path):
    X, y = breast_cancer()
    classifier = LogisticRegression(row=row.name, l2=1e-2).fit(X, y)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps((classifier, X[:5])))
    source = "import pickle, sys; model, X = pickle.load(open(sys.argv[1], 'rb')); print(*model.predict(X))"
    finished = subprocess.run(
        [sys.executable, "-c", source, str(tmp_path / "model.pickle")],
        capture_output=True, text=True, env=environment(CUDA_VISIBLE_DEVICES=""), check=True,
    )  # fmt: skip
    assert finished.stdout.split() == list(map(str, classifier.predict(X[:5])))
