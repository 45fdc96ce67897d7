"""Whether the turns of a process grow longer or shorter as it goes on: Mann and Kendall's test, and how far they move.

The test counts, over all pairs of turns of one generation, how many grew and how many fell, and adds the counts of the
generations up, each a block of its own, as Hirsch, Slack and Smith do with the months of a year ("Techniques of trend
analysis for monthly water quality data", Water Resources Research 18, 1982). Of the slope the middle one of all pairs
is told (Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63, 1968). No shape is assumed.

Neighbouring turns of a busy machine are alike, which makes such counts vary by more than those of independent turns:
the variance is that of Hamed and Rao ("A modified Mann-Kendall trend test for autocorrelated data", Journal of
Hydrology 204, 1998), with the correlations of a first-order process, the first of which the ranks beside the slope
show, over all generations. How often the test alarms with turns that are alike was simulated with this code
(`tests/reports/statistics/test_drift.py`).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from stepreports.records.turns import Floats, Shape

LEAST_TURNS = 4  # of a generation: of fewer there is no such variance
_MOST_ALIKE = 0.95  # neighbouring turns, as a correlation: beyond it a generation is hardly one turn


class Drifts(NamedTuple):
    """Of each measurement: how probable such counts are without a drift, and the drift over a generation, of logs."""

    chances: Floats
    sizes: Floats


def drifts(shape: Shape, logs: Floats) -> Drifts | None:
    """The drift of each row of (measurements, turns), in the order of the turns; None where no generation has enough.

    The turns of a generation count as equally far apart.
    """
    blocks = [logs[:, first:end] for first, end in pairwise(np.cumsum((0, *shape))) if end - first >= LEAST_TURNS]
    if not blocks:
        return None
    counts = [block.shape[1] for block in blocks]
    grown = [_growth(block) for block in blocks]
    slopes = np.median(np.hstack([steps / _apart(count) for steps, count in zip(grown, counts, strict=True)]), axis=1)
    score = np.sum([np.sign(steps).sum(axis=1) for steps in grown], axis=0)
    alike = _alike(blocks, slopes)
    variance = np.sum([_variance(count) * _inflation(count, alike) for count in counts], axis=0)
    return Drifts(2 * ndtr(-np.maximum(0.0, np.abs(score) - 1) / np.sqrt(variance)), slopes * (max(counts) - 1))


def least_chance(shape: Shape) -> float:
    """The chance of turns that grow without exception: nothing so short can be more certain."""
    counts = [count for count in shape if count >= LEAST_TURNS]
    if not counts:
        return 1.0
    score, variance = sum(count * (count - 1) / 2 for count in counts), sum(map(_variance, counts))
    return float(2 * ndtr(-(score - 1) / np.sqrt(variance)))


@lru_cache(maxsize=64)
def _pairs(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(count, 1)


def _growth(block: Floats) -> Floats:
    """By how much each turn is longer than each before it."""
    before, after = _pairs(block.shape[1])
    return np.asarray(block[:, after] - block[:, before])


def _apart(count: int) -> NDArray[np.intp]:
    before, after = _pairs(count)
    return after - before


def _variance(count: int) -> float:
    """Of the score of so many independent turns, of which no two are equal."""
    return count * (count - 1) * (2 * count + 5) / 18


def _alike(blocks: list[Floats], slopes: Floats) -> Floats:
    """The correlation of neighbouring turns: of their ranks beside the slope, over all generations.

    What a mean and a slope take from such a correlation, (2 + 4 r)/k of k turns, is given back.
    """
    product, square, turns = np.zeros(len(slopes)), np.zeros(len(slopes)), 0
    for block in blocks:
        count = block.shape[1]
        beside = block - slopes[:, None] * np.arange(count)
        ranks = beside.argsort(axis=1).argsort(axis=1) - (count - 1) / 2
        product += (ranks[:, 1:] * ranks[:, :-1]).sum(axis=1)
        square += (ranks * ranks).sum(axis=1)
        turns += count
    per_block = turns / len(blocks)
    if per_block <= LEAST_TURNS:
        return np.zeros(len(slopes))
    return np.clip((product / square + 2 / per_block) / (1 - 4 / per_block), 0.0, _MOST_ALIKE)


def _inflation(count: int, alike: Floats) -> Floats:
    """How many times as large the variance of a score is, of turns so much alike."""
    lags = np.arange(1, count)
    weights = (count - lags) * (count - lags - 1) * (count - lags - 2)
    correlations = alike[:, None] ** lags
    return np.asarray(1 + 2 / (count * (count - 1) * (count - 2)) * (weights * correlations).sum(axis=1))
