"""Margins: below which difference nothing is called different, for each kind of case.

Cases are alike when an operation finds X in the same place: in the first-level cache, in a core's private cache, in
the shared one, beyond all of them, or when it has no use for X. The place decides what a process draws by lot: near
the private cache's own size, whether the pages it was given collide in a cache that goes by physical addresses
(Mytkowicz and others, "Producing wrong data without doing anything obviously wrong!", 2009); beyond the caches, what
the neighbours of this machine read. So one row at one size, where a fresh process differs by 15 %, takes nothing from
what is told of all others. Neither the operation nor its duration divides the cases further: forward, gradient and
step read the same X from the same place, and each control pair more in a class makes its margin surer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from statistics import median

import numpy as np

from stepreports.records.stored import Case
from stepreports.records.turns import Turns
from stepreports.statistics.intervals import own_deviations

LEAST_MARGIN = 0.01
QUANTILE = 0.95
ENOUGH = 19  # deviations: the largest of so many stands, on average, at the 95th percentile
EDGE_FROM = 0.5  # of the private cache: from there on pages collide by chance, and whatever else is needed has no room


class Place(StrEnum):
    """Where an operation finds X, in words that follow "cases"."""

    NOWHERE = "without X"
    FIRST = "in the first-level cache"
    PRIVATE = "in the private cache"
    EDGE = "about as large as the private cache"
    SHARED = "in the shared cache"
    BEYOND = "beyond the caches"
    UNKNOWN = "of any size"


def place_of(op: str, x_bytes: int, cache: str, caches: Mapping[str, int]) -> Place:
    """Where an operation finds X, by the caches as they are reported: `L1`, `L2` and `L3` of one core, in bytes."""
    if op == "update":
        return Place.NOWHERE
    if not caches:
        return Place.UNKNOWN
    first, private, shared = (caches.get(level, 0) for level in ("L1", "L2", "L3"))
    ends = {Place.FIRST: first, Place.PRIVATE: EDGE_FROM * private, Place.EDGE: private, Place.SHARED: shared}
    inside = (place for place, end in ends.items() if x_bytes <= end)
    return Place.BEYOND if cache == "cold" else next(inside, Place.BEYOND)


def place_of_case(case: Case, caches: Mapping[str, int]) -> Place:
    """The same of a stored case."""
    return place_of(case.op, case.x_bytes, case.cache, caches)


@dataclass(frozen=True, slots=True)
class OwnSpread:
    """How far a row lay from itself in the cases of one place, as a fraction.

    alone   of these cases alone
    pooled  what counts: where they are few, no less than in the middle one of all places
    """

    pairs: int
    alone: float
    pooled: float

    @property
    def margin(self) -> float:
        """The difference below which nothing is called different."""
        return max(LEAST_MARGIN, self.pooled)


@dataclass(frozen=True, slots=True)
class Margins:
    """What the control pairs of a run say, by place, in the order of `Place`; empty where no row ran twice."""

    spreads: Mapping[Place, OwnSpread]

    def at(self, place: Place) -> float:
        """The margin of the cases at a place; of one without a control pair, the largest there is."""
        if place in self.spreads:
            return self.spreads[place].margin
        return max((spread.margin for spread in self.spreads.values()), default=LEAST_MARGIN)


def margins_of(pairs: Iterable[tuple[Place, Turns, Turns]]) -> Margins:
    """The margins from pairs of measurements of one row.

    A place's own spread is the 95th percentile of its deviations, their largest where they are few. Fewer than `ENOUGH`
    could all have been lucky: such a place has no smaller spread than the middle one of all places. The middle is not
    moved by one that is wild, and one that is wild is not made tame by the others.
    """
    deviations: dict[Place, list[list[float]]] = defaultdict(list)
    places, first, second = zip(*pairs, strict=True) if (pairs := list(pairs)) else ((), (), ())
    for place, found in zip(places, own_deviations(zip(first, second, strict=True)), strict=True):
        if found:
            deviations[place].append(found)
    alone = {place: _high(list(chain.from_iterable(found))) for place, found in deviations.items()}
    middle = median(alone.values()) if alone else 0.0
    counts = {place: sum(map(len, found)) for place, found in deviations.items()}
    return Margins(
        {
            place: OwnSpread(len(deviations[place]), alone[place], _pooled(alone[place], middle, counts[place]))
            for place in filter(alone.__contains__, Place)
        }
    )


def _high(deviations: list[float]) -> float:
    return float(np.expm1(np.quantile(deviations, QUANTILE, method="higher")))


def _pooled(alone: float, middle: float, count: int) -> float:
    return alone if count >= ENOUGH else max(alone, middle)
