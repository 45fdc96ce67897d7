"""What a step costs beside its own time: its phases, its start, and when a start is paid for."""

from __future__ import annotations

import math

from stepreports.statistics.costs import PHASES, after_copying, after_starting, cold_start, phases, start_seconds
from stepreports.statistics.runs import load_run
from synthetic_runs import ROWS, entry, write_run

NUMPY, NUMBA, CUPY = ROWS[1], ROWS[2], ROWS[-1]
START = {"import_seconds": [1.0, 0.5], "bind_seconds": [0.2, 0.1], "first_call_seconds": [0.04, 0.01]}


def records_of(folder, *benchmarks):
    return load_run(write_run(folder, list(benchmarks))).records


def test_phases_are_those_of_rows_that_have_them_all(tmp_path):
    whole = [entry(NUMPY, 1000, 20, op=phase) for phase in PHASES]
    run = load_run(write_run(tmp_path, [*whole, entry(NUMBA, 1000, 20, op="forward")]))
    ((case, rows),) = phases(run).items()
    assert case.op == "forward"
    assert {row: list(parts) for row, parts in rows.items()} == {"numpy-blas": list(PHASES)}


def test_an_update_of_as_many_columns_counts_whatever_the_rows(tmp_path):
    passes = [entry(NUMPY, 100_000, 20, op=phase) for phase in PHASES[:2]]
    other, same = entry(NUMPY, 1000, 30, op="update"), entry(NUMPY, 1000, 20, op="update")
    assert phases(load_run(write_run(tmp_path / "other", [*passes, other]))) == {}
    ((case, rows),) = phases(load_run(write_run(tmp_path / "same", [*passes, other, same]))).items()
    assert case.m == 100_000
    assert rows["numpy-blas"]["update"].case.m == 1000


def test_a_start_is_what_the_first_process_took_before_its_first_step(tmp_path):
    (record,) = records_of(tmp_path, entry(NUMPY, 1000, 20, **START, copy_to_device_seconds=[0.5, 0.3]))
    assert math.isclose(start_seconds(record), 1.0 + 0.2 + 0.04 + 0.5)


def test_the_cold_start_of_a_row_is_its_slowest_first_call_of_the_first_copy(tmp_path):
    calls = [(1000, 0, [0.1]), (2000, 0, [3.0]), (3000, 1, [9.0])]
    run = load_run(write_run(
        tmp_path, [entry(NUMPY, m, 20, replica=copy, first_call_seconds=first) for m, copy, first in calls]
    ))  # fmt: skip
    assert cold_start(run, "numpy-blas").case.m == 2000


def test_a_later_start_is_paid_for_by_the_gain_of_each_step(tmp_path):
    late = {"import_seconds": [11.0, 11.0], "bind_seconds": [0.2], "first_call_seconds": [0.04]}
    fast = entry(NUMBA, 1000, 20, noise=0, **late)
    slow = entry(NUMPY, 1000, 20, noise=0, **START)
    for benchmark, seconds in ((fast, 1.0), (slow, 3.0)):
        benchmark["stats"]["data"] = [seconds] * 12
    fast, slow = records_of(tmp_path, fast, slow)
    assert after_starting(fast, slow).value == 5  # ten seconds later, two seconds a step
    assert after_starting(slow, fast) is None


def test_a_gpu_pays_for_its_slowest_copy(tmp_path):
    gpu = entry(CUPY, 1000, 20, copy_to_device_seconds=[1.0, 4.0], device_seconds=None)
    cpu = entry(NUMPY, 1000, 20)
    for benchmark, seconds in ((gpu, 1.0), (cpu, 3.0)):
        benchmark["stats"]["data"] = [seconds] * 12
    gpu, cpu = records_of(tmp_path, gpu, cpu)
    assert after_copying(gpu, cpu).value == 2
    assert after_copying(cpu, gpu) is None
