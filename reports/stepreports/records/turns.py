"""Measurements: the seconds of each turn of each generation, one at a time or thousands side by side.

The records of a run share a handful of layouts, so a layout is one object, and measurements of one layout are the rows
of a matrix for whoever computes with many.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Turn = tuple[int, int]  # its generation, and its number in there
Turns = Mapping[Turn, float]
Shape = tuple[int, ...]
Floats = NDArray[np.float64]
T = TypeVar("T")

_CHUNK = 128  # rows of a matrix: what is computed of so few stays in a cache


@dataclass(frozen=True, eq=False)
class Layout:
    """Which turns a measurement has, in order. `layout_of` makes one object for equal layouts."""

    turns: tuple[Turn, ...]

    @cached_property
    def shape(self) -> Shape:
        """The number of turns in each generation."""
        return tuple(Counter(generation for generation, _ in self.turns).values())

    @cached_property
    def places(self) -> Mapping[Turn, int]:
        """Where in the order each turn stands."""
        return {turn: place for place, turn in enumerate(self.turns)}


@cache
def layout_of(turns: tuple[Turn, ...]) -> Layout:
    """The layout of these turns, which are sorted."""
    return Layout(turns)


class Measurement(Mapping[Turn, float]):
    """The seconds of each turn, or the ratio of two such, in the order of the layout."""

    __slots__ = ("layout", "seconds")

    def __init__(self, layout: Layout, seconds: Floats) -> None:
        self.layout = layout
        self.seconds = seconds

    def __getitem__(self, turn: Turn) -> float:
        return float(self.seconds[self.layout.places[turn]])

    def __iter__(self) -> Iterator[Turn]:
        return iter(self.layout.turns)

    def __len__(self) -> int:
        return len(self.layout.turns)


def measured(turns: Turns) -> Measurement:
    """Any mapping as a `Measurement`; one that is one already, as it is."""
    if isinstance(turns, Measurement):
        return turns
    layout = layout_of(tuple(sorted(turns)))
    return Measurement(layout, np.array([turns[turn] for turn in layout.turns]))


def over(a: Turns, b: Turns) -> Measurement | None:
    """A over b in each turn that both have; None when they share no turn."""
    a, b = measured(a), measured(b)
    if a.layout is not b.layout:
        a, b = _among(a, b.layout), _among(b, a.layout)
    return Measurement(a.layout, a.seconds / b.seconds) if a.layout.turns else None


def _among(measurement: Measurement, other: Layout) -> Measurement:
    """What was measured in the turns of another layout."""
    places = [place for place, turn in enumerate(measurement.layout.turns) if turn in other.places]
    return Measurement(layout_of(tuple(measurement.layout.turns[p] for p in places)), measurement.seconds[places])


def side_by_side(measurements: Sequence[Measurement], compute: Callable[[Shape, Floats], Iterable[T]]) -> list[T]:
    """What `compute` makes of each measurement, given many of one shape at once: a row each, in (rows, turns)."""
    by_layout: dict[Layout, list[int]] = defaultdict(list)
    for place, measurement in enumerate(measurements):
        by_layout[measurement.layout].append(place)
    found: dict[int, T] = {}
    for layout, places in by_layout.items():
        for first in range(0, len(places), _CHUNK):
            chunk = places[first : first + _CHUNK]
            rows = np.array([measurements[place].seconds for place in chunk])
            found.update(zip(chunk, compute(layout.shape, rows), strict=True))
    return [found[place] for place in range(len(measurements))]
