"""The optimum is scikit-learn's, by every optimizer and on rows of every kind."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from sklearn.linear_model import LogisticRegression as PeerRegression
from threadpoolctl import threadpool_info

from classifiers import parameters
from stepbench.evidence.optima import DATA, MARKS, breast_cancer, distance, well_conditioned
from stepkernels import LogisticRegression, synthetic_problem
from stepkernels.catalog import CATALOG
from stepkernels.classifier.hyperparameters import OF_ALL_ROWS
from stepkernels.classifier.lbfgs import scipys_blas
from stepkernels.interface import Op


@pytest.mark.parametrize("data", DATA, ids=lambda data: data.__name__)
@pytest.mark.parametrize("dtype", MARKS)
def test_the_optimum_is_scikit_learns(data, dtype):
    """A Newton solver is the peer: its coefficients are good to 1e-9, L-BFGS's own only to 1e-6."""
    X, y = data()
    tol, mark = MARKS[dtype]
    peer = PeerRegression(C=1.0, tol=1e-12, max_iter=1000, solver="newton-cholesky").fit(X, y)
    classifier = LogisticRegression(l2=1 / len(X), tol=tol, dtype=dtype).fit(X, y)
    assert distance(classifier, peer) < mark
    assert classifier.coef_.dtype == dtype


def test_every_optimizer_reaches_the_same_optimum():
    problem = synthetic_problem(500, 5)
    X, y = problem.X, problem.y
    exact = LogisticRegression(l2=1e-2, tol=1e-10).fit(X, y)
    gd = LogisticRegression(l2=1e-2, tol=1e-9, optimizer="gd", max_iter=20_000).fit(X, y)
    adam = LogisticRegression(l2=1e-2, tol=1e-6, optimizer="adam", learning_rate=0.01, max_iter=5000).fit(X, y)
    np.testing.assert_allclose(parameters(gd), parameters(exact), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(parameters(adam), parameters(exact), rtol=1e-4, atol=1e-4)


def test_batches_come_close_to_the_optimum():
    X, y = well_conditioned()
    exact = LogisticRegression(l2=1e-2, tol=1e-10).fit(X, y)
    batches = LogisticRegression(
        l2=1e-2, optimizer="gd", learning_rate=0.05, batch_size=256, max_iter=100, tol=0, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(parameters(batches), parameters(exact), atol=0.03)


CPU_ROWS = [name for name, row in CATALOG.items() if row.device == "cpu"]


@pytest.mark.parametrize("row", CPU_ROWS)
@pytest.mark.parametrize("optimizer", ["newton-cholesky", "lbfgs", "gd", "adam"])
def test_every_row_of_the_cpu_trains_the_same_model(row, optimizer):
    if reason := CATALOG[row].unavailable():
        pytest.skip(reason)
    if optimizer in OF_ALL_ROWS and Op.GRADIENT not in CATALOG[row].ops:
        pytest.skip(f"{row} takes whole steps only")
    problem = synthetic_problem(97, 5)
    settings = {"optimizer": optimizer, "max_iter": 20, "l2": 0.1, "tol": 1e-6 if optimizer in OF_ALL_ROWS else 0.0}
    trained = LogisticRegression(row=row, **settings).fit(problem.X, problem.y)
    peer = LogisticRegression(row="numpy-blas", **settings).fit(problem.X, problem.y)
    np.testing.assert_allclose(parameters(trained), parameters(peer), rtol=1e-6)
    np.testing.assert_allclose(trained.costs_, peer.costs_, rtol=1e-6)
    assert trained.row_ == row


def blas_threads():
    """The threads of each BLAS in this process, by the folder it was loaded from."""
    pools = threadpool_info()
    return {Path(pool["filepath"]).parent.name: pool["num_threads"] for pool in pools if pool["user_api"] == "blas"}


def test_lbfgs_limits_scipys_own_blas_and_no_other():
    """NumPy's BLAS computes for some rows, and keeps its threads; afterwards SciPy's has its own again."""
    if not (own := {Path(pool["filepath"]).parent.name for pool in scipys_blas().info()}):
        pytest.skip("SciPy has no BLAS of its own here")
    X, y = breast_cancer()
    before, during = blas_threads(), []
    LogisticRegression(l2=1e-2, verbose=lambda *_: during.append(blas_threads())).fit(X, y)
    assert during[0] == {folder: 1 if folder in own else threads for folder, threads in before.items()}
    assert blas_threads() == before
