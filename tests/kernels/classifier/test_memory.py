"""A fit copies X only to shuffle it, and a memory map trains within its limit."""

import resource
import subprocess
import sys
import textwrap
import tracemalloc

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the classifier needs scikit-learn (extra `estimator`)")

from classifiers import VARIANTS
from runs import environment
from stepkernels import LogisticRegression, synthetic_problem


@pytest.mark.parametrize(("variant", "copies"), [("newton", 0), ("lbfgs", 0), ("gd", 0), ("adam", 0), ("batches", 1)])
def test_a_fit_copies_x_only_to_shuffle_it(variant, copies):
    """All else it allocates is small beside X: a few vectors of the length of y, which are 1/100 of it each.

    X and its blocks are beyond any cache: a row may lay out anew what is small.
    """
    problem = synthetic_problem(50_000, 100)
    classifier = LogisticRegression(**VARIANTS[variant] | {"max_iter": 2, "tol": 0.0, "row": "numba-fused"})
    if variant == "batches":
        classifier.set_params(batch_size=25_000)
    classifier.fit(problem.X[:2000], problem.y[:2000])  # loads and compiles
    tracemalloc.start()
    try:
        classifier.fit(problem.X, problem.y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert copies <= peak / problem.X.nbytes < copies + 0.2


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", ["numba-fused", "numba-fused-parallel"])
def test_a_fit_holds_at_most_a_twentieth_of_x_beside_it(row, dtype):
    """Of 50 columns, where a vector of 64-bit numbers of the length of y is a twenty-fifth of an X in float32."""
    problem = synthetic_problem(100_000, 50, dtype)
    classifier = LogisticRegression(row=row, l2=1e-3, tol=1e-3)
    classifier.fit(problem.X[:6000], problem.y[:6000])  # loads and compiles
    tracemalloc.start()
    try:
        classifier.fit(problem.X, problem.y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak <= 0.05 * problem.X.nbytes


LIMIT = 96 * 2**20


TRAIN_FROM_A_MAP = textwrap.dedent("""
    import resource, sys, threading, time
    import numpy as np
    from stepkernels import LogisticRegression

    def status(name):
        line = next(line for line in open("/proc/self/status") if line.startswith(name))
        return int(line.split()[1]) * 1024

    path, limit = sys.argv[1], int(sys.argv[2])
    data = np.load(path, mmap_mode="r")
    settings = dict(optimizer="gd", batch_size=4096, max_iter=2, tol=0, row=sys.argv[3])
    LogisticRegression(**settings).fit(np.array(data[:9000, 1:]), np.array(data[:9000, 0]))  # loads and compiles
    held = status("RssAnon")
    resource.setrlimit(resource.RLIMIT_DATA, (status("VmData") + limit,) * 2)
    peak, done = held, threading.Event()

    def watch():
        global peak
        while not done.wait(0.005):
            peak = max(peak, status("RssAnon"))

    watcher = threading.Thread(target=watch, daemon=True)
    threading.stack_size(1 << 20)
    watcher.start()
    model = LogisticRegression(**settings).fit(data[:, 1:], data[:, 0])
    done.set()
    watcher.join()
    print(peak - held, model.costs_[-1] < model.costs_[0])
""")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="anonymous memory is read from /proc")
@pytest.mark.parametrize("row", ["auto", "numpy-blas-fortran"])
def test_a_memory_map_four_times_the_limit_trains_within_it(tmp_path, row):
    """The limit is on anonymous memory, and imposed: what exceeds it is refused. Both rows copy a block of rows."""
    path, rows = tmp_path / "big.npy", 4 * LIMIT // (33 * 8)
    data = np.lib.format.open_memmap(path, mode="w+", dtype=np.float64, shape=(rows, 33))
    random = np.random.default_rng(0)
    for start in range(0, rows, 65_536):
        block = random.standard_normal((min(65_536, rows - start), 33))
        block[:, 0] = block[:, 1] + block[:, 2] > 0
        data[start : start + len(block)] = block
    data.flush()
    assert path.stat().st_size >= 4 * LIMIT
    finished = subprocess.run(
        [sys.executable, "-c", TRAIN_FROM_A_MAP, str(path), str(LIMIT), row],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    grown, fell = finished.stdout.split()
    assert int(grown) <= LIMIT
    assert fell == "True"
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != LIMIT  # the limit was the child's
