"""How a pass over X is made: what depends on the processor and on the size, and changes no result but in its last bits.

What is added in which order follows from the plan and the number of shares, so that both make the bits of a result.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stepkernels.problem import Array
from stepkernels.rows.numba_fused.tiles import fit_tiles
from stepkernels.simd import VECTOR_BYTES


class ReadingPlan(NamedTuple):
    """A way of reading X.

    tiles  copy it into tiles, which is for an X that lies in the caches
    apart  read the rows that are taken at once in runs of their own, and not side by side
    ahead  bytes ahead of a row that is read from which on its lines are asked for; 0 asks for none
    """

    tiles: bool = False
    apart: bool = True
    ahead: int = 0

    @classmethod
    def default(cls) -> ReadingPlan:
        """Rows apart; with wide registers, whose core outruns a prefetcher, lines are asked for 2 KiB ahead."""
        return cls(ahead=2048 if VECTOR_BYTES == 64 else 0)

    def __str__(self) -> str:
        """As a record tells it."""
        if self.tiles:
            return "tiles"
        asking = f", {self.ahead} bytes ahead" if self.ahead else ""
        return f"rows {'apart' if self.apart else 'side by side'}{asking}"

    def compiled(self, itemsize: int) -> tuple[bool, int | None]:
        """What compiled code is told of it."""
        return self.apart, self.ahead // itemsize or None


COPIED = 16 * 1024 * 1024  # bytes of X, at most, that are copied into tiles: about a third-level cache


def is_for_tiles(X: Array, copied: int = COPIED) -> bool:
    """Whether X is small, but not much smaller than tiles.

    Small is what has at most `copied` bytes. A block of a larger array counts as that array: all of its blocks together
    would be a second X.
    """
    return fit_tiles(len(X), X.itemsize) and owner(X).nbytes <= copied


def owner(X: Array) -> Array:
    """The array whose memory X is a part of: X itself, mostly."""
    while isinstance(X.base, np.ndarray):
        X = X.base
    return X
