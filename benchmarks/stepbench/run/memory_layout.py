"""Where things lie in a worker's memory, drawn for each process: what no row can choose must not decide between rows.

The size of a process's environment moves its stack, and the place of X within its page decides which lines of it share
a set of a cache with whatever else is read: either can be worth several per cent to a small case, in the same direction
for as long as it stays as it is (Mytkowicz and others, "Producing wrong data without doing anything obviously wrong!",
2009). So both are drawn anew for each generation and participant, from the run's seed: what they do is then part of
what generations differ by, and of the interval.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

PADDING = "STEPBENCH_PADDING"  # a variable that nothing reads
PAGE_BYTES, LINE_BYTES = 4096, 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryLayout:
    """Of one process: bytes of padding in its environment, and how far into its first page X begins, in whole lines."""

    padding_bytes: int = 0
    x_offset_bytes: int = 0

    @property
    def variables(self) -> dict[str, str]:
        """What it adds to the environment."""
        return {PADDING: "x" * self.padding_bytes}


AS_IT_COMES = MemoryLayout()


def drawn_layout(seed: int, generation: int, participant: str) -> MemoryLayout:
    """The same whenever the run is done again."""
    draw = random.Random(f"{seed}/{generation}/{participant}/layout")
    return MemoryLayout(
        padding_bytes=draw.randrange(PAGE_BYTES), x_offset_bytes=LINE_BYTES * draw.randrange(PAGE_BYTES // LINE_BYTES)
    )
