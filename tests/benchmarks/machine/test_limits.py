"""The measured limits: a process of its own, told the budget and the sizes, and figures that fit one another."""

import pytest

from stepbench.machine.limits import WORKING_SETS, clock_resolution, working_sets
from stepbench.machine.measured import measured_limits

LARGEST = 40_000
BYTES_OF_A_TRIAD = 24  # two reads and a write of eight bytes, for two operations


@pytest.fixture(scope="module")
def limits():
    """Of this machine on one thread, as a run measures them for a small problem."""
    return measured_limits(1, LARGEST)


@pytest.mark.slow
def test_the_process_that_measures_is_told_the_budget(limits):
    assert limits["threads"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("curve", ["read_gb_per_s", "read_gb_per_s_one_thread"])
def test_reading_is_measured_at_the_sizes_asked_for(limits, curve):
    assert [size for size, _ in limits[curve]] == [2**14, 2**15, 2**16]
    assert all(rate > 0 for _, rate in limits[curve])


@pytest.mark.slow
def test_the_read_limit_is_the_faster_of_one_thread_and_all(limits):
    pairs = zip(limits["read_gb_per_s"], limits["read_gb_per_s_one_thread"], strict=True)
    assert all(best >= one for (_, best), (_, one) in pairs)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_in_the_caches_are_faster_than_multiply_adds_from_memory(limits, dtype):
    """By far, for a triad waits for memory: a rate in another unit, or of too few operations, would not be."""
    from_memory = limits["triad_gb_per_s"] * 2 / BYTES_OF_A_TRIAD
    assert limits["fma_gflops"][dtype] > 2 * from_memory


def test_the_resolution_is_the_smallest_step_the_clock_takes():
    readings = iter([0.0, 0.0, 3.0, 3.0, 3.0, 4.0, 5.0, 7.5])
    assert clock_resolution(readings.__next__, steps=3) == 1.0


def test_a_run_measures_reading_up_to_its_largest_problem():
    assert working_sets(1) == WORKING_SETS[:1]
    assert working_sets(2**20) == tuple(size for size in WORKING_SETS if size <= 2**20)
    assert working_sets(2**20 + 1)[-1] == 2**21
    assert working_sets(2**40) == WORKING_SETS
