"""How X is cut for the kernels of fused_step.cu: the tiles, and what a block of threads holds of them.

Arithmetic alone, of shapes and of what a GPU has; it needs no GPU.
"""

from __future__ import annotations

import bisect
import functools
import math
from typing import NamedTuple

STAGES, WORD_BYTES = 3, 16

THREADS, TRAIN_THREADS = 256, 512  # a block, as the launch bounds in fused_step.cu say
MOST_ROWS = 1024  # of a tile: beyond, more rows hide nothing more
FEWEST_ROWS = 4  # of a tile while blocks can still be made fewer and larger
SMALLEST_TILE_BYTES = 8 * 1024  # a smaller share of a small X would be all latency
RESIDENT_BYTES = 16 * 1024  # of X a block: worked through in about the time of a grid barrier
WARP, RING = 32, 2
WARPS = (
    (16, 128),
    (8, 256),
    (4, 256),
)  # of a block, and the most bytes of a row that the registers of one leave room for
FEW_WORDS = 5  # of a row to a thread; more lanes share a longer one
MOST_ROWS_OF_THREAD = 16


class GPU(NamedTuple):
    """What launches are planned for: multiprocessors, their bytes of shared memory, a block's, a block's overhead."""

    processors: int
    shared: int
    shared_of_block: int
    shared_reserved: int


class Tiling(NamedTuple):
    """How X is cut: rows of a tile, threads that share a row in the dot product, a block's bytes of shared memory."""

    rows: int
    lanes: int
    shared_bytes: int


class WarpTiling(NamedTuple):
    """How X is cut for warps that work alone: what fused_step.cu is compiled with, and the shared memory of a block.

    A row is `vectors` vectors of `word` elements to each of `lanes` threads, which work on `rows` rows at a time.
    """

    warps: int
    lanes: int
    vectors: int
    word: int
    rows: int
    shared_bytes: int

    @property
    def threads(self) -> int:
        return WARP * self.warps

    @property
    def block_rows(self) -> int:
        """Rows of the tiles of a block's warps."""
        return self.warps * WARP // self.lanes * self.rows

    @property
    def defines(self) -> dict[str, int]:
        return {name.upper(): getattr(self, name) for name in ("warps", "lanes", "vectors", "word", "rows")}


def by_warps(n: int, itemsize: int, gpu: GPU) -> WarpTiling | None:
    """Tiles for warps, as large as a ring of two for every warp of a multiprocessor allows.

    None for rows that are too long for the registers of a warp or, a whole number of words of them, for its ring.
    """
    word = math.gcd(n, WORD_BYTES // itemsize)
    lanes, vectors = shared_among_lanes(n // word)
    whole_words = WORD_BYTES // math.gcd(WORD_BYTES, n * itemsize)  # so many rows, or a multiple, are whole words
    for warps, most_bytes in WARPS:
        if vectors * word * itemsize > most_bytes:
            continue
        ring_bytes = gpu.shared_of_block // warps - WARP * itemsize
        rows = power_of_two_to(ring_bytes // (RING * n * itemsize)) // (WARP // lanes)
        rows = min(rows, MOST_ROWS_OF_THREAD)
        tile = WARP // lanes * rows
        if rows and tile % whole_words == 0:
            return WarpTiling(warps, lanes, vectors, word, rows, warps * (RING * tile * n * itemsize + WARP * itemsize))
    return None


def shared_among_lanes(words: int) -> tuple[int, int]:
    """Lanes for a row, and how many of its words each takes: few are idle, and each takes few."""
    choices = [(lanes, math.ceil(words / lanes)) for lanes in (32, 16, 8, 4, 2, 1)]
    few = [choice for choice in choices if choice[1] <= FEW_WORDS] or choices[:1]
    return min(few, key=math.prod)


def power_of_two_to(count: int) -> int:
    """The largest power of two that is at most `count`; 0 for none."""
    return 1 << (count.bit_length() - 1) if count else 0


def lanes_of(n: int) -> int:
    """Threads to a row: a power of two that leaves each about 8 elements, so that few idle and little is shuffled."""
    return min(THREADS, 1 << (math.ceil(n / 8) - 1).bit_length())


def padded(size: int) -> int:
    """Bytes that hold `size` bytes copied in whole words, wherever in a word they begin."""
    return (size // WORD_BYTES + 2) * WORD_BYTES


def shared_bytes(rows: int, n: int, itemsize: int, *, threads: int, stages: int, moments: int) -> int:
    """A block's shared memory, as `block_memory` in fused_step.cu lays it out: the ring of tiles, then reals."""
    ring = stages * (padded(rows * n * itemsize) + padded(rows))
    sums, margins = max(threads // n, 1) * n, rows * max(lanes_of(n) // 32, 1)
    return ring + itemsize * ((1 + moments) * (n + 1) + sums + margins + rows + threads)


def streaming(m: int, n: int, itemsize: int, gpu: GPU) -> Tiling | None:
    """Tiles for X read from memory: as large as three blocks a multiprocessor allow, else two, else one.

    Smaller where m is too small to give every block a tile of that size. None when not even one row fits.
    """
    for blocks in (3, 2, 1):
        size = functools.partial(shared_bytes, n=n, itemsize=itemsize, threads=THREADS, stages=STAGES, moments=0)
        capacity = min(gpu.shared // blocks - gpu.shared_reserved, gpu.shared_of_block)
        rows = bisect.bisect_right(range(MOST_ROWS + 1), capacity, key=size) - 1
        if rows >= FEWEST_ROWS or (blocks == 1 and rows > 0):
            enough = max(math.ceil(m / (gpu.processors * blocks)), math.ceil(SMALLEST_TILE_BYTES / (n * itemsize)))
            rows = min(rows, enough)
            return Tiling(rows, lanes_of(n), size(rows))
    return None


def resident(m: int, n: int, itemsize: int, gpu: GPU) -> Tiling | None:
    """One tile a block and all of X in them, at most a block a multiprocessor. None when X does not fit."""
    share = min(RESIDENT_BYTES, gpu.shared_of_block // 2)
    blocks = min(gpu.processors, math.ceil(m * n * itemsize / share))
    rows = math.ceil(m / blocks)
    size = shared_bytes(rows, n, itemsize, threads=TRAIN_THREADS, stages=1, moments=2)
    return Tiling(rows, lanes_of(n), size) if size <= gpu.shared_of_block else None
