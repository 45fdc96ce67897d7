"""A classifier that keeps X in fewer bits: at the optimum of the numbers it keeps, near that of the others."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from stepkernels import LogisticRegression, ProblemError, synthetic_problem
from stepkernels.problem import STORAGES

PROBLEM = synthetic_problem(3_000, 8, "float64", 1)
X, Y = PROBLEM.X, PROBLEM.y
NEAR = {"float16": 2e-3, "bfloat16": 1e-2, "int8": 2e-2}  # of coefficients about 1, some roundings of an entry of X


def fitted(**settings: object) -> LogisticRegression:
    return LogisticRegression(**{"l2": 0.01, "tol": 1e-6, **settings}).fit(X, Y)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_fit_is_that_of_the_stored_numbers_and_near_that_of_the_others(storage):
    kept, wide = fitted(storage=storage), fitted()
    rounded = LogisticRegression(l2=0.01, tol=1e-6, dtype="float32").fit(PROBLEM.stored(storage).X, Y)
    np.testing.assert_allclose(kept.coef_, rounded.coef_, atol=2e-5)
    assert np.abs(kept.coef_ - wide.coef_).max() < NEAR[storage]
    assert kept.row_ == "numba-fused"
    assert kept.coef_.dtype == np.float32


@pytest.mark.parametrize("optimizer", ["gd", "adam"])
@pytest.mark.parametrize("storage", STORAGES)
def test_batches_keep_their_rows_in_it_too(storage, optimizer):
    settings = {"optimizer": optimizer, "batch_size": 500, "max_iter": 30, "tol": 0, "random_state": 0}
    kept, wide = fitted(storage=storage, **settings), fitted(**settings)
    assert np.abs(kept.coef_ - wide.coef_).max() < NEAR[storage]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"storage": "float8"}, "storage is 'float8'; it must be None or one of float16, bfloat16, int8"),
        ({"storage": "float16", "dtype": "float64"}, "set dtype to float32"),
        ({"storage": "int8", "row": "numpy-blas"}, "numpy-blas keeps X as it is, not in int8"),
    ],
)
def test_what_does_not_go_together_is_told(settings, sentence):
    with pytest.raises(ProblemError, match=sentence):
        fitted(**settings)


def test_a_number_beyond_the_storage_is_told():
    with pytest.raises(ProblemError, match="beyond float16"):
        LogisticRegression(storage="float16").fit(1e6 * X, Y)
