"""Sums and partial loads of vectors."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from stepkernels import simd

DTYPES = ("float32", "float64")


@njit
def sums_of(X, out):
    n = X.shape[1]
    rows = (
        simd.load(X, 0), simd.load(X, n), simd.load(X, 2 * n), simd.load(X, 3 * n),
        simd.load(X, 4 * n), simd.load(X, 5 * n), simd.load(X, 6 * n), simd.load(X, 7 * n),
    )  # fmt: skip
    simd.store_sums(out, 0, rows)


@njit
def load_part_of(x, count, out):
    simd.store(out, 0, simd.load_part(x, 0, count))


@pytest.mark.parametrize("dtype", DTYPES)
def test_sums_of_eight_vectors_keep_their_rows_apart(dtype):
    lanes = simd.VECTOR_BYTES // np.dtype(dtype).itemsize
    X = (2 ** np.arange(8)[:, None] * np.ones(lanes)).astype(dtype)
    X[:, 0] += np.arange(8)
    out = np.zeros(8, dtype)
    sums_of(X, out)
    np.testing.assert_array_equal(out, X.sum(axis=1))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_partial_load_fills_up_with_zeros(dtype):
    lanes = simd.VECTOR_BYTES // np.dtype(dtype).itemsize
    x, out = np.arange(1, lanes + 1).astype(dtype), np.empty(lanes, dtype)
    for count in range(-1, lanes + 2):
        load_part_of(x, count, out)
        np.testing.assert_array_equal(out, np.where(np.arange(lanes) < count, x, 0))
