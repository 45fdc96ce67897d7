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
def sums_of_four(X, out):
    n = X.shape[1]
    simd.store_sums(out, 0, (simd.load(X, 0), simd.load(X, n), simd.load(X, 2 * n), simd.load(X, 3 * n)))


@njit
def products_of_rows(X, w, r, stride, count, margins_out, sums_out):
    margins, factors = simd.zero_for_each_row(X), simd.element_of_each_row(r, 0)
    margins = simd.add_to_each_row_part(margins, simd.load(w, 0), X, 0, stride, count)
    simd.store_sums(margins_out, 0, margins)
    simd.store(sums_out, 0, simd.add_of_all_rows_part(simd.load(sums_out, 0), factors, X, 0, stride, count))


@njit
def load_part_of(x, count, out):
    simd.store(out, 0, simd.load_part(x, 0, count))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("sums", "rows"), [(sums_of, 8), (sums_of_four, 4)], ids=["eight", "four"])
def test_sums_of_vectors_keep_their_rows_apart(sums, rows, dtype):
    lanes = simd.VECTOR_BYTES // np.dtype(dtype).itemsize
    X = (2 ** np.arange(rows)[:, None] * np.ones(lanes)).astype(dtype)
    X[:, 0] += np.arange(rows)
    out = np.zeros(rows, dtype)
    sums(X, out)
    np.testing.assert_array_equal(out, X.sum(axis=1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("apart", [1, 3])
def test_products_with_rows_at_once_use_the_counted_columns_alone(apart, dtype):
    lanes, rows = simd.VECTOR_BYTES // np.dtype(dtype).itemsize, simd.ROWS_AT_ONCE
    X = np.arange(1.0, 1 + rows * apart * lanes).astype(dtype).reshape(rows * apart, lanes)
    w, r = np.arange(1.0, 1 + lanes).astype(dtype), np.arange(1.0, 1 + rows).astype(dtype)
    for count in range(1, lanes + 1):
        used = np.where(np.arange(lanes) < count, X, 0)[::apart]
        margins, sums = np.zeros(rows, dtype), np.ones(lanes, dtype)
        products_of_rows(X, w, r, apart * lanes, count, margins, sums)
        np.testing.assert_allclose(margins, used @ w, rtol=1e-6)
        np.testing.assert_allclose(sums, 1 + used.T @ r, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_partial_load_fills_up_with_zeros(dtype):
    lanes = simd.VECTOR_BYTES // np.dtype(dtype).itemsize
    x, out = np.arange(1, lanes + 1).astype(dtype), np.empty(lanes, dtype)
    for count in range(-1, lanes + 2):
        load_part_of(x, count, out)
        np.testing.assert_array_equal(out, np.where(np.arange(lanes) < count, x, 0))
