"""The fused rows on the CPU and memory: when X is copied into tiles, what is written, what a step allocates."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

from fused_rows import DIVISIONS, DTYPES, agreement_of
from stepkernels import Config, Problem, synthetic_problem
from stepkernels.catalog import CATALOG
from stepkernels.rows.numba_fused import Division, ReadingPlan, Workspace
from stepkernels.rows.numba_fused.pipeline import LAG, rows_in_group
from stepkernels.rows.numba_fused.tiles import VECTORS
from stepkernels.simd import ROWS_AT_ONCE, VECTOR_BYTES


def data_of(problem: Problem, plan: ReadingPlan | None = None) -> np.ndarray:
    return Workspace(problem, Config(dtype=problem.dtype), Division(), plan).data.X


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


TILE = VECTORS * VECTOR_BYTES // 4  # rows of float32: 128, or 64 without AVX-512


@pytest.mark.parametrize("m", [1, TILE // 2 - 4, TILE + 2])
def test_x_is_viewed_where_tiles_would_hold_many_zeros(m):
    problem = synthetic_problem(m, 9, "float32")
    assert np.shares_memory(data_of(problem), problem.X)


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=1)[:, ::2]], ids=["F", "strided"])
def test_tiles_of_an_x_in_any_layout(layout):
    problem = synthetic_problem(200, 30)
    other = Problem(layout(problem.X), problem.y)
    assert np.array_equal(data_of(other), data_of(problem))


def test_blocks_of_a_large_array_are_viewed():
    whole = synthetic_problem(50_000, 50)
    blocks = [Problem(whole.X[start : start + 128], whole.y[start : start + 128]) for start in (0, 300)]
    assert all(np.shares_memory(data_of(block), whole.X) for block in blocks)


def test_a_large_x_is_viewed_when_it_is_row_major_and_copied_when_it_is_not():
    problem = synthetic_problem(64, 8)
    assert np.shares_memory(data_of(problem, ReadingPlan()), problem.X)
    columns = Problem(np.asfortranarray(problem.X), problem.y)
    result = agreement_of(Workspace(columns, Config(), Division(), ReadingPlan()))
    assert result.agrees, result.reason


def test_the_data_are_not_written():
    problem = synthetic_problem(300, 40)
    X, y = problem.X.copy(), problem.y.copy()
    CATALOG["numba-fused-parallel"].bind(problem, Config()).train(5)
    np.testing.assert_array_equal(problem.X, X)
    np.testing.assert_array_equal(problem.y, y)


@pytest.mark.parametrize("division", DIVISIONS.values(), ids=DIVISIONS)
def test_after_a_warm_up_nothing_is_allocated(division):
    workspace = Workspace(synthetic_problem(2000, 30), Config(), division)
    workspace.step()
    workspace.train(10)
    tracemalloc.start()
    workspace.step()
    workspace.train(10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4096, f"{peak} bytes"


@pytest.mark.parametrize("division", DIVISIONS.values(), ids=DIVISIONS)
def test_a_workspace_is_freed_with_its_last_holder_and_waits_for_no_collector(division):
    """Blocks of a file on disk are bound one after the other, each with a copy of its X."""
    workspace = Workspace(synthetic_problem(2000, 30), Config(), division)
    workspace.train(300)
    gone = weakref.ref(workspace)
    gc.disable()
    try:
        del workspace
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("n", [1, 16, 30, 100, 1000, 2**15, 2**20])
@pytest.mark.parametrize("itemsize", [4, 8])
def test_groups_are_vectors_of_margins_and_lie_in_the_first_cache_where_they_can(n, itemsize):
    rows, least = rows_in_group(n, itemsize), max(ROWS_AT_ONCE, VECTOR_BYTES // itemsize)
    assert rows % least == 0
    assert rows == least or (LAG + 1) * rows * n * itemsize <= 32 * 1024
