"""Ways of reading an array once, every element added into eight vectors: the fastest is the limit of the machine.

Eight loads are under way at any time, which is as many as a core starts while one comes from the first cache. Beyond
it, what is fastest differs from one processor to the next: how many streams a thread reads side by side, since each
gives the hardware's prefetcher a page more to run ahead in; whether lines are asked for ahead in software, and how far;
whether a second thread pays. So all ways take turns, and the fastest is chosen, at the size it is for.
"""

# mypy: disable-error-code="untyped-decorator,no-any-return"

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numba
from numba import prange

from stepkernels import simd
from stepkernels.problem import Array
from stepkernels.simd import compiled, compiled_parallel

STREAMS = (1, 2, 4, 8)
AHEAD = (0, 1024, 4096)  # bytes; 0 asks for nothing
TRIED_BYTES = 2**27  # of a larger array so much is read to choose a way: beyond any cache, and not for seconds
TRIED_SECONDS = 1e-4  # of one try, at least: a thousand times the resolution of a clock


class Way(NamedTuple):
    """How to read: with so many threads, each in so many streams, asking for what lies so many bytes ahead."""

    threads: int
    streams: int
    ahead: int

    def __str__(self) -> str:
        """As a record tells it."""
        asking = f", {self.ahead} bytes ahead" if self.ahead else ""
        return f"threads {self.threads}, streams {self.streams}{asking}"

    def read(self, X: Array) -> float:
        """Read X, C-contiguous, of float32 or float64. Returns the sum, so that no load can be left out."""
        ahead = self.ahead // X.itemsize
        if self.threads == 1:
            return _read(X, self.streams, ahead)
        return _read_in_parallel(X, self.threads, self.streams, ahead)


def ways(threads: Sequence[int]) -> list[Way]:
    """All of them, with each of these numbers of threads."""
    return [Way(*way) for way in product(dict.fromkeys(threads), STREAMS, AHEAD)]


def fastest_way(X: Array, threads: Sequence[int]) -> Way:
    """The way that reads X fastest, of those with one of these numbers of threads.

    They take turns, since memory is shared with neighbours; after each the slower half leaves, and the others read
    twice as often.
    """
    X = X.reshape(-1)[: TRIED_BYTES // X.itemsize]
    best = dict.fromkeys(ways(threads), math.inf)
    for way in best:
        way.read(X)
    repeats = max(1, math.ceil(TRIED_SECONDS / min(_seconds(way, X, 1) for way in best)))
    tries = 1
    while len(best) > 1:
        for _ in range(tries):
            best = {way: min(known, _seconds(way, X, repeats)) for way, known in best.items()}
        best = dict(sorted(best.items(), key=lambda item: item[1])[: (len(best) + 1) // 2])
        tries *= 2
    return next(iter(best))


def budgets() -> tuple[int, int]:
    """One thread, and all that may be used."""
    return 1, numba.get_num_threads()


def _seconds(way: Way, X: Array, repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        way.read(X)
    return (time.perf_counter() - start) / repeats


@compiled
def _sum(X: Array, first: int, last: int, streams: int, ahead: int) -> float:
    """The sum of the elements first … last − 1: so many contiguous streams, then what is left."""
    width, zero = simd.lanes(X), simd.zeros(X)
    sums, one = (zero, zero, zero, zero, zero, zero, zero, zero), zero + 1.0
    run = (last - first) // (8 * width * streams) * 8 * width
    for place in range(first, first + run, 8 * width):
        for stream in range(streams):
            i = place + stream * run
            left = (i, i + width, i + 2 * width, i + 3 * width)
            right = (i + 4 * width, i + 5 * width, i + 6 * width, i + 7 * width)
            sums = simd.add_products(sums, one, X, left + right)
            if ahead > 0:
                simd.prefetch(X, i + ahead, 8)
    rest = zero
    for i in range(first + streams * run, last, width):
        rest += simd.load_part(X, i, last - i)
    total = simd.lane_sum(rest)
    for k in range(8):
        total += simd.lane_sum(sums[k])
    return total


@compiled
def _read(X: Array, streams: int, ahead: int) -> float:
    return _sum(X, 0, X.size, streams, ahead)


@compiled_parallel
def _read_in_parallel(X: Array, threads: int, streams: int, ahead: int) -> float:
    """A contiguous share for each thread of Numba's pool."""
    share = -(-X.size // threads)
    total = 0.0
    for thread in prange(threads):
        total += _sum(X, min(thread * share, X.size), min((thread + 1) * share, X.size), streams, ahead)
    return total
