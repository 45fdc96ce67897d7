"""Data in read-only pages: the same numbers, that nothing can write to, by Python or by C."""

import signal
import subprocess
import sys

import numpy as np
import pytest

from runs import environment
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


@pytest.mark.parametrize("offset", [0, 64, 1984, 4032])
def test_x_begins_where_it_is_told_to_within_its_first_page(offset):
    problem = synthetic_problem(301, 7)
    copy = in_read_only_pages(problem, offset)
    assert copy.X.ctypes.data % 4096 == offset
    assert copy.y.ctypes.data % 4096 == 0
    assert np.array_equal(copy.X, problem.X)
    assert copy.X.flags.c_contiguous


WRITES_BY_ADDRESS = """
import ctypes
from stepbench.worker.read_only_pages import in_read_only_pages
from stepkernels.problem import synthetic_problem

problem = in_read_only_pages(synthetic_problem(301, 7), {offset})
print("about to write", flush=True)
ctypes.memset(problem.{name}.ctypes.data, 0, 8)
"""


@pytest.mark.parametrize(("name", "offset"), [("X", 0), ("X", 192), ("y", 192)])
def test_a_write_ends_the_process(name, offset):
    code = WRITES_BY_ADDRESS.format(name=name, offset=offset)
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=False
    )
    assert finished.stdout == "about to write\n", finished.stderr
    assert finished.returncode == -signal.SIGSEGV
