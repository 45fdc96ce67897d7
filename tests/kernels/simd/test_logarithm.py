"""The logarithm of one plus a vector, against mpmath."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from numba import njit

from stepkernels import simd

DTYPES = ("float32", "float64")


@njit
def log1p_of(x, out):
    for i in range(0, len(x), simd.lanes(x)):
        simd.store(out, i, simd.log1p(simd.load(x, i)))


def logarithms(x: np.ndarray) -> np.ndarray:
    lanes = simd.VECTOR_BYTES // x.itemsize
    padded = np.zeros(-(-len(x) // lanes) * lanes, x.dtype)
    padded[: len(x)] = x
    out = np.empty_like(padded)
    log1p_of(padded, out)
    return out[: len(x)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_log1p_is_within_two_ulp(dtype):
    random = np.random.default_rng(0)
    tiny = 10.0 ** random.uniform(-37, 0, 1000)  # a margin of 87 or more
    x = np.concatenate([random.uniform(0, 1, 4000), tiny, [1.0, np.finfo(dtype).tiny]]).astype(dtype)
    with mpmath.workdps(60):
        exact = [mpmath.log1p(mpmath.mpf(float(argument))) for argument in x]
        spacings = np.spacing(np.array([float(value) for value in exact]).astype(dtype))
        values = logarithms(x)
        errors = [
            float(abs(mpmath.mpf(float(v)) - e) / float(s)) for v, e, s in zip(values, exact, spacings, strict=True)
        ]
    assert max(errors) < 2.0, f"{max(errors):.3f} ULP at {x[int(np.argmax(errors))]!r}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_log1p_at_its_ends(dtype):
    x = np.array([0.0, np.nan], dtype)
    np.testing.assert_array_equal(logarithms(x), x)
