"""One interval of many, each looked at several times: wider, so that all of them together are as sure as one.

Whoever looks at six cases after each of fifteen generations, and stops when he likes what he sees, has ninety chances
to be fooled. An interval is widened here until the chance that any of all those looks misleads is that of one interval
looked at once (Bonferroni's inequality, which asks nothing of how the looks depend on one another). The ends are moved
as those of a normal distribution would, on logarithms: the resamples have no tail so far out. How often that misleads
was simulated with this code (`tests/benchmarks/run/test_until_clear.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from statistics import NormalDist

from stepreports.records.turns import Turns, measured
from stepreports.statistics.bootstrap import CONFIDENCE
from stepreports.statistics.intervals import LEAST_MARGIN, Estimate, ratios, self_comparison_spread

SEEN = 0.95  # of a hundred times, how often a difference is seen that "would have been seen"


def corrected(found: Estimate, looks: int) -> Estimate:
    """The estimate with the interval that it has as one of so many looks. Its confidence is that of them all."""
    factor = standard_errors(looks) / standard_errors(1)
    low, high = (found.value * (end / found.value) ** factor for end in (found.low, found.high))
    return Estimate(found.value, low, high, found.confidence)


def visible_difference(found: Estimate, margin: float, looks: int) -> float:
    """The smallest true difference that such a corrected interval would show 95 times in 100, as a fraction.

    As `detectable_difference`, whose interval is that of one look.
    """
    width = standard_errors(looks)
    return float((1 + margin) * (1 + found.half_width) ** ((width + NormalDist().inv_cdf(SEEN)) / width) - 1)


@lru_cache(maxsize=256)
def standard_errors(looks: int) -> float:
    """How many standard errors the end of an interval is away that is one of so many looks."""
    return NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2 / looks)


def margins(controls: Iterable[tuple[Turns, Turns]], measurements: Iterable[Turns]) -> list[float]:
    """Of each measurement, the difference below which it is called the same: from pairs of measurements of one thing.

    1 % at the least; how far such a pair lay apart over all its generations, the farthest of them; and how far apart
    single generations lay (`self_comparison_spread`) over the root of the number of generations that a measurement has,
    for a median over several fresh processes differs by so much less.
    """
    pairs = list(controls)
    spread, lasting = self_comparison_spread(pairs) or 0.0, lasting_difference(pairs)
    generations = [len(measured(turns).layout.shape) for turns in measurements]
    return [max(LEAST_MARGIN, lasting, spread / math.sqrt(max(1, count))) for count in generations]


def lasting_difference(controls: Iterable[tuple[Turns, Turns]]) -> float:
    """How far two measurements of one thing lie apart over all their generations, the farthest pair; as a fraction."""
    found = ratios(controls)
    return math.expm1(max((abs(math.log(ratio.value)) for ratio in found if ratio), default=0.0))
