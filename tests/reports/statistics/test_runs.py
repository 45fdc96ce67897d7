"""A run with its estimates: its rows, cases, limits and control."""

from __future__ import annotations

import math
from dataclasses import fields

import pytest

from stepreports.records.reader import read_run
from stepreports.statistics.intervals import estimate
from stepreports.statistics.runs import load_run
from synthetic_runs import MACHINE, READ_LIMIT, ROWS, entry, write_run

NUMPY = ROWS[1]


def test_a_run_has_its_rows_in_the_order_of_the_records(standard):
    run = load_run(standard)
    assert [row.name for row in run.rows] == [row.name for row in ROWS]
    assert run.row_of_technique("matrix form").name == "numpy-blas"


def test_the_control_row_stands_beside_its_second_copy(standard):
    found = [(first.row.name, first.replica, second.replica) for first, second in load_run(standard).control_pairs]
    assert set(found) == {("numpy-blas", 0, 1)}


def test_a_case_holds_neither_read_kernels_nor_second_copies(standard):
    run = load_run(standard)
    assert {(record.is_limit, record.replica) for record in run.records} == {(False, 0), (False, 1), (True, 0)}
    assert {(r.is_limit, r.replica) for records in run.cases.values() for r in records.values()} == {(False, 0)}


def test_an_estimate_is_of_the_records_own_turns(tmp_path):
    records = [entry(NUMPY, 1000, 20, generation=[0, 1], turn=[0, 0]), entry(NUMPY, 20_000, 50)]
    records[0]["stats"]["data"] = [2.0, 5.0]
    one, other = load_run(write_run(tmp_path, records)).records
    assert one.seconds.value == pytest.approx(math.sqrt(10))  # the median of two, on logarithms
    assert other.seconds == estimate(other.turns)


def test_a_run_keeps_everything_that_was_stored(standard):
    run, stored = load_run(standard), read_run(standard)
    assert [r.turns for r in run.records] == [r.turns for r in stored.records]
    assert all(
        getattr(run, each.name) == getattr(stored, each.name) for each in fields(stored) if each.name != "records"
    )


def test_a_run_of_failures_only_has_neither_rows_nor_cases(tmp_path):
    run = load_run(write_run(tmp_path, []))
    assert (run.rows, run.cases, len(run.failures)) == ([], {}, 3)


def test_an_implausible_record_is_kept_but_in_no_case(tmp_path):
    run = load_run(write_run(tmp_path, [entry(NUMPY, 1000, 20), entry(ROWS[2], 1000, 20, implausible=True)]))
    assert len(run.records) == 2
    assert [list(records) for records in run.cases.values()] == [["numpy-blas"]]


def test_a_read_kernel_is_the_limit_of_its_case_and_no_row(tmp_path):
    run = load_run(write_run(tmp_path, [entry(NUMPY, 1000, 20), entry(READ_LIMIT, 1000, 20)]))
    assert [row.name for row in run.rows] == ["numpy-blas"]
    ((_, device),) = run.limits
    assert device == "cpu"


def test_the_machine_is_named_by_its_cpu_and_gpu(standard, tmp_path):
    assert load_run(standard).machine_name == "Example 9000 8-Core Processor + Example GPU 80 GB"
    assert load_run(write_run(tmp_path, [], machine={})).machine_name == "unknown machine"


def test_caches_of_unknown_size_are_left_out(tmp_path):
    machine = {"caches": MACHINE["caches"] | {"L4": None, "L5": 0}}
    assert load_run(write_run(tmp_path, [], machine=machine)).cache_bytes == MACHINE["caches"]
