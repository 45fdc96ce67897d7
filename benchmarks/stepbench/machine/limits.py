"""The limits of this machine, measured, never typed: `python -m stepbench.machine.limits [BYTES]` prints them as JSON.

Runs in a process of its own, with the thread budget set before anything loads. Every figure is the best of several
tries: a limit is what the machine can do, and everything that disturbs it makes it smaller.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numba
import numpy as np
from numba import njit, prange

from stepbench.machine.read_kernels import budgets, fastest_way
from stepkernels.problem import Array

WORKING_SETS = tuple(2**k for k in range(14, 29))  # 16 KiB to 256 MiB: from the first cache into memory
TRIAD_BYTES = 3 * 2**26
TRIES = 7
TRY_SECONDS = 4e-3
Curve = list[tuple[int, float]]

MATRIX = 1024  # large enough that BLAS reaches its peak, small enough to stay in the caches


def measure_limits(largest_bytes: int = WORKING_SETS[-1]) -> dict[str, Any]:
    """Read bandwidth by working set and threads, triad, FMA rate by dtype, call costs, and the clock's resolution.

    The working sets end with the first that holds `largest_bytes`.
    """
    sizes = working_sets(largest_bytes)
    one, fastest = read_curve((1,), sizes), read_curve(budgets(), sizes)
    return {
        "threads": numba.get_num_threads(),
        "clock_resolution_seconds": clock_resolution(),
        "empty_call_seconds": best_seconds(lambda: _empty(0)),
        "pool_wake_seconds": best_seconds(lambda: _empty_parallel(numba.get_num_threads())),
        "read_gb_per_s": [(size, max(rate, more)) for (size, rate), (_, more) in zip(one, fastest, strict=True)],
        "read_gb_per_s_one_thread": one,
        "triad_gb_per_s": triad(),
        "fma_gflops": {dtype: fma_rate(dtype) for dtype in ("float32", "float64")},
    }


def best_seconds(call: Callable[[], object]) -> float:
    """Seconds of one call: the least over several tries, each long enough for the clock."""
    call()
    start = time.perf_counter()
    call()
    repeats = range(max(1, math.ceil(TRY_SECONDS / max(time.perf_counter() - start, 1e-7))))
    best = math.inf
    for _ in range(TRIES):
        start = time.perf_counter()
        for _ in repeats:
            call()
        best = min(best, (time.perf_counter() - start) / len(repeats))
    return best


def clock_resolution(now: Callable[[], float] = time.perf_counter, steps: int = 1000) -> float:
    """The smallest step the clock was seen to take, of so many."""
    return min(_one_step(now) for _ in range(steps))


def _one_step(now: Callable[[], float]) -> float:
    start = later = now()
    while later == start:
        later = now()
    return later - start


def working_sets(largest_bytes: int) -> tuple[int, ...]:
    """The working sets up to the first that holds so many bytes; all of them where none does."""
    return WORKING_SETS[: 1 + sum(size < largest_bytes for size in WORKING_SETS)]


def read_curve(threads: Sequence[int], sizes: Sequence[int]) -> Curve:
    """Working set in bytes, and the GB/s of reading a float64 array of that size again and again, the fastest way."""
    curve = []
    for size in sizes:
        X = np.ones(size // 8)
        read = fastest_way(X, threads).read
        curve.append((size, size / best_seconds(partial(read, X)) / 1e9))
    return curve


def triad() -> float:
    """GB/s of a[i] = b[i] + s·c[i] over arrays beyond the caches, counting two reads and one write."""
    a, b, c = (np.ones(TRIAD_BYTES // 24) for _ in range(3))
    return TRIAD_BYTES / best_seconds(lambda: _triad(a, b, c, 3.0)) / 1e9


def fma_rate(dtype: str) -> float:
    """10⁹ floating-point operations a second in fused multiply-adds: those of BLAS's matrix product, all threads."""
    a, b, product = (np.ones((MATRIX, MATRIX), dtype) for _ in range(3))
    return 2.0 * MATRIX**3 / best_seconds(lambda: np.dot(a, b, out=product)) / 1e9


@njit(cache=True)
def _empty(value: int) -> int:
    return value


@njit(cache=True, parallel=True)
def _empty_parallel(threads: int) -> int:
    total = 0
    for k in prange(threads):
        total += k
    return total


@njit(cache=True, parallel=True, fastmath={"contract"})
def _triad(a: Array, b: Array, c: Array, scale: float) -> None:
    for i in prange(a.size):
        a[i] = b[i] + scale * c[i]


def main() -> None:
    """Print the limits of this process as one line of JSON."""
    sys.stdout.write(json.dumps(measure_limits(*map(int, sys.argv[1:]))) + "\n")


if __name__ == "__main__":
    main()
