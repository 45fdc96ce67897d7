"""Storages of X narrower than float32: what each holds, exactly; what it does not; and rows that keep X in one."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fused_rows import OPTIMIZERS, PLANS, agreement_of, started
from stepkernels import Config, Problem, ProblemError, synthetic_problem
from stepkernels.catalog import CATALOG
from stepkernels.problem import STORAGES
from stepkernels.problem.storage import narrowed, rounded_to, scales_of
from stepkernels.rows.numba_fused import Division, Workspace

SHAPES = ((1, 1), (257, 7), (569, 30), (100, 33), (70, 101), (3000, 17))
WITHIN = st.floats(-60_000, 60_000, width=32)


def widened(bits, scales, storage):
    """The numbers that bits stand for, by a way of their own: NumPy's float16, a sum of powers of two, a product."""
    if storage == "float16":
        return bits.view(np.float16).astype(np.float64)
    if storage == "int8":
        return bits.astype(np.float64) * scales
    words = bits.astype(np.int64)
    exponent, fraction = (words >> 7) & 0xFF, words & 0x7F
    size = np.where(exponent == 0, np.ldexp(fraction / 128.0, -126), np.ldexp(1 + fraction / 128.0, exponent - 127))
    return np.where(words >> 15 == 1, -size, size)


@pytest.mark.parametrize("storage", STORAGES)
@given(X=arrays(np.float32, (5, 3), elements=WITHIN))
@settings(max_examples=200, derandomize=True)
def test_bits_are_those_of_the_stored_numbers(storage, X):
    stored = rounded_to(X, storage)
    bits, scales = narrowed(stored, storage)
    assert bits.dtype.itemsize == {"float16": 2, "bfloat16": 2, "int8": 1}[storage]
    assert np.array_equal(widened(bits, scales, storage), stored)
    assert np.array_equal(rounded_to(stored, storage), stored)


@pytest.mark.parametrize("wide", [np.float32, np.float64])
@given(x=st.floats(-1e38, 1e38))
@settings(max_examples=300, derandomize=True)
def test_bfloat16_is_the_nearest_and_of_two_the_even_one(wide, x):
    """Against the two numbers around it, by exact arithmetic; also from float64, where rounding twice would err."""
    x = wide(x)
    got = rounded_to(np.array([[x]]), "bfloat16")[0, 0]
    words = np.array([got]).view(np.uint32)[0] >> 16
    others = [
        np.array([(int(words) + step) << 16], np.uint32).view(np.float32)[0] for step in (-1, 1) if words & 0x7FFF
    ]
    distance = abs(Fraction(float(x)) - Fraction(float(got)))
    for other in others:
        if np.isfinite(other):
            beside = abs(Fraction(float(x)) - Fraction(float(other)))
            assert distance < beside or (distance == beside and words % 2 == 0)


def test_float64_is_not_rounded_twice():
    x = 1.0 + 2.0**-8 + 2.0**-40  # above the middle of two numbers of bfloat16, and in float32 in the middle
    assert rounded_to(np.array([[x]]), "bfloat16")[0, 0] == 1.0 + 2.0**-7


@given(X=arrays(np.float32, (6, 4), elements=st.floats(-(2.0**126), 2.0**126, width=32)))
@settings(max_examples=200, derandomize=True)
def test_int8_is_within_half_a_step_of_every_entry(X):
    scales = scales_of(X).astype(np.float64)
    assert np.all(np.abs(rounded_to(X, "int8") - X.astype(np.float64)) <= scales / 2)
    assert np.all(scales * 127 >= np.abs(X).max(axis=0))


@pytest.mark.parametrize("column", [[0.0, 0.0], [14.62, 14.62], [1e-40, -3e-41], [1e38, 1.0], [-5.0, 2.5]])
def test_odd_columns_have_scales_that_hold_their_largest(column):
    X = np.array(column, np.float32)[:, None]
    stored, scales = rounded_to(X, "int8"), scales_of(X)
    assert scales[0] > 0
    assert abs(float(stored[0, 0]) - float(X[0, 0])) <= 2.0**-15 * abs(float(X[0, 0])) + 127 * 2.0**-150
    assert np.array_equal(scales_of(stored), scales)


@pytest.mark.parametrize(("storage", "value"), [("float16", 65_520.0), ("float16", -1e30), ("bfloat16", 3.4e38)])
def test_a_number_beyond_its_range_is_told(storage, value):
    problem = Problem(np.array([[value], [1.0]], np.float32), [0, 1])
    with pytest.raises(ProblemError, match=rf"X holds .*, which is beyond {storage}, whose largest number is"):
        problem.stored(storage)


@pytest.mark.parametrize("storage", STORAGES)
def test_an_x_that_was_not_rounded_is_refused(storage):
    problem = synthetic_problem(20, 3, "float32")
    with pytest.raises(ProblemError, match=rf"X is not rounded to {storage}; take problem.stored\('{storage}'\)"):
        CATALOG["numba-fused"].bind(problem, Config(dtype="float32", storage=storage))


def test_bad_configurations_are_sentences():
    with pytest.raises(ProblemError, match="computed with in float32, not in float64"):
        Config(storage="float16")
    with pytest.raises(ProblemError, match="storage is 'float8'; it must be one of float16, bfloat16, int8, or None"):
        Config(dtype="float32", storage="float8")
    stored, config = synthetic_problem(9, 2, "float32").stored("int8"), Config(dtype="float32", storage="int8")
    with pytest.raises(ProblemError, match="numpy-blas keeps X as it is, not in int8"):
        CATALOG["numpy-blas"].bind(stored, config)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("storage", STORAGES)
def test_the_fused_row_agrees_in_every_storage(storage, plan):
    for shape in SHAPES:
        problem = started(synthetic_problem(*shape, "float32").stored(storage))
        for optimizer in OPTIMIZERS:
            config = Config(dtype="float32", storage=storage, optimizer=optimizer, l2=0.1)
            for division in (Division(), Division(shares=2, pool=True, team_from=100)):
                found = agreement_of(Workspace(problem, config, division, PLANS[plan]))
                assert found.agrees, f"{shape}: {found.reason}"


@pytest.mark.parametrize("storage", STORAGES)
def test_training_in_a_storage_is_that_many_steps(storage):
    problem = started(synthetic_problem(600, 30, "float32").stored(storage))
    config = Config(dtype="float32", storage=storage, l2=0.1)
    for division in (Division(), Division(shares=2, pool=True, team_from=5)):
        stepped, trained = (Workspace(problem, config, division) for _ in range(2))
        for _ in range(20):
            stepped.step()
        trained.train(20)
        assert np.array_equal(trained.snapshot().w, stepped.snapshot().w)


@pytest.mark.parametrize("storage", STORAGES)
def test_a_step_is_that_of_the_stored_numbers_kept_wide(storage):
    """A narrow row and a wide one differ by rounding alone: nothing else of X is lost."""
    problem = started(synthetic_problem(5000, 20, "float32").stored(storage))
    narrow, wide = (CATALOG["numba-fused"].bind(problem, Config(dtype="float32", storage=s)) for s in (storage, None))
    narrow.step()
    wide.step()
    np.testing.assert_allclose(narrow.snapshot().gw, wide.snapshot().gw, rtol=2e-5, atol=1e-7)
