"""Planted data: at the sizes that are timed, a row left out and a product of 16 bits are beyond the bound."""

import numpy as np
import pytest

from stepbench.cases.datasets import make_problem
from stepbench.cases.planting import dress, edges
from stepbench.proof.points import random_point
from stepkernels import reference
from stepkernels.agreement import Traits, expect_step
from stepkernels.problem import Config, Problem, synthetic_problem
from stepkernels.problem.storage import scales_of

BLOCKED = Traits("blocked", "stable")
LARGE = (100_000, 100)


def to_bfloat16(X):
    """Rounded to nearest, in float32."""
    bits = X.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & np.uint32(0xFFFF0000)).view(np.float32)


def to_half(X):
    return X.astype(np.float16).astype(np.float32)


def to_tf32(X):
    bits = X.view(np.uint32)
    return ((bits + 0x0FFF + ((bits >> 13) & 1)) & np.uint32(0xFFFFE000)).view(np.float32)


@pytest.fixture(scope="module")
def large():
    problem = make_problem("synthetic", *LARGE, "float32", seed=0)
    config = Config(dtype="float32", l2=1e-3)
    points = [random_point(problem, config, seed) for seed in range(3)]
    return problem, config, [(point, expect_step(problem, config, point, BLOCKED)) for point in points]


def worst(problem, large):
    """Of the gradient and the cost of another problem, in bounds of the right one's, by point."""
    _, config, expected = large
    found = []
    for point, expectation in expected:
        wrong = reference.gradient(problem, point.w, point.b, config.l2)
        errors = [
            np.abs(getattr(wrong, name) - value) / bound
            for name, (value, bound) in expectation.items()
            if hasattr(wrong, name)
        ]
        found.append(max(float(np.max(error)) for error in errors))
    return found


@pytest.mark.parametrize("rounded", [to_bfloat16, to_half, to_tf32])
def test_a_product_of_sixteen_bits_shows(large, rounded):
    problem = large[0]
    assert min(worst(Problem(rounded(problem.X.copy()), problem.y), large)) > 1.0


@pytest.mark.parametrize("row", edges(LARGE[0]))
def test_a_row_left_out_at_an_edge_shows(large, row):
    problem = large[0]
    X, y = problem.X.copy(), problem.y.copy()
    X[row] = 0.0
    assert min(worst(Problem(X, y), large)) > 1.0


def test_entries_hardly_change(large):
    X = synthetic_problem(*LARGE, "float32").X
    changed = X.copy()
    dress(changed)
    assert np.all(np.abs(changed - X) <= 2.0**-7 * np.abs(X))
    zeros = np.zeros((3, 1), np.float32)
    dress(zeros)
    assert not zeros.any()


def test_float64_needs_none_of_it():
    problem = make_problem("synthetic", 57, 5, "float64", seed=0)
    assert np.array_equal(problem.X, synthetic_problem(57, 5, "float64", 0).X)


@pytest.mark.parametrize("storage", ["float16", "bfloat16"])
def test_a_row_left_out_shows_in_a_storage_of_sixteen_bits_too(storage):
    problem = make_problem("synthetic", *LARGE, "float32", seed=0, storage=storage)
    config = Config(dtype="float32", l2=1e-3)
    points = [random_point(problem, config, seed) for seed in range(3)]
    expected = [(point, expect_step(problem, config, point, BLOCKED)) for point in points]
    without = Problem(problem.X[:-1], problem.y[:-1])
    assert min(worst(without, (problem, config, expected))) > 1.0


def test_of_int8_the_planted_rows_leave_the_scales_of_the_columns_as_they_are():
    planted, plain = (make_problem("synthetic", *LARGE, "float32", 0, evidence=each) for each in (True, False))
    in_int8 = make_problem("synthetic", *LARGE, "float32", 0, storage="int8")
    np.testing.assert_array_equal(scales_of(in_int8.X), scales_of(plain.X))
    assert (scales_of(planted.X) > 2.0 * scales_of(plain.X)).all()


def test_a_storage_holds_what_is_planted_for_it_at_any_size():
    for storage in ("float16", "bfloat16", "int8"):
        assert np.isfinite(make_problem("synthetic", 3_000_000, 1, "float32", 0, storage=storage).X).all()
