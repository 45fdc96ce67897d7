"""Who takes which turn, and in which order: what the harness does, and what a check of its records holds them to."""

from __future__ import annotations

import random
from collections.abc import Sequence

MOST_TURNS_OF_LARGE_DATA = 12  # of a generation, where a round is hardly more than one operation
TURNS_APART = 4  # of a row that is far slower than the others: it takes one turn in four


def order_of_turn(seed: int, generation: int, case: str, turn: int, names: Sequence[str]) -> list[str]:
    """Those that take a turn, in a new order each time, the same whenever the run is done again."""
    order = list(names)
    random.Random(f"{seed}/{generation}/{case}/{turn}").shuffle(order)
    return order
