"""How long ranks take to say something to one another, and at which addresses gloo lets them do so."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from stepbench.machine.network import addresses_listened_at
from stepkernels.arrays.torch_ranks.ranks import Ranks

TRIPS = 100
NO_ADDRESS = "an address that cannot be read back"
COLUMNS = 100  # of the step whose sums are exchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """What rank 0 has found.

    trip_seconds      a number to each other rank and back, the median
    exchange_seconds  what all say to one another in a step of `COLUMNS` columns, the median
    longest_seconds   of these exchanges, the longest
    addresses         at which gloo listens, on each rank
    """

    trip_seconds: Sequence[float]
    exchange_seconds: float
    longest_seconds: float
    addresses: Sequence[Sequence[str]]


def talk(ranks: Ranks) -> Talk:
    """Let all ranks talk, which takes a moment. Raises `RanksLostError`."""
    trips = [statistics.median(times_of(partial(there_and_back, ranks, other))) for other in range(1, ranks.count)]
    sums = torch.zeros(COLUMNS + 2, dtype=torch.float64)
    parts = [torch.empty_like(sums) for _ in range(ranks.count)]
    exchanges = times_of(lambda: ranks.gather(parts, sums))
    return Talk(
        trip_seconds=trips,
        exchange_seconds=statistics.median(exchanges),
        longest_seconds=max(exchanges),
        addresses=ranks.first_told(addresses_listened_at()),
    )


def there_and_back(ranks: Ranks, other: int) -> None:
    """A number from rank 0 to another and back; those that it does not concern do nothing."""
    number = np.zeros(1)
    if ranks.rank == 0:
        ranks.send(number, other)
        ranks.receive(number, other)
    elif ranks.rank == other:
        ranks.receive(number)
        ranks.send(number, 0)


def times_of(action: Callable[[], None]) -> list[float]:
    """Seconds, `TRIPS` times."""
    seconds = []
    for _ in range(TRIPS):
        begun = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begun)
    return seconds


def told_talk(found: Talk) -> list[str]:
    """A line for each rank, and one for the exchange."""
    exchange, longest = found.exchange_seconds * 1e3, found.longest_seconds * 1e3
    lines = [f"Rank 0 listens at {', '.join(found.addresses[0]) or NO_ADDRESS}."]
    for rank, seconds in enumerate(found.trip_seconds, 1):
        addresses = ", ".join(found.addresses[rank]) or NO_ADDRESS
        lines.append(f"Rank {rank} listens at {addresses}; a number there and back takes {seconds * 1e3:.3g} ms.")
    lines.append(
        f"What all say to one another in a step of {COLUMNS} columns takes {exchange:.3g} ms, the longest of {TRIPS} "
        f"times {longest:.3g} ms."
    )
    return lines
