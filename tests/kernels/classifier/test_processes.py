"""Fits in forked, spawned and nested processes and in threads: each ends, and with the same parameters.

Each trial is a process of its own with a limit: what goes wrong hangs, or ends the interpreter.
"""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
import textwrap

import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from runs import environment
from stepkernels.catalog import CATALOG

SECONDS = 240  # compiling for the first time included

PREAMBLE = """
import multiprocessing, threading, warnings
import numpy as np
from concurrent.futures import ThreadPoolExecutor
from stepkernels import Config, LogisticRegression, ProblemError, synthetic_problem
from stepkernels.catalog import CATALOG

warnings.simplefilter("ignore")
problem = synthetic_problem(12_500, 8)
X, y = problem.X, problem.y

def fit(row="auto", **settings):
    model = LogisticRegression(row=row, l2=0.1, **settings).fit(X, y)
    return model.row_, np.append(model.coef_, model.intercept_)

def attempt(row):
    try:
        return fit(row, optimizer="gd", max_iter=3)[0]
    except ProblemError as error:
        return str(error)
"""


def printed_by(code: str, **variables: str) -> str:
    return run("-c", PREAMBLE + textwrap.dedent(code), **variables)


def run(*arguments: str, **variables: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=environment(NUMBA_NUM_THREADS="2", **variables),
        check=False,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout


pytestmark = pytest.mark.slow
forking = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="nothing forks here")


@forking
@pytest.mark.parametrize("optimizer", ["lbfgs", "gd"])
def test_a_child_forked_after_a_parallel_fit_takes_one_thread(optimizer):
    printed = printed_by(f"""
        row, here = fit(optimizer={optimizer!r}, tol=1e-8)
        with multiprocessing.get_context("fork").Pool(2) as pool:
            there = pool.starmap(fit, [("auto",)] * 3) if {optimizer!r} == "lbfgs" else [
                pool.apply(fit, kwds={{"optimizer": "gd", "tol": 1e-8}})
            ]
        print(row, *{{row for row, _ in there}}, max(abs(each - here).max() for _, each in there) < 1e-3)
        print(fit(optimizer={optimizer!r})[0])
    """)
    assert printed.split() == ["numba-fused-parallel", "numba-fused", "True", "numba-fused-parallel"]


THREADED = [name for name, row in CATALOG.items() if row.device == "cpu" and not row.survives_fork]
ALONE = [name for name, row in CATALOG.items() if row.device == "cpu" and row.survives_fork]


def test_rows_with_threads_are_those_whose_libraries_have_them():
    assert {"numba-fused-parallel", "sklearn-loss", "jax-jit-cpu", "torch-compiled-cpu"} <= set(THREADED)
    assert {"numba-fused", "numpy-blas"} <= set(ALONE)


@forking
@pytest.mark.parametrize("row", THREADED)
def test_a_row_with_threads_says_so_in_a_forked_child(row):
    if reason := CATALOG[row].unavailable():
        pytest.skip(reason)
    printed = printed_by(f"""
        assert attempt({row!r}) == {row!r}
        with multiprocessing.get_context("fork").Pool(1) as pool:
            print(pool.apply(attempt, ({row!r},)))
    """)
    assert f"{row} cannot run here: this process was forked from one in which" in printed
    assert "'spawn' or 'forkserver'" in printed
    assert "such as numba-fused" in printed


@forking
def test_the_rows_without_threads_compute_in_a_forked_child():
    """After rows of every library with threads have computed in its parent."""
    rows = [name for name in ALONE if name != "python-loop" and CATALOG[name].unavailable() is None]
    threaded = ["numba-fused-parallel", "sklearn-loss", "torch-manual-cpu"]
    printed = printed_by(f"""
        for row in {threaded!r}:
            attempt(row)
        with multiprocessing.get_context("fork").Pool(1) as pool:
            print(*pool.map(attempt, {rows!r}))
    """)
    assert printed.split() == rows


@forking
def test_the_callers_own_parallel_code_counts_as_well():
    printed = printed_by("""
        from numba import njit, prange

        @njit(parallel=True)
        def total(values):
            s = 0.0
            for i in prange(len(values)):
                s += values[i]
            return s

        total(np.ones(100))
        with multiprocessing.get_context("fork").Pool(1) as pool:
            print(pool.apply(fit)[0])
    """)
    assert printed.split() == ["numba-fused"]


@forking
def test_a_child_forked_while_a_thread_compiles_compiles_too():
    """The compiler's lock would be held in the child for ever by a thread that is not there."""
    printed = printed_by("""
        from numba.core.compiler_lock import global_compiler_lock as compiling
        held, let_go = threading.Event(), threading.Event()

        def compile_for_a_while():
            with compiling:
                held.set()
                let_go.wait(1.0)

        thread = threading.Thread(target=compile_for_a_while)
        thread.start()
        held.wait()
        child = multiprocessing.get_context("fork").Process(target=lambda: print(attempt("numba-fused"), flush=True))
        child.start()
        child.join(120)
        print(child.exitcode)
        child.kill()
        thread.join()
    """)
    assert printed.split() == ["numba-fused", "0"]


@forking
def test_a_workspace_that_was_bound_before_the_fork():
    """On a pool it refuses; one thread goes on, and a team gets threads of its own."""
    printed = printed_by("""
        def bound(row, m):
            workspace = CATALOG[row].bind(synthetic_problem(m, 8), Config())
            workspace.train(300)
            return workspace

        pooled, single, team = bound("numba-fused-parallel", 12_500), bound("numba-fused", 500), None
        team = bound("numba-fused-parallel", 2_000)
        assert pooled.division.pool and team.members and not team.division.pool

        def use():
            for call in (pooled.step, pooled.gradient):
                try:
                    call()
                except ProblemError as error:
                    print(error)
            single.step()
            team.train(300)
            print("went on", flush=True)

        child = multiprocessing.get_context("fork").Process(target=use)
        child.start()
        child.join(60)
        print(child.exitcode)
        pooled.step()
    """)
    assert printed.count("This workspace cannot compute here: this process was forked from") == 2
    assert printed.split()[-3:] == ["went", "on", "0"]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_a_child_that_was_not_forked_computes_in_parallel(method, tmp_path):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"there is no {method} here")
    program = tmp_path / "program.py"
    program.write_text(
        PREAMBLE + "if __name__ == '__main__':\n"
        f"    fit()\n    with multiprocessing.get_context({method!r}).Pool(1) as pool:\n"
        "        print(pool.apply(attempt, ('numba-fused-parallel',)), pool.apply(fit)[0])\n"
    )
    assert run(str(program)).split() == ["numba-fused-parallel"] * 2


@pytest.mark.parametrize("layer", ["workqueue", "omp"])
@pytest.mark.parametrize("optimizer", ["lbfgs", "gd"])
def test_fits_side_by_side_in_threads(layer, optimizer):
    """Numba's own queue ends the interpreter where two callers meet; OpenMP does not."""
    printed = printed_by(
        f"""
        import numba
        settings = dict(optimizer={optimizer!r}, max_iter=40, tol=0.0 if {optimizer!r} == "gd" else 1e-8)
        row, alone = fit(**settings)
        with ThreadPoolExecutor(4) as threads:
            together = list(threads.map(lambda _: fit(**settings)[1], range(12)))
        print(numba.threading_layer(), row, max(abs(each - alone).max() for each in together) == 0.0)
        """,
        NUMBA_THREADING_LAYER=layer,
    )
    assert printed.split() == [layer, "numba-fused-parallel", "True"]


def test_fits_side_by_side_leave_scipys_blas_its_threads():
    printed = printed_by("""
        from threadpoolctl import threadpool_info

        def threads():
            return sorted((pool["filepath"], pool["num_threads"]) for pool in threadpool_info())

        fit()
        before = threads()
        gate = threading.Barrier(2)

        def first():
            fit(verbose=lambda iteration, _: iteration == 1 and (gate.wait(60), gate.wait(60)))

        def second():
            gate.wait(60)
            fit(verbose=lambda iteration, _: iteration == 1 and (gate.wait(60), started.join(60)))

        started, later = (threading.Thread(target=each) for each in (first, second))
        started.start(); later.start(); started.join(); later.join()
        print(threads() == before)
    """)
    assert printed.split() == ["True"]


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_jobs_of_joblib_within_one_another(backend, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(
        PREAMBLE
        + textwrap.dedent(f"""
        import joblib
        from sklearn.model_selection import cross_val_score

        def scores():
            return cross_val_score(LogisticRegression(l2=0.1), X, y, cv=3, n_jobs=2).min()

        if __name__ == "__main__":
            fit()
            with joblib.parallel_config(backend={backend!r}):
                print(min(joblib.Parallel(n_jobs=2)(joblib.delayed(scores)() for _ in range(2))) > 0.7)
        """)
    )
    assert run(str(program), NUMBA_THREADING_LAYER="workqueue").split() == ["True"]
