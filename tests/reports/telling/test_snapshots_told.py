"""A kernel whose snapshot is slow may do a part of each operation in it: how much, is said of kernels of files."""

import pytest

from stepreports.records.files import RecordError
from stepreports.statistics.runs import load_run
from stepreports.telling.snapshots_told import slow_snapshot_lines
from stepreports.telling.summary import summary, warnings
from synthetic_runs import ROWS, entry, write_run

NUMPY = ROWS[1]


def run_of(folder, *entries):
    return load_run(write_run(folder, entries))


def kernel(m, n, taken, **other):
    return entry(NUMPY, m, n, own_kernel=True, snapshot_seconds=taken, **other)


def test_it_is_told_once_where_it_is_the_largest_share(tmp_path):
    run = run_of(tmp_path, kernel(1000, 20, 5e-5), kernel(20_000, 50, 5e-5))
    (told,) = slow_snapshot_lines(run)
    assert told.startswith("A snapshot of `numpy-blas` takes 50 µs, ")
    assert "at 1,000 × 20: so much of each could be done in it unseen" in told
    assert told in warnings(run)
    assert told in summary(run)


@pytest.mark.parametrize(
    "timed",
    [
        kernel(1000, 20, 4e-6),  # as an honest copy takes
        kernel(1000, 20, None),  # of a run of before
        kernel(1_000_000, 20, 5e-5),  # a thousandth of an operation
        kernel(1000, 20, 5e-5, op="train", steps=10_000),
        entry(NUMPY, 1000, 20, snapshot_seconds=5e-5),  # a row of the catalogue, whose code is known
    ],
)
def test_it_is_not_told_where_it_does_not_matter(tmp_path, timed):
    assert slow_snapshot_lines(run_of(tmp_path, timed)) == []


def test_a_damaged_one_is_a_sentence(tmp_path):
    write_run(tmp_path, [kernel(1000, 20, "long")])
    with pytest.raises(RecordError, match="snapshot_seconds"):
        load_run(tmp_path)
