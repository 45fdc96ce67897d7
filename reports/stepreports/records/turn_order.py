"""Who takes which turn, and in which order: what the harness does, and what a check of its records holds them to."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

MOST_TURNS_OF_LARGE_DATA, FEWEST_TURNS = 12, 6  # in all, and of a generation; a round is hardly more than an operation
TURNS_APART = 4  # of a row that is far slower than the others: it takes one turn in four


def turns_of_large_data(turns: int, generations: int) -> int:
    """Of a generation, where so many were planned: processes differ by more than the turns of one."""
    return min(turns, max(FEWEST_TURNS, math.ceil(MOST_TURNS_OF_LARGE_DATA / generations)))


def order_of_turn(seed: int, generation: int, case: str, turn: int, names: Sequence[str]) -> list[str]:
    """Those that take a turn, in a new order each time, the same whenever the run is done again."""
    order = list(names)
    random.Random(f"{seed}/{generation}/{case}/{turn}").shuffle(order)
    return order
