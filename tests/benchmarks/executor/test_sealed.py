"""A problem in memory that cannot be written to: not through NumPy, not through an address, not by its file."""

import mmap
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from runs import environment
from stepbench.executor.sealed import Layout, mapped, sealed
from stepkernels import synthetic_problem


def sealed_copy(dtype="float64", offset=16):
    problem = synthetic_problem(33, 7, dtype)
    layout = Layout.of(problem, offset)
    with sealed(problem, layout) as descriptor:
        return problem, mapped(descriptor, layout)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("offset", [0, 16, 48])
def test_the_numbers_are_those_of_the_problem(dtype, offset):
    problem, copy = sealed_copy(dtype, offset)
    for name in ("X", "y", "w0"):
        np.testing.assert_array_equal(getattr(copy, name), getattr(problem, name))
    assert (copy.b0, copy.dtype) == (problem.b0, dtype)
    assert copy.X.ctypes.data % 64 == offset


@pytest.mark.parametrize("name", ["X", "y", "w0"])
def test_numpy_refuses_to_write(name):
    array = getattr(sealed_copy()[1], name)
    while isinstance(array, np.ndarray):
        with pytest.raises(ValueError, match="read-only"):
            array *= 2
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True
        array = array.base


@pytest.mark.skipif(sys.platform != "linux", reason="seals are Linux's")
def test_the_file_refuses_to_be_written_and_to_be_mapped_for_writing():
    problem = synthetic_problem(3, 2)
    layout = Layout.of(problem, 0)
    with sealed(problem, layout) as descriptor:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.pwrite(descriptor, b"1", 0)
        with pytest.raises(PermissionError):
            mmap.mmap(descriptor, layout.size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ | mmap.PROT_WRITE)


WRITE_AND_RESTORE = """
import ctypes
from stepbench.executor.sealed import Layout, mapped, sealed
from stepkernels import synthetic_problem

problem = synthetic_problem(33, 7)
layout = Layout.of(problem, 16)
with sealed(problem, layout) as descriptor:
    X = mapped(descriptor, layout).X
ctypes.memmove(X.ctypes.data, X.tobytes(), X.nbytes)
"""


def test_a_write_through_an_address_is_a_fault_even_of_what_is_there():
    process = subprocess.run([sys.executable, "-c", WRITE_AND_RESTORE], env=environment(), check=False)
    assert process.returncode in (-signal.SIGSEGV, -signal.SIGBUS)
