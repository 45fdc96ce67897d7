"""Honest kernels that compute in places and with means of which nobody thought: a check must accept every one."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import math
import pickle
import shutil
import subprocess
import sys
import tempfile
import weakref
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import shared_memory
from pathlib import Path
from types import MappingProxyType

import numpy as np
import scipy.sparse

from gallery import PHASES
from gallery.honest import Honest
from stepkernels import Config, Implementation, Problem

UNUSUAL: dict[str, type[Honest]] = {}


def unusual(kernel: type[Honest]) -> type[Honest]:
    UNUSUAL[kernel.__name__] = kernel
    return kernel


def computing(name: str) -> Implementation:
    return Implementation(
        name=name,
        module=__name__,
        options=MappingProxyType({"name": name}),
        ops=PHASES,
        dtypes=("float64",),
        optimizers=("gd",),
        allocates=True,
    )


def bind(problem: Problem, config: Config, name: str) -> Honest:
    return UNUSUAL[name](problem, config)


@unusual
class ColumnMajor(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.X = np.asfortranarray(problem.X)


@unusual
class SparseRows(Honest):
    """SciPy's CSR: an entry of zero is not there."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.rows = scipy.sparse.csr_array(problem.X)

    def margins(self):
        return self.rows @ self.w + self.b

    def feature_gradient(self, r):
        return self.rows.T @ r / self.m + self.real(self.config.l2) * self.w


@unusual
class LongDouble(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.long = problem.X.astype(np.longdouble)

    def margins(self):
        return (self.long @ self.w + self.b).astype(self.config.dtype)

    def feature_gradient(self, r):
        return (r @ self.long / self.m).astype(self.config.dtype) + self.real(self.config.l2) * self.w


@unusual
class MemoryMapped(Honest):
    """X on disk, read as it is needed."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        with tempfile.NamedTemporaryFile() as file:
            problem.X.tofile(file)
            file.flush()
            self.X = np.memmap(file.name, config.dtype, "r", shape=problem.X.shape)


@unusual
class SharedMemory(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        memory = shared_memory.SharedMemory(create=True, size=problem.X.nbytes)
        self.X = np.ndarray(problem.X.shape, config.dtype, memory.buf)
        self.X[:] = problem.X
        memory.unlink()
        self.memory = memory


@unusual
class ExactSums(Honest):
    """Python's own, which round once."""

    def cost(self, z):
        return math.fsum(self.losses(z)) / self.m + self.penalty()

    def bias_gradient(self, r):
        return math.fsum(r) / self.m


@functools.cache
def two_threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


@unusual
class Threads(Honest):
    """Halves of the rows, always added in the same order."""

    def halves(self, function):
        middle = self.problem.m // 2
        return list(two_threads().map(function, (slice(0, middle), slice(middle, None))))

    def margins(self):
        return np.concatenate(self.halves(lambda rows: self.X[rows] @ self.w + self.b))

    def feature_gradient(self, r):
        return sum(self.halves(lambda rows: r[rows] @ self.X[rows])) / self.m + self.real(self.config.l2) * self.w


CHILD = """
import pickle, sys
import numpy as np
X = pickle.load(sys.stdin.buffer)
while True:
    v = pickle.load(sys.stdin.buffer)
    pickle.dump(X @ v if len(v) == X.shape[1] else v @ X, sys.stdout.buffer)
    sys.stdout.flush()
"""


@unusual
class InASubprocess(Honest):
    """Both products are another process's."""

    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.transposed = problem.m == problem.n
        self.child = subprocess.Popen(
            [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        weakref.finalize(self, self.child.kill)
        self.ask(problem.X, answered=False)

    def ask(self, value, *, answered=True):
        pickle.dump(np.array(value), self.child.stdin)
        self.child.stdin.flush()
        return pickle.load(self.child.stdout) if answered else None

    def margins(self):
        return self.ask(self.w) + self.b

    def feature_gradient(self, r):
        product = r @ self.X if self.transposed else self.ask(r)
        return product / self.m + self.real(self.config.l2) * self.w


PRODUCTS = """
void margins(const double *X, const double *w, double b, double *z, long m, long n) {
    for (long i = 0; i < m; i++) {
        double sum[4] = {0, 0, 0, 0};
        for (long j = 0; j < n; j++) sum[j % 4] += X[i * n + j] * w[j];
        z[i] = (sum[0] + sum[1]) + (sum[2] + sum[3]) + b;
    }
}
"""


@functools.cache
def compiled() -> ctypes.CDLL:
    folder = Path(tempfile.mkdtemp())
    (folder / "products.c").write_text(PRODUCTS)
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", folder / "p.so", folder / "products.c"], check=True)
    library = ctypes.CDLL(str(folder / "p.so"))
    shutil.rmtree(folder)
    return library


@unusual
class CThroughCtypes(Honest):
    def margins(self):
        z, w = np.empty(self.problem.m), np.ascontiguousarray(self.w)
        pointers = [ctypes.c_void_p(array.ctypes.data) for array in (self.X, w, z)]
        m, n = ctypes.c_long(self.problem.m), ctypes.c_long(self.problem.n)
        compiled().margins(pointers[0], pointers[1], ctypes.c_double(float(self.b[0])), pointers[2], m, n)
        return z


@unusual
class PrintsWhatItDoes(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        sys.stdout.write(f"bound to {problem.m} rows\n")


@unusual
class CatchesAnExit(Honest):
    """What somebody's library raises is not always an error."""

    def step(self):
        with contextlib.suppress(SystemExit):
            sys.exit(0)
        super().step()
