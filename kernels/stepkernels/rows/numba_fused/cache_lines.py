"""Arrays of the host that begin a cache line: a vector load that straddles two lines costs twice."""

from __future__ import annotations

import math

import numpy as np

from stepkernels.problem import Array
from stepkernels.state import NumPy

LINE = 64  # bytes


def aligned(shape: tuple[int, ...], dtype: str) -> Array:
    """Zeros that begin a cache line, in memory whose last line is all theirs."""
    size, line = math.prod(shape), LINE // np.dtype(dtype).itemsize
    memory = np.zeros(size + -size % line + line, dtype)
    start = -memory.__array_interface__["data"][0] % LINE // memory.itemsize
    array: Array = memory[start : start + size].reshape(shape)
    return array


class Aligned(NumPy):
    """Arrays of the host whose last vector may be loaded whole: zeros follow the last element."""

    def empty(self, length: int, dtype: str) -> Array:
        return aligned((length,), dtype)
