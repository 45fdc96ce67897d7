"""Where the level of a history changes for good: by at least so much, for at least so many commits, beyond doubt.

A running median takes out whatever lasts for fewer commits and leaves edges where they are; on what is left, `ruptures`
finds the piecewise constant levels that fit best (PELT: Killick and others, 2012; under its linear kernel the cost is
the sum of squares). The price of a piece is what a change of the least size is worth that lasts for the least number of
commits. What it finds is believed when

1. at each change, the commits after it and those before it are apart by rank (Mann and Whitney), nine pairs of ten in
   one direction: a share of slow ones that merely grew is no change;
2. the change is at least the least size, and more than the errors of the ratios themselves come to. Those of a chain
   add up, and a sum of errors wanders about as a level that changes does;
3. the same commits in a drawn order would hardly ever give as much (a permutation test of the whole): a series that
   jumps between two kinds, as of processes that happen to be laid out otherwise, has no order.

A change that fails the first two is given up, the weakest first, and its pieces are joined.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import NormalDist

import numpy as np
from scipy.ndimage import median_filter
from scipy.stats import mannwhitneyu

from stepreports.history.levels import Levels
from stepreports.records.turns import Floats
from stepreports.statistics.intervals import Estimate

LIBRARY = "ruptures"
LEAST_CHANGE, LEAST_COMMITS = 0.03, 3
FEWEST = (
    10  # commits: five and five can be in 252 orders, two of which look like a change; of fewer, none is rare enough
)
DOUBT = 0.01
ORDERS = 1999
ERROR_OF_A_MEDIAN = math.sqrt(math.pi / 2)  # in those of a mean, of many normal numbers
APART = 0.9  # of all pairs across a change, how many go its way


@dataclass(frozen=True, slots=True)
class Change:
    """A change of level: the place of the first commit of the new one, how far that lasts, and the ratio of the two."""

    place: int
    until: int
    ratio: Estimate


def changes(found: Levels, least_change: float = LEAST_CHANGE, least_commits: int = LEAST_COMMITS) -> list[Change]:
    """The changes of a history, in order; none of fewer than `FEWEST` commits, and none without `ruptures`.

    `least_change` is a fraction, `least_commits` how many commits a level lasts at least.
    """
    logs = found.logs
    if not can_be_found() or len(logs) < max(FEWEST, 2 * least_commits):
        return []
    ends = _pieces(logs, least_change, least_commits)
    gain = _gain(logs, ends, math.log1p(least_change))
    looks = len(logs) - 2 * least_commits + 1
    while True:
        told = _told(found, ends, looks)
        weak = [change for change in told if not _is_believed(logs, change, _before(ends, change), least_change)]
        if not weak:
            return told if told and _is_rare(logs, gain, least_change, least_commits) else []
        weakest = min(weak, key=lambda change: abs(math.log(change.ratio.value)))
        ends = [end for end in ends if end != weakest.place]


def can_be_found() -> bool:
    """Whether the library is installed."""
    return find_spec(LIBRARY) is not None


def _pieces(logs: Floats, least_change: float, least_commits: int) -> list[int]:
    """Where each piece but the last ends."""
    from ruptures import KernelCPD

    # Beyond the ends there is neither level: a mirror there would make one commit two.
    smooth = median_filter(logs, 2 * least_commits - 1, mode="constant", cval=float(np.median(logs)))
    price = math.log1p(least_change) ** 2 * least_commits / 2
    *ends, _ = map(int, KernelCPD(kernel="linear", min_size=least_commits).fit_predict(smooth, pen=price))
    return ends


def _gain(logs: Floats, ends: Sequence[int], price: float) -> float:
    """By how much less commits differ from the medians of their pieces than from one median, and a price a piece."""
    return _differing(logs) - sum(map(_differing, np.split(logs, ends))) - price * len(ends)


def _differing(logs: Floats) -> float:
    """The sum of absolute differences from the median, to which a spike adds no more than it is."""
    return float(np.abs(logs - np.median(logs)).sum())


def _is_rare(logs: Floats, gain: float, least_change: float, least_commits: int) -> bool:
    """Whether fewer than one drawn order in a hundred gives as much. It ends as soon as that cannot be any more."""
    random, as_much = np.random.default_rng(0), 1  # the order as it is counts as one of those drawn
    for _ in range(ORDERS):
        drawn = random.permutation(logs)
        found = _gain(drawn, _pieces(drawn, least_change, least_commits), math.log1p(least_change))
        as_much += found >= gain * (1 - 1e-9)
        if as_much > DOUBT * (ORDERS + 1):
            return False
    return True


def _told(found: Levels, ends: Sequence[int], looks: int) -> list[Change]:
    """The changes between pieces; intervals hold for all the places where a change could have been found."""
    edges = [0, *ends, len(found.logs)]
    reach = NormalDist().inv_cdf(1 - DOUBT / 2 / looks)
    places = zip(edges, edges[1:], edges[2:], strict=False)
    return [Change(middle, until, _apart(found, start, middle, until, reach)) for start, middle, until in places]


def _apart(found: Levels, start: int, middle: int, until: int, reach: float) -> Estimate:
    """The ratio of the medians of two pieces, and as far as the errors of its commits reach, for their means."""
    weights = np.zeros(len(found.logs))
    weights[start:middle] = -1 / (middle - start)
    weights[middle:until] = 1 / (until - middle)
    means = found.contrast(weights, reach * ERROR_OF_A_MEDIAN)
    value = math.exp(np.median(found.logs[middle:until]) - np.median(found.logs[start:middle]))
    return Estimate(value, value * means.low / means.value, value * means.high / means.value)


def _before(ends: Sequence[int], change: Change) -> int:
    """Where the piece before a change begins."""
    return max((end for end in ends if end < change.place), default=0)


def _is_believed(logs: Floats, change: Change, start: int, least_change: float) -> bool:
    ratio = change.ratio
    size, doubt = abs(math.log(ratio.value)), math.log(ratio.high / ratio.value)
    before, after = logs[start : change.place], logs[change.place : change.until]
    test = mannwhitneyu(after, before)
    of_pairs = float(test.statistic) / (len(before) * len(after))
    return (
        size >= math.log1p(least_change)
        and size > doubt
        and float(test.pvalue) <= DOUBT
        and max(of_pairs, 1 - of_pairs) >= APART
    )
