"""Honest kernels that do what few do: all of them agree, and are timed."""

from __future__ import annotations

import ctypes
import mmap
import multiprocessing
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cheats import Honest, honest


@honest
class Plain(Honest):
    pass


@honest
class ColumnMajor(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.X = np.asfortranarray(self.X)


@honest
class Threads(Honest):
    """Rows in two threads."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.pool = ThreadPoolExecutor(2)
        middle = len(self.X) // 2
        self.halves = [(self.X[:middle], self.t[:middle]), (self.X[middle:], self.t[middle:])]

    def gradient(self):
        list(self.pool.map(lambda half: np.dot(half[0], self.w, out=half[1]), self.halves))
        super().gradient()


@honest
class Subprocess(Honest):
    """A child process counts the steps; it answers before the step is over."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.pipe, theirs = multiprocessing.Pipe()
        self.child = multiprocessing.get_context("fork").Process(target=echo, args=(theirs,), daemon=True)
        self.child.start()

    def step(self):
        super().step()
        self.pipe.send(self.steps_taken)
        self.pipe.recv()


def echo(pipe):
    while True:
        try:
            pipe.send(pipe.recv())
        except (EOFError, OSError):
            return


@honest
class LongDouble(Honest):
    def backward(self):
        super().backward()
        self.gb[:] = self.r.astype(np.longdouble).sum() / len(self.r)


@honest
class MemoryMap(Honest):
    """X in a file of its own."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the kernel
        self.file.write(np.ascontiguousarray(problem.X).tobytes())
        self.file.flush()
        pages = mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ)
        self.X = np.frombuffer(pages, problem.X.dtype).reshape(problem.X.shape)


@honest
class SparseRows(Honest):
    """SciPy's CSR."""

    def __init__(self, problem, config):
        from scipy.sparse import csr_array

        super().__init__(problem, config)
        self.sparse = csr_array(problem.X)

    def gradient(self):
        super().gradient()
        self.gw[:] = self.sparse.T @ self.r / len(self.r) + self.config.l2 * self.w


@honest
class LibraryOfC(Honest):
    """memcpy, by ctypes."""

    libc = ctypes.CDLL(None)

    def update(self):
        kept = np.empty_like(self.gradients)
        self.libc.memcpy(
            ctypes.c_void_p(kept.ctypes.data), ctypes.c_void_p(self.gradients.ctypes.data), ctypes.c_size_t(kept.nbytes)
        )
        super().update()


@honest
class Einsum(Honest):
    def backward(self):
        super().backward()
        self.gw[:] = np.einsum("ij,i->j", self.X, self.r, optimize=True) / len(self.r) + self.config.l2 * self.w


@honest
class Blocks(Honest):
    """A block of rows after the other."""

    def backward(self):
        super().backward()
        total = np.zeros_like(self.gw)
        for first in range(0, len(self.X), 4096):
            total += self.r[first : first + 4096] @ self.X[first : first + 4096]
        self.gw[:] = total / len(self.X) + self.config.l2 * self.w


@honest
class Transposed(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.XT = np.ascontiguousarray(self.X.T)

    def backward(self):
        super().backward()
        self.gw[:] = self.XT @ self.r / len(self.r) + self.config.l2 * self.w


@honest
class AllocatesEveryStep(Honest):
    def step(self):
        self.t = np.empty_like(self.t)
        super().step()


@honest
class LocksItself(Honest):
    lock = threading.RLock()

    def step(self):
        with self.lock:
            super().step()


@honest
class LooksAtItsFrames(Honest):
    """For a profile: it changes nothing."""

    def step(self):
        import sys

        self.caller = sys._getframe(1).f_code.co_name
        super().step()


@honest
class KeepsAHistory(Honest):
    """Of a hundred costs, in a ring."""

    def step(self):
        super().step()
        self.__dict__.setdefault("history", np.zeros(100))[self.steps_taken % 100] = self.J[0]


@honest
class SnapshotsByView(Honest):
    """Copies late, from one packed array: an honest snapshot that is slow."""

    def snapshot(self):
        sum(range(20_000))
        return super().snapshot()
