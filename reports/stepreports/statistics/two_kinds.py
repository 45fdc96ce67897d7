"""Whether turns are of one kind or of two: Hartigan's dip, and where one kind ends and the other begins.

The dip is how far the turns are from the nearest distribution with a single peak, the largest distance between the two
distribution functions (Hartigan and Hartigan, "The dip test of unimodality", Annals of Statistics 13, 1985). Here it is
half of the excess mass (Müller and Sawitzki, "Excess mass estimates and tests for multimodality", JASA 86, 1991): by
how much more of the turns two intervals hold than one, where each pays a price for its length, at the price at which
that is most. What one interval holds is a line in the price, bent where another interval becomes the best, and what two
hold is convex; so the most is at one of the bends. The libraries that have the dip are under the GPL, and this project
is not; the tests hold this one to its definition, solved as a linear programme.

`chance_of` is how often as many turns from one even distribution, which of all with one peak is the hardest to tell
from two, have so large a dip. Simulated 4.5 million times, of 24 to 480 turns, down to one in 100,000
(`tests/reports/statistics/test_two_kinds.py` repeats a part).

It is a careful test. Of 120 turns, looked at among a hundred measurements, two kinds as frequent as one another are
found nine times in ten where they lie five times the noise of either apart; three in ten slow turns where they lie
eight. A kind that is rarer than one in five shows in p95 alone.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from stepreports.records.turns import Floats

LEAST_TURNS = 24  # from so many on `chance_of` was simulated
# ln chance = a + b·t + c·t², with t = dip · (√n + d + e/√n): fitted to the simulation's quantiles, each within a third.
_A, _B, _C, _D, _E = 0.067, 6.02, -21.2, 0.57, 1.15
_EQUAL = 1e-9  # turns: what an interval holds is known to rounding
_LARGEST = 0.25  # the dip of two values, as often as one another


def chance_of(dip: float, turns: int) -> float:
    """The probability of a dip so large in so many turns of one kind."""
    scaled = dip * _scale(turns)
    return min(1.0, math.exp(_A + _B * scaled + _C * scaled * scaled)) if scaled > -_B / _C else 1.0


def least_chance(turns: int) -> float:
    """The chance of the clearest two kinds: nothing of so few turns can be more certain."""
    return chance_of(_LARGEST, turns) if turns >= LEAST_TURNS else 1.0


def dips_below(chance: float, turns: Floats) -> NDArray[np.bool_]:
    """Which rows of (measurements, turns), each sorted, could have a dip of less than a chance.

    The dip is no larger than the distance from any one distribution with a single peak. Those from three are soon
    computed: normal and exponential ones to both sides of the median, as wide as the turns are there, and one that
    falls from the smallest turn on.
    """
    count = turns.shape[1]
    low, middle, high = np.quantile(turns, (0.25, 0.5, 0.75), axis=1)[..., None]
    beyond = turns - middle
    width = np.maximum(np.where(beyond < 0, middle - low, high - middle), np.finfo(float).tiny)
    from_middle = np.clip(beyond / width, -1e3, 1e3)  # a quarter lies below -1, and a quarter above 1
    from_least = (turns - turns[:, :1]) / np.maximum(middle - turns[:, :1], np.finfo(float).tiny)
    tails = 0.5 ** (1 + np.abs(from_middle))
    shares = (
        ndtr(0.6745 * from_middle),
        np.where(from_middle < 0, tails, 1 - tails),
        1 - 0.5 ** np.minimum(from_least, 1e3),
    )
    places = np.arange(1, count + 1) / count
    farthest = [np.maximum(places - share, share - places + 1 / count).max(axis=1) for share in shares]
    return np.asarray(np.min(farthest, axis=0) >= _least_dip(chance, count))


def dip_and_split(turns: Floats) -> tuple[float, int]:
    """The dip of sorted turns, and how many of them lie before the widest gap between the two kinds."""
    count = len(turns)
    prices = _prices(turns)
    if not len(prices):
        return 0.5 / count, count
    net = np.arange(count) - prices[:, None] * turns  # what an interval up to a turn holds, but for where it begins
    before = np.maximum.accumulate(net - np.minimum.accumulate(net, axis=1), axis=1)
    ahead = np.maximum.accumulate(net[:, ::-1], axis=1)[:, ::-1] - net
    after = np.maximum.accumulate(ahead[:, ::-1], axis=1)[:, ::-1]
    more = before[:, :-1] + after[:, 1:] + 1 - before[:, -1:]  # two intervals than one, each with one turn more
    best = more[more.max(axis=1).argmax()]
    between = np.flatnonzero(best >= best.max() - _EQUAL)  # turns between the intervals are held by neither
    split = between[np.diff(turns)[between].argmax()]
    return max(1.0, float(best.max())) / (2 * count), int(split) + 1


def _prices(turns: Floats) -> Floats:
    """The prices of length at which another interval becomes the best: the slopes of how little length turns need."""
    corners: list[tuple[float, int]] = []
    for place in range(len(turns)):
        corner = (float((turns[place:] - turns[: len(turns) - place]).min()), place + 1)
        while corners and (
            corners[-1][0] >= corner[0] or (len(corners) > 1 and _bends_up(corners[-2], corners[-1], corner))
        ):
            corners.pop()
        corners.append(corner)
    lengths, held = np.array(corners).T
    return np.asarray(np.diff(held) / np.diff(lengths))


def _bends_up(first: tuple[float, int], second: tuple[float, int], third: tuple[float, int]) -> bool:
    """Whether the second of three points lies nowhere above the line through the others."""
    before = (second[1] - first[1]) * (third[0] - second[0])
    return before <= (third[1] - second[1]) * (second[0] - first[0])


def _scale(turns: int) -> float:
    return math.sqrt(turns) + _D + _E / math.sqrt(turns)


def _least_dip(chance: float, turns: int) -> float:
    """The dip that has this chance."""
    reach = _B * _B - 4 * _C * (_A - math.log(chance))
    return (-_B - math.sqrt(reach)) / (2 * _C) / _scale(turns)
