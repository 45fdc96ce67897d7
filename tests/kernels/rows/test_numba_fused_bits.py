"""The fused rows on the CPU give the same bits: every run, whoever works, and from a cache on disk."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fused_rows import DIVISIONS, DTYPES, OPTIMIZERS, started
from runs import environment
from stepkernels import Config, synthetic_problem
from stepkernels.catalog import CATALOG
from stepkernels.rows.numba_fused import Division, Workspace


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("division", DIVISIONS.values(), ids=DIVISIONS)
@pytest.mark.parametrize("team_from", [1, 100], ids=["team", "pool"])
def test_training_is_the_same_bits_as_steps(team_from, division, dtype, optimizer):
    division = division._replace(team_from=team_from)
    config = Config(dtype=dtype, optimizer=optimizer, l2=0.01)
    trained, stepped = (Workspace(synthetic_problem(501, 11, dtype), config, division) for _ in range(2))
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
def test_every_run_gives_the_same_bits(dtype):
    problem = started(synthetic_problem(3001, 23, dtype))
    workspace = Workspace(problem, Config(dtype=dtype), DIVISIONS["numba-fused-parallel"])
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
def test_the_same_bits_whoever_works_the_shares_off(optimizer, dtype):
    """One thread, the pool and a team; the shares of 700 rows are of different lengths."""
    problem, config = started(synthetic_problem(700, 31, dtype)), Config(dtype=dtype, optimizer=optimizer, l2=0.1)
    results = []
    for pool, team_from in ((False, 200), (True, 200), (False, 2)):
        workspace = Workspace(problem, config, Division(3, pool, team_from))
        workspace.train(30)
        results.append(workspace.snapshot())
    first, *others = results
    for other in others:
        for name in ("J", "w", "b", "gw", "gb", "moment1", "moment2", "costs"):
            np.testing.assert_array_equal(getattr(first, name), getattr(other, name))


def test_the_gradient_may_be_asked_for_again():
    workspace = CATALOG["numba-fused"].bind(synthetic_problem(100, 7), Config())
    workspace.gradient()
    first = workspace.snapshot()
    workspace.gradient()
    np.testing.assert_array_equal(first.gw, workspace.snapshot().gw)


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
@pytest.mark.parametrize("row", ["numba-loop", *DIVISIONS])
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
