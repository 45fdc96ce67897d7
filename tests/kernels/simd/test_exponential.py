"""The exponential of vectors, against mpmath."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from numba import njit, types

from stepkernels import simd
from stepkernels.simd import exponential

DTYPES = ("float32", "float64")


@njit
def exp_of(x, out):
    for i in range(0, len(x), simd.lanes(x)):
        simd.store(out, i, simd.exp(simd.load(x, i)))


def exponentials(x: np.ndarray) -> np.ndarray:
    lanes = simd.VECTOR_BYTES // x.itemsize
    padded = np.zeros(-(-len(x) // lanes) * lanes, x.dtype)
    padded[: len(x)] = x
    out = np.empty_like(padded)
    exp_of(padded, out)
    return out[: len(x)]


def ulp_errors(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """|value − eˣ| in units of the spacing of the dtype at eˣ."""
    with mpmath.workdps(40):
        exact = [mpmath.exp(mpmath.mpf(float(argument))) for argument in x]
        spacings = np.spacing(np.array([float(value) for value in exact]).astype(x.dtype))
        differences = [abs(mpmath.mpf(float(v)) - e) for v, e in zip(values, exact, strict=True)]
        return np.array([float(d / float(s)) for d, s in zip(differences, spacings, strict=True)])


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_is_within_one_ulp(dtype):
    info = np.finfo(dtype)
    random = np.random.default_rng(0)
    smallest = math.log(float(info.smallest_normal))
    multiples = -np.arange(0, 2 * abs(smallest)) * (math.log(2) / 2)  # where the reduced argument is largest
    x = np.concatenate([random.uniform(smallest, 0, 4000), -(10.0 ** random.uniform(-20, 0, 1000)), multiples])
    x = x[x > smallest].astype(dtype)
    errors = ulp_errors(exponentials(x), x)
    assert errors.max() < 1.0, f"{errors.max():.3f} ULP at {x[errors.argmax()]!r}"


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_underflows_gradually(dtype):
    info = np.finfo(dtype)
    x = np.linspace(math.log(float(info.smallest_subnormal)), math.log(float(info.smallest_normal)), 500).astype(dtype)
    assert ulp_errors(exponentials(x), x).max() <= 1.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_exp_at_its_ends(dtype):
    x = np.array([0.0, -0.0, -1e4, -np.inf, np.nan, -np.finfo(dtype).max], dtype)
    np.testing.assert_array_equal(exponentials(x), np.array([1.0, 1.0, 0.0, 0.0, np.nan, 0.0], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_series_of_exp_is_the_polynomial_through_chebyshevs_points(dtype):
    series = exponential._EXP[getattr(types, dtype)].series
    with mpmath.workdps(40):
        half, count = mpmath.log(2) / 2, len(series)
        points = [half * mpmath.cos(mpmath.pi * (2 * i + 1) / (2 * count)) for i in range(count)]
        powers = mpmath.matrix([[r**k for k in range(count)] for r in points])
        values = mpmath.matrix([(mpmath.exp(r) - 1 - r) / r**2 if abs(r) > 1e-12 else mpmath.mpf(0.5) for r in points])
        derived = mpmath.lu_solve(powers, values)
    np.testing.assert_allclose(series, [float(c) for c in derived], rtol=1e-12)
