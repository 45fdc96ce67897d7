"""Data in read-only pages: the same numbers, that nothing can write to, by Python or by C."""

import ctypes
import multiprocessing
import signal

import numpy as np
import pytest

from stepbench.worker.read_only_pages import in_read_only_pages
from stepkernels.problem import synthetic_problem


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_data_in_read_only_pages_are_the_same_in_memory_of_their_own(dtype):
    problem = synthetic_problem(301, 7, dtype)
    copy = in_read_only_pages(problem)
    assert np.array_equal(copy.X, problem.X)
    assert np.array_equal(copy.y, problem.y)
    assert not np.shares_memory(copy.X, problem.X)
    assert copy.X.ctypes.data % 4096 == 0


def write_by_address(name):
    address = getattr(in_read_only_pages(synthetic_problem(301, 7)), name).ctypes.data
    ctypes.memset(address, 0, 8)


@pytest.mark.parametrize("name", ["X", "y"])
def test_a_write_ends_the_process(name):
    process = multiprocessing.get_context("spawn").Process(target=write_by_address, args=(name,))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGSEGV
