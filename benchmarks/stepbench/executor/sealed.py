"""A problem in memory that nobody can write to, and that two processes can share.

The arrays lie in a file in memory, sealed before it is mapped, and mapped for reading alone: a write to X or y through
NumPy raises, and one through an address is a fault of the processor, even where the old values are put back at once.
Where the system has no such files an unlinked one on disk serves, opened again for reading.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stepkernels import Problem
from stepkernels.problem import Array

BOUNDARY = 64  # bytes, a cache line: where an array begins, unless it is moved by an offset


@dataclass(frozen=True, slots=True)
class Layout:
    """Where in the file X, y and w0 lie, one behind the other, X beginning at `offset`; and what is not in it."""

    m: int
    n: int
    dtype: str
    b0: float
    offset: int

    @classmethod
    def of(cls, problem: Problem, offset: int) -> Layout:
        return cls(problem.m, problem.n, problem.dtype, problem.b0, offset)

    def parts(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Of each array the position in bytes and the shape."""
        position = self.offset
        for shape in ((self.m, self.n), (self.m,), (self.n,)):
            yield position, shape
            position += -(-int(np.prod(shape)) * np.dtype(self.dtype).itemsize // BOUNDARY) * BOUNDARY

    @property
    def size(self) -> int:
        (*_, (position, _)) = self.parts()
        return position + self.n * np.dtype(self.dtype).itemsize


@contextmanager
def sealed(problem: Problem, layout: Layout) -> Iterator[int]:
    """A descriptor of the problem's arrays, which can be read only."""
    arrays = zip((problem.X, problem.y, problem.w0), layout.parts(), strict=True)
    descriptor = _written([(np.ascontiguousarray(array), position) for array, (position, _) in arrays])
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _written(arrays: list[tuple[Array, int]]) -> int:
    if hasattr(os, "memfd_create"):
        writable = os.memfd_create("problem", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
        try:
            _write(writable, arrays)
            fcntl.fcntl(writable, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
            return os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)
        finally:
            os.close(writable)
    writable, path = tempfile.mkstemp()
    try:
        _write(writable, arrays)
        return os.open(path, os.O_RDONLY)
    finally:
        os.close(writable)
        Path(path).unlink()


def _write(descriptor: int, arrays: list[tuple[Array, int]]) -> None:
    for array, position in arrays:
        rest, place = array.tobytes(), position
        while rest:
            written = os.pwrite(descriptor, rest, place)
            rest, place = rest[written:], place + written


def mapped(descriptor: int, layout: Layout) -> Problem:
    """The problem of a sealed file, its arrays in the file itself."""
    memory = mmap.mmap(descriptor, layout.size, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
    X, y, w0 = (
        np.frombuffer(memory, layout.dtype, int(np.prod(shape)), position).reshape(shape)
        for position, shape in layout.parts()
    )
    return Problem(X, y, w0, layout.b0)
