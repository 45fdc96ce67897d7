"""What a median stands for: turns that are steady, that drift as a process goes on, or that are of two kinds.

A departure is told where its test says so beyond doubt, and where it is larger than the margin, below which nothing is
called different at that case. Beyond doubt means 99 times in 100 for all measurements of a run together: each test has
a chance of 1 % over the number of measurements and over two (Bonferroni's inequality, as in `many_looks`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import numpy as np

from stepreports.records.turns import Floats, Shape, Turns, measured, side_by_side
from stepreports.statistics import drift, two_kinds
from stepreports.statistics.bootstrap import CONFIDENCE

TESTS = 2
ONE_KIND = 0.9  # of the turns of a process, from which on it is called one of a kind


class Turning(StrEnum):
    """What the turns of a measurement are."""

    STEADY = "steady"
    DRIFTING = "drifting"
    TWO_KINDS = "two kinds"
    BOTH = "two kinds, drifting"
    UNKNOWN = "too few to tell"


@dataclass(frozen=True, slots=True)
class Kinds:
    """Two kinds of turn: the median seconds of each, the share of the slow one, and whether it goes by the process.

    slow_processes  how many of `processes` have slow turns alone, or nearly; None where some have both kinds
    """

    fast: float
    slow: float
    slow_share: float
    processes: int
    slow_processes: int | None
    dip: float
    chance: float


@dataclass(frozen=True, slots=True)
class Drift:
    """By how much a turn takes longer at the end of a generation than at its beginning, as a fraction."""

    over_generation: float
    chance: float


@dataclass(frozen=True, slots=True)
class Steadiness:
    """What was found of the turns of a measurement. `enough`: whether a departure could have been seen at all."""

    kinds: Kinds | None = None
    drift: Drift | None = None
    enough: bool = False

    @property
    def turning(self) -> Turning:
        """In one word."""
        match self.kinds, self.drift:
            case None, None:
                return Turning.STEADY if self.enough else Turning.UNKNOWN
            case None, _:
                return Turning.DRIFTING
            case _, None:
                return Turning.TWO_KINDS
        return Turning.BOTH


NOT_LOOKED_AT = Steadiness()


def steadiness(measurements: Iterable[Turns], margins: Sequence[float]) -> list[Steadiness]:
    """What the turns of each measurement are; `margins` are what a departure must exceed, as fractions."""
    turns = list(map(measured, measurements))
    chance = (1 - CONFIDENCE) / (TESTS * max(1, len(turns)))
    found = side_by_side(turns, partial(_alike, chance))
    return [_beyond(each, margin) for each, margin in zip(found, margins, strict=True)]


def _beyond(found: Steadiness, margin: float) -> Steadiness:
    """Without the departures that are no larger than a margin."""
    kinds, drifted = found.kinds, found.drift
    return Steadiness(
        kinds if kinds and kinds.slow / kinds.fast > 1 + margin else None,
        drifted if drifted and abs(math.log1p(drifted.over_generation)) > math.log1p(margin) else None,
        found.enough,
    )


def _alike(chance: float, shape: Shape, seconds: Floats) -> Iterable[Steadiness]:
    """What is less probable than a chance, of each row of (measurements, turns)."""
    logs, turns = np.log(seconds), sum(shape)
    enough = max(drift.least_chance(shape), two_kinds.least_chance(turns)) < chance
    drifted = drift.drifts(shape, logs)
    can_tell = two_kinds.least_chance(turns) < chance
    could = two_kinds.dips_below(chance, np.sort(logs, axis=1)) if can_tell else np.zeros(len(logs), dtype=bool)
    for place, row in enumerate(logs):
        yield Steadiness(
            _kinds_of(chance, shape, row) if could[place] else None,
            _drift_of(chance, *(values[place].item() for values in drifted)) if drifted else None,
            enough,
        )


def _drift_of(chance: float, found: float, size: float) -> Drift | None:
    return Drift(math.expm1(size), found) if found < chance else None


def _kinds_of(chance: float, shape: Shape, logs: Floats) -> Kinds | None:
    ordered = np.sort(logs)
    dip, split = two_kinds.dip_and_split(ordered)
    found = two_kinds.chance_of(dip, len(logs))
    if found >= chance or split == len(logs):
        return None
    fast, slow = (math.exp(float(np.median(part))) for part in (ordered[:split], ordered[split:]))
    is_slow = np.split(logs > ordered[split - 1], np.cumsum(shape)[:-1])
    shares = [float(part.mean()) for part in is_slow]
    by_process = all(max(share, 1 - share) >= ONE_KIND for share in shares)
    return Kinds(
        fast=fast,
        slow=slow,
        slow_share=1 - split / len(logs),
        processes=len(shape),
        slow_processes=sum(share > 0.5 for share in shares) if by_process else None,
        dip=dip,
        chance=found,
    )
