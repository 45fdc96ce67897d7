"""The fused rows on the CPU: every step against the truth, and a gradient against the matrix form."""

from __future__ import annotations

import math

import numba
import numpy as np
import pytest

from fused_rows import DIVISIONS, DTYPES, OPTIMIZERS, PLANS, agreement_of, started
from stepkernels import Config, Problem, synthetic_problem
from stepkernels.catalog import CATALOG
from stepkernels.rows.numba_fused import Division, Workspace, division_of
from stepkernels.rows.numba_fused.pipeline import in_order_of_rows

# 1×1; primes on both sides of a vector and of the rows at once; one row, one column; one tile in float32, two in
# float64; more rows than share a logarithm; several groups and a rest of each length; rows wider than a cache.
SHAPES = [
    (1, 1), (1, 7), (2, 3), (7, 1), (13, 17), (31, 61), (67, 67), (97, 129), (128, 9),
    (257, 5), (1153, 2), (82, 50), (66, 50), (71, 50), (17, 1000), (1009, 101), (5, 9001),
]  # fmt: skip


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), SHAPES)
@pytest.mark.parametrize("division", DIVISIONS.values(), ids=DIVISIONS)
@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
def test_steps_agree_with_the_truth(plan, division, m, n, dtype, optimizer):
    problem = started(synthetic_problem(m, n, dtype))
    config = Config(dtype=dtype, optimizer=optimizer, l2=0.125)
    result = agreement_of(Workspace(problem, config, division, plan), steps=3)
    assert result.agrees, result.reason


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("division", DIVISIONS.values(), ids=DIVISIONS)
def test_the_gradient_equals_that_of_the_matrix_form(division, dtype):
    problem = started(synthetic_problem(300, 77, dtype))
    config = Config(dtype=dtype, l2=0.5)
    fused, matrix = Workspace(problem, config, division), CATALOG["numpy-blas"].bind(problem, config)
    fused.gradient()
    matrix.gradient()
    a, b = fused.snapshot(), matrix.snapshot()
    for name in ("J", "gw", "gb"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=0, atol=30 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("division", DIVISIONS.values(), ids=DIVISIONS)
@pytest.mark.parametrize("margin", [1.0, 30.0, 90.0, 700.0, 1e4])
def test_extreme_margins_stay_accurate(division, margin, dtype):
    """Right and wrong by up to `margin`: the losses reach from nothing at all to the margin itself."""
    random = np.random.default_rng(2)
    X = np.concatenate([np.linspace(-1, 1, 200), 10.0 ** random.uniform(-6, 0, 200)])[:, None]
    problem = Problem(X.astype(dtype), random.integers(0, 2, 400).astype(dtype), np.array([margin]))
    result = agreement_of(Workspace(problem, Config(dtype=dtype), division))
    assert result.agrees, result.reason


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("margin", [20.0, 60.0])
def test_a_tiny_cost_keeps_its_digits(margin, dtype):
    """Every row right by a margin: a product of 1 + e would round each e away, and the cost would be zero."""
    problem = Problem(np.ones((1000, 1), dtype), np.ones(1000, dtype), np.array([margin]))
    workspace = CATALOG["numba-fused"].bind(problem, Config(dtype=dtype))
    workspace.gradient()
    np.testing.assert_allclose(workspace.snapshot().J, math.log1p(math.exp(-margin)), rtol=40 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_parameters_that_are_nan_are_not_hidden(dtype):
    workspace = CATALOG["numba-fused"].bind(synthetic_problem(50, 9, dtype), Config(dtype=dtype))
    workspace.reset(w=np.full(9, np.nan))
    workspace.gradient()
    broken = workspace.snapshot()
    assert np.isnan(broken.J)
    assert np.isnan(broken.gw).all()
    workspace.reset()
    workspace.gradient()
    assert np.isfinite(workspace.snapshot().J), "what a diverged step left in the scratch space must not be read"


@pytest.mark.parametrize("threads", [3, 8])
@pytest.mark.parametrize(("m", "n"), [(1, 5), (2, 5), (7, 5), (33, 3)])
def test_more_threads_than_rows_and_shares_without_rows(m, n, threads):
    division = Division(shares=threads, pool=True, team_from=100)
    result = agreement_of(Workspace(started(synthetic_problem(m, n)), Config(l2=0.1), division))
    assert result.agrees, result.reason


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [116, 128])
def test_rows_that_only_fill_a_tile_add_nothing(m, dtype):
    """Zeros times an infinite w are NaN: of 116 rows the last tile has 12 such rows, which must not reach gw."""
    problem = synthetic_problem(m, 5, dtype)
    problem = Problem(np.column_stack([np.ones(m, dtype), problem.X]), problem.y)
    workspace = CATALOG["numba-fused"].bind(problem, Config(dtype=dtype))
    assert workspace.data.X.ndim == 3
    workspace.reset(w=np.array([-np.inf, 0, 0, 0, 0, 0]))
    workspace.gradient()
    expected = -problem.X.T @ problem.y / m
    np.testing.assert_allclose(workspace.snapshot().gw[1:], expected[1:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [959, 960, 961, 2500])
def test_losses_of_more_rows_than_share_a_logarithm_agree(m, dtype, plan):
    """All margins at zero, where the product of 1 + exp(−|t|) is largest: 2 a row."""
    problem, config = synthetic_problem(m, 30, dtype), Config(dtype=dtype)
    result = agreement_of(Workspace(problem, config, Division(), plan))
    assert result.agrees, result.reason


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize(("m", "n", "shares"), [(1, 1, 1), (37, 3, 2), (1000, 20, 3), (5, 9000, 2), (4097, 1, 2)])
def test_every_row_is_met_once(m, n, shares, apart):
    for itemsize in (4, 8):
        order = in_order_of_rows(np.arange(m), n, itemsize, shares, apart)
        assert np.array_equal(np.sort(order), np.arange(m))
        assert apart or np.array_equal(order, np.arange(m))


@pytest.mark.parametrize(("m", "n"), [(1, 1), (569, 30), (5000, 30)])
def test_only_the_parallel_row_divides_its_work_and_as_the_rule_says(m, n):
    single, parallel = (CATALOG[row].bind(synthetic_problem(m, n), Config()) for row in DIVISIONS)
    assert single.division == division_of(m, n, 1) == Division()
    assert parallel.division == division_of(m, n, numba.get_num_threads())


def test_a_share_is_work_enough_for_a_thread_and_no_thread_is_without():
    assert division_of(569, 30, 64) == Division(shares=2, pool=False, team_from=100)
    assert division_of(2_000, 50, 64) == Division(shares=11, pool=True, team_from=1_000)
    assert division_of(100_000, 100, 2) == Division(shares=2, pool=True, team_from=100)
