"""The fused rows on the CPU: the exponential against mpmath, and the pass against the truth and the matrix form."""

from __future__ import annotations

import math
import subprocess
import sys
import tracemalloc

import mpmath
import numpy as np
import pytest
from numba import njit, types

from runs import environment
from stepkernels import GD, Adam, Config, Problem, simd, synthetic_problem
from stepkernels.agreement import Traits, compare, expect_step
from stepkernels.catalog import CATALOG
from stepkernels.reference import Point
from stepkernels.rows import numba_fused
from stepkernels.rows.numba_fused import tiles as numba_tiles
from stepkernels.simd import exponential

DTYPES = ("float32", "float64")
ROWS = ("numba-fused", "numba-fused-parallel")
OPTIMIZERS = (GD(learning_rate=0.5), Adam(learning_rate=0.01))

# 1×1; primes on both sides of a vector and of eight rows; one row, one column; one tile in float32, two in float64;
# just past the largest block, and past the block of this n; more than enough for two threads; a row wider than a
# block's 20 KiB.
SHAPES = [
    (1, 1), (1, 7), (2, 3), (7, 1), (13, 17), (31, 61), (67, 67), (97, 129), (128, 9),
    (257, 5), (513, 2), (82, 50), (17, 1000), (1009, 101), (5, 9001),
]  # fmt: skip


@njit
def exp_of(x, out):
    for i in range(0, len(x), simd.lanes(x)):
        simd.store(out, i, simd.exp(simd.load(x, i)))


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


def agreement_of(row: str, problem: Problem, config: Config, steps: int = 1):
    """The worst step, each judged from the row's own state before it."""
    workspace = CATALOG[row].bind(problem, config)
    traits = Traits.of(CATALOG[row])
    results = []
    for _ in range(steps):
        expected = expect_step(problem, config, Point.of(workspace.snapshot()), traits)
        workspace.step()
        results.append(compare(workspace.snapshot(), expected, config.dtype))
    return max(results, key=lambda result: result.worst)


def started(problem: Problem, seed: int = 1, scale: float = 1.0) -> Problem:
    """The problem from random parameters."""
    random = np.random.default_rng(seed)
    return Problem(problem.X, problem.y, scale * random.standard_normal(problem.n), float(random.standard_normal()))


@pytest.fixture
def always_parallel(monkeypatch):
    """Two parts at every size, however small: what the rule would leave to one thread is tested on two."""
    monkeypatch.setattr(numba_fused, "shares_worth", lambda m, n, available: 2)
    monkeypatch.setattr(numba_fused, "worth_waking", lambda m, n: True)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), SHAPES)
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("copied", [0, 2**24], ids=["row-major", "tiles"])
def test_steps_agree_with_the_truth(copied, row, m, n, dtype, optimizer, always_parallel, monkeypatch):
    monkeypatch.setattr(numba_tiles, "COPIED", copied)
    problem = started(synthetic_problem(m, n, dtype))
    result = agreement_of(row, problem, Config(dtype=dtype, optimizer=optimizer, l2=0.125), steps=3)
    assert result.agrees, result.reason


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", ROWS)
def test_the_gradient_equals_that_of_the_matrix_form(row, dtype, always_parallel):
    problem = started(synthetic_problem(300, 77, dtype))
    config = Config(dtype=dtype, l2=0.5)
    fused, matrix = CATALOG[row].bind(problem, config), CATALOG["numpy-blas"].bind(problem, config)
    fused.gradient()
    matrix.gradient()
    a, b = fused.snapshot(), matrix.snapshot()
    for name in ("J", "gw", "gb"):
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=0, atol=30 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("margin", [1.0, 30.0, 90.0, 700.0, 1e4])
def test_extreme_margins_stay_accurate(row, margin, dtype, always_parallel):
    """Right and wrong by up to `margin`: the losses reach from nothing at all to the margin itself."""
    random = np.random.default_rng(2)
    X = np.concatenate([np.linspace(-1, 1, 200), 10.0 ** random.uniform(-6, 0, 200)])[:, None]
    problem = Problem(X.astype(dtype), random.integers(0, 2, 400).astype(dtype), np.array([margin]))
    result = agreement_of(row, problem, Config(dtype=dtype))
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


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("fewest", [1, 100], ids=["team", "pool"])
def test_training_is_the_same_bits_as_steps(fewest, row, dtype, optimizer, always_parallel, monkeypatch):
    monkeypatch.setattr(numba_fused, "STEPS_WORTH_A_THREAD", fewest)
    config = Config(dtype=dtype, optimizer=optimizer, l2=0.01)
    trained, stepped = (CATALOG[row].bind(synthetic_problem(501, 11, dtype), config) for _ in range(2))
    trained.train(4)
    trained.train(3)
    costs = []
    for _ in range(7):
        stepped.step()
        costs.append(float(stepped.snapshot().J))
    a, b = trained.snapshot(), stepped.snapshot()
    for name in ("J", "w", "b", "gw", "gb", "moment1", "moment2", "step"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    np.testing.assert_array_equal(a.costs, np.array(costs[4:], dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_run_gives_the_same_bits(dtype, always_parallel):
    problem = started(synthetic_problem(3001, 23, dtype))
    workspace = CATALOG["numba-fused-parallel"].bind(problem, Config(dtype=dtype))
    workspace.gradient()
    first = workspace.snapshot()
    for _ in range(20):
        workspace.gradient()
        again = workspace.snapshot()
        assert np.array_equal(first.gw, again.gw)
        assert first.J == again.J
        assert first.gb == again.gb


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
def test_the_same_bits_whoever_works_the_shares_off(optimizer, dtype, monkeypatch):
    """One thread, the pool and a team; the shares of 700 rows are of different lengths."""
    problem, config = started(synthetic_problem(700, 31, dtype)), Config(dtype=dtype, optimizer=optimizer, l2=0.1)
    monkeypatch.setattr(numba_fused, "shares_worth", lambda m, n, available: 3)
    results = []
    for pool, fewest in ((False, 100), (True, 100), (False, 1)):
        monkeypatch.setattr(numba_fused, "worth_waking", lambda m, n, pool=pool: pool)
        monkeypatch.setattr(numba_fused, "STEPS_WORTH_A_THREAD", fewest)
        workspace = CATALOG["numba-fused-parallel"].bind(problem, config)
        workspace.train(30)
        results.append(workspace.snapshot())
    first, *others = results
    for other in others:
        for name in ("J", "w", "b", "gw", "gb", "moment1", "moment2", "costs"):
            np.testing.assert_array_equal(getattr(first, name), getattr(other, name))


@pytest.mark.parametrize("threads", [3, 8])
@pytest.mark.parametrize(("m", "n"), [(1, 5), (2, 5), (7, 5), (33, 3)])
def test_more_threads_than_rows_and_shares_without_rows(m, n, threads, monkeypatch):
    monkeypatch.setattr(numba_fused, "shares_worth", lambda m, n, available: threads)
    monkeypatch.setattr(numba_fused, "worth_waking", lambda m, n: True)
    result = agreement_of("numba-fused-parallel", started(synthetic_problem(m, n)), Config(l2=0.1))
    assert result.agrees, result.reason


def test_the_gradient_may_be_asked_for_again():
    workspace = CATALOG["numba-fused"].bind(synthetic_problem(100, 7), Config())
    workspace.gradient()
    first = workspace.snapshot()
    workspace.gradient()
    np.testing.assert_array_equal(first.gw, workspace.snapshot().gw)


def data_of(problem: Problem) -> np.ndarray:
    return CATALOG["numba-fused"].bind(problem, Config(dtype=problem.dtype)).X


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), [(128, 13), (569, 30), (1000, 1), (2551, 64)])
def test_a_small_x_is_copied_into_tiles(m, n, dtype):
    problem = synthetic_problem(m, n).astype(dtype)
    tiles = data_of(problem)
    rows = tiles.transpose(0, 2, 1).reshape(-1, n)
    assert np.array_equal(rows[:m], problem.X)
    assert not rows[m:].any()
    assert tiles.ctypes.data % 64 == 0 == tiles.strides[1] % 64
    assert tiles.nbytes <= 4 / 3 * problem.X.nbytes


@pytest.mark.parametrize("m", [1, 60, 130])
def test_x_is_viewed_where_tiles_would_hold_many_zeros(m):
    problem = synthetic_problem(m, 9, "float32")
    assert np.shares_memory(data_of(problem), problem.X)


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=1)[:, ::2]], ids=["F", "strided"])
def test_tiles_of_an_x_in_any_layout(layout):
    problem = synthetic_problem(200, 30)
    other = Problem(layout(problem.X), problem.y)
    assert np.array_equal(data_of(other), data_of(problem))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [116, 128])
def test_rows_that_only_fill_a_tile_add_nothing(m, dtype):
    """Zeros times an infinite w are NaN: of 116 rows the last tile has 12 such rows, which must not reach gw."""
    problem = synthetic_problem(m, 5, dtype)
    problem = Problem(np.column_stack([np.ones(m, dtype), problem.X]), problem.y)
    workspace = CATALOG["numba-fused"].bind(problem, Config(dtype=dtype))
    assert workspace.X.ndim == 3
    workspace.reset(w=np.array([-np.inf, 0, 0, 0, 0, 0]))
    workspace.gradient()
    expected = -problem.X.T @ problem.y / m
    np.testing.assert_allclose(workspace.snapshot().gw[1:], expected[1:], rtol=0, atol=1e-6)


def test_blocks_of_a_large_array_are_viewed():
    whole = synthetic_problem(50_000, 50)
    blocks = [Problem(whole.X[start : start + 128], whole.y[start : start + 128]) for start in (0, 300)]
    assert all(np.shares_memory(data_of(block), whole.X) for block in blocks)


def test_a_large_x_is_viewed_when_it_is_row_major_and_copied_when_it_is_not(monkeypatch):
    monkeypatch.setattr(numba_tiles, "COPIED", 0)
    problem = synthetic_problem(64, 8)
    assert np.shares_memory(data_of(problem), problem.X)
    columns = Problem(np.asfortranarray(problem.X), problem.y)
    result = agreement_of("numba-fused", columns, Config())
    assert result.agrees, result.reason


@pytest.mark.parametrize("copied", [0, 2**24])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [959, 960, 961, 2500])
def test_losses_of_more_rows_than_share_a_logarithm_agree(m, dtype, copied, monkeypatch):
    """All margins at zero, where the product of 1 + exp(−|t|) is largest: 2 a row."""
    monkeypatch.setattr(numba_tiles, "COPIED", copied)
    result = agreement_of("numba-fused", synthetic_problem(m, 30), Config(dtype=dtype))
    assert result.agrees, result.reason


def test_the_data_are_not_written():
    problem = synthetic_problem(300, 40)
    X, y = problem.X.copy(), problem.y.copy()
    CATALOG["numba-fused-parallel"].bind(problem, Config()).train(5)
    np.testing.assert_array_equal(problem.X, X)
    np.testing.assert_array_equal(problem.y, y)


@pytest.mark.parametrize("row", ROWS)
def test_after_a_warm_up_nothing_is_allocated(row, always_parallel):
    workspace = CATALOG[row].bind(synthetic_problem(2000, 30), Config())
    workspace.step()
    workspace.train(10)
    tracemalloc.start()
    workspace.step()
    workspace.train(10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4096, f"{peak} bytes"


@pytest.mark.parametrize("n", [1, 16, 30, 100, 1000, 2**15, 2**20])
@pytest.mark.parametrize("itemsize", [4, 8])
def test_blocks_fit_the_cache_or_are_one_row(n, itemsize):
    rows = numba_fused.rows_in_block(n, itemsize)
    assert 1 <= rows <= 256
    assert rows == 1 or rows * n * itemsize <= 256 * 1024


ONE_STEP = """
import sys
from stepkernels import Adam, Config, synthetic_problem
from stepkernels.catalog import CATALOG
row, method = sys.argv[1:]
problem = synthetic_problem(5000, 30)
workspace = CATALOG[row].bind(problem, Config(optimizer=Adam()))
workspace.train(1) if method == "train" else getattr(workspace, method)()
print(float(workspace.J[0]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("row", ["numba-loop", *ROWS])
def test_a_cache_filled_by_one_process_after_another_serves_them_all(row, tmp_path):
    """Numba loads code whose callees came from the cache themselves: with parallel code among them it jumps to zero."""
    costs = set()
    for method in ("gradient", "step", "train", "step"):
        finished = subprocess.run(
            [sys.executable, "-c", ONE_STEP, row, method],
            capture_output=True,
            text=True,
            env=environment(NUMBA_CACHE_DIR=str(tmp_path)),
            check=False,
        )
        assert finished.returncode == 0, f"{method}: {finished.returncode} {finished.stderr}"
        costs.add(finished.stdout)
    assert len(costs) == 1
