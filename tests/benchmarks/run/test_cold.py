"""--cold: each row is timed with its data in the caches and, in a case of its own, out of them."""

from collections import Counter

import pytest

from runs import benchmarks, coverage, failures, stepbench

SIZE = "400000x10"  # few copies are beyond every cache: 16 of 35 MB


@pytest.mark.slow
def test_a_cold_run_has_a_warm_and_a_cold_record_of_each_row(tmp_path):
    folder = tmp_path / "run"
    finished = stepbench("run", "--sizes", SIZE, "--rows", "numpy-blas", "--cold", "--threads", 1, "--out", folder)
    assert finished.returncode == 0, finished.stderr
    assert failures(folder) == []
    records = Counter((entry["params"]["row"], entry["extra_info"]["cache"]) for entry in benchmarks(folder))
    participants = ("numpy-blas", "numpy-blas#1", "read-limit")
    assert records == {(key, cache): 1 for key in participants for cache in ("warm", "cold")}
    turns = Counter(name for name, _, _ in coverage(folder))
    assert len(turns) == len(records)
    assert set(turns.values()) == {12}, "as many turns as data of this size take, cold or warm"
