"""Data larger than the memory of a rank: it learns from them, and comes to the optimum of one process."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from stepbench.cases.standardizing import scaling_of, standardize
from stepbench.training.model_file import load_model
from stepkernels import LogisticRegression

TILE, COLUMNS = 2**13, 128  # 8 MiB
ONE_THREAD = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
LIMITED = """
import os, resource, sys
most, *command = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_DATA, (int(most), int(most)))
resource.setrlimit(resource.RLIMIT_STACK, (2**20, 2**20))  # of each thread it counts all that it could become
os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:2])  # a thread has memory of its own
os.execv(sys.executable, [sys.executable, *command])
"""  # in a process of its own, since this one may have threads, with which it must not be forked
LOADED = "psutil, torch, numba, pandas, pyarrow.parquet, matplotlib.figure, stepbench.training.sharded.sharded_fit"


def memory_to_start():
    """How many bytes of its own a rank takes for its libraries alone."""
    command = [sys.executable, "-c", f"import {LOADED}; print(psutil.Process().memory_info().data)"]
    return int(subprocess.run(command, env={**os.environ, **ONE_THREAD}, capture_output=True, check=True).stdout)


def tiles(size):
    """Rows of at least so many bytes, a tile at a time, one of two: two ranks learn from one each.

    The last sixteenth, which is held out of an .npy file, has both: to score them rank 0 has a few numbers for each.
    """
    random = np.random.default_rng(0)
    first, second = (random.standard_normal((TILE, COLUMNS)) for _ in range(2))
    for tile in (first, second):
        tile[:, -1] = tile[:, 0] + random.standard_normal(TILE) > 0
    second[:, 1] += second[:, -1]
    most = size // first.nbytes // 32 + 1
    return [first] * (15 * most) + [second] * (15 * most) + [first, second] * most


def write_npy(folder, size):
    """What is written, and a small table with the same optimum."""
    written = tiles(size)
    shape = (len(written) * TILE, COLUMNS)
    table = np.lib.format.open_memmap(folder / "large.npy", mode="w+", dtype=np.float64, shape=shape)
    for k, tile in enumerate(written):
        table[k * TILE : (k + 1) * TILE] = tile
    return folder / "large.npy", np.concatenate([written[0], written[-1]])


def write_row_groups(folder, size):
    from pyarrow import table
    from pyarrow.parquet import ParquetWriter

    written = tiles(size)
    names = [f"c{j}" for j in range(COLUMNS)]
    first, second = (table(dict(zip(names, tile.T, strict=True))) for tile in (written[0], written[-1]))
    for number in range(4):
        part = written[number * len(written) // 4 : (number + 1) * len(written) // 4]
        options = {"use_dictionary": False, "compression": "none", "write_statistics": False}
        with ParquetWriter(folder / f"{number}.parquet", first.schema, **options) as file:
            for tile in part:
                file.write_table(second if tile is written[-1] else first)
    known = round(TILE * 15 / 16)
    return folder, np.concatenate([written[0][:known], written[-1][:known]])


def optimum_of(table):
    X, y = table[:, :-1], table[:, -1]
    scaling = scaling_of(X, list(map(str, range(X.shape[1]))))
    return LogisticRegression(l2=1e-3, tol=1e-10).fit(standardize(X, scaling.mean, scaling.scale), y)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's data")
@pytest.mark.parametrize(
    ("write", "settings", "exact"),
    [(write_npy, ("--tol", "1e-7"), True), (write_row_groups, ("--steps", "2"), False)],
    ids=["npy", "parquet"],
)
def test_data_four_times_larger_than_the_memory_of_a_rank_are_learned_from(tmp_path, write, settings, exact):
    """`ulimit -d` counts all memory that is a process's own, and refuses more. A mapped file is the system's cache."""
    most = memory_to_start() + 192 * 2**20

    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:  # pytest would keep it
        data, like = write(Path(folder), 4 * most)
        assert sum(file.stat().st_size for file in Path(folder).iterdir()) >= 4 * most
        finished = subprocess.run(
            [sys.executable, "-c", LIMITED, str(most), "-m", "stepbench", "train", data, "--ranks", "2",
             "--row", "numpy-blas", *settings, "--held-out", str(1 / 16), "--out", tmp_path / "model.npz"],
            capture_output=True, text=True, timeout=400, check=False,
        )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    assert "The features stay on disk" in finished.stdout
    if exact:
        model, optimum = load_model(tmp_path / "model.npz"), optimum_of(like)
        np.testing.assert_allclose(model.w, optimum.coef_[0], atol=1e-6)
        np.testing.assert_allclose(model.b, optimum.intercept_[0], atol=1e-6)
