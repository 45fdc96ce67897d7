"""Standardizing: zero mean and unit variance, whatever the size of X; a constant column becomes zero exactly."""

import numpy as np
import pytest

from stepbench.cases.data_table import blocks
from stepbench.cases.standardizing import scaling_of, standardize, standardized
from stepkernels.problem import ProblemError

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("rows", [2, 37, 1000])
def test_columns_of_any_scale_get_zero_mean_and_unit_variance(rows):
    X = RANDOM.standard_normal((rows, 4)) * np.logspace(-3, 6, 4) + 50.0
    scaled = standardized(X, "abcd", "float64")
    np.testing.assert_allclose(scaled.mean(axis=0), 0.0, atol=1e-10)
    np.testing.assert_allclose(scaled.std(axis=0), 1.0, rtol=1e-10)
    np.testing.assert_allclose(scaled * X.std(axis=0) + X.mean(axis=0), X, rtol=1e-12)


@pytest.mark.parametrize("value", [0.0, 7.0, 14.62, -1e-12, 1e15, 1e150])
@pytest.mark.parametrize("rows", [1, 3, 569, 10_007])
def test_a_constant_column_becomes_zero_though_its_mean_is_rounded(value, rows):
    """The computed mean of 569 times 14.62 is not 14.62, and what is left must not be scaled up to ±1."""
    X = np.column_stack([np.full(rows, value), np.arange(rows)])
    scaling = scaling_of(X, "ab")
    assert scaling.mean[0] == value
    assert scaling.scale[0] == 1.0
    assert scaling.constant.tolist() == [True, rows == 1]
    assert (standardized(X, "ab", "float64")[:, 0] == 0.0).all()


CONSTANTS = [
    np.True_, np.int8(-7), np.int64(2**53 + 1), np.uint64(2**63 + 1), np.float16(14.62), np.float32(14.62),
    np.float32(3e38), np.float64(14.62), np.float64(5e-324), np.float64(-1.7e308), np.longdouble("14.62"),
]  # fmt: skip


@pytest.mark.parametrize("value", CONSTANTS, ids=repr)
def test_a_constant_column_of_any_magnitude_and_dtype_becomes_zero(value):
    """Also where its squares overflow, or it has more digits than float64."""
    X = np.full((569, 2), value)
    scaling = scaling_of(X, "ab")
    assert scaling.constant.all()
    assert scaling.mean.dtype == np.float64
    for dtype in ("float32", "float64"):
        assert (standardized(X, "ab", dtype) == 0.0).all()


def test_strict_floating_point_changes_nothing():
    X = np.column_stack([np.full(9, 5e-324), np.linspace(1e-300, 1e-290, 9), np.arange(9.0)])
    plain = standardized(X, "abc", "float64")
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(standardized(X, "abc", "float64"), plain)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_large_x_is_scaled_in_blocks_to_the_numbers_of_the_whole(dtype):
    X = RANDOM.standard_normal((2**20 + 7, 3)).astype(dtype) + np.arange(3, dtype=dtype)
    assert len(list(blocks(X))) > 1
    scaling, exact = scaling_of(X, "abc"), X.astype(np.float64)
    np.testing.assert_allclose(scaling.mean, exact.mean(axis=0), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(scaling.scale, exact.std(axis=0), rtol=1e-10)
    scaled = standardized(X, "abc", dtype)
    assert scaled.dtype == dtype
    np.testing.assert_array_equal(scaled, standardize(X, scaling.mean, scaling.scale).astype(dtype))


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_is_standardized_is_a_row_major_copy(order):
    X = np.array(RANDOM.standard_normal((5, 2)), order=order)
    before = X.copy()
    assert standardized(X, "ab", "float64").flags.c_contiguous
    np.testing.assert_array_equal(X, before)


def test_whole_numbers_are_scaled_in_float64():
    X = np.array([[-8, 1], [2, 3]])
    np.testing.assert_array_equal(standardized(X, "ab", "float64"), [[-1.0, -1.0], [1.0, 1.0]])


def test_a_column_whose_variance_overflows_is_named():
    with pytest.raises(
        ProblemError, match=r"variance of the column 'b' overflows\. Divide its values by a large number"
    ):
        scaling_of(np.array([[1.0, 1e300], [2.0, -1e300]]), "ab")
