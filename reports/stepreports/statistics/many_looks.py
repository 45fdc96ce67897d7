"""One interval of many, each looked at several times: wider, so that all of them together are as sure as one.

Whoever looks at six cases after each of fifteen generations, and stops when he likes what he sees, has ninety chances
to be fooled. An interval is widened here until the chance that any of all those looks misleads is that of one interval
looked at once (Bonferroni's inequality, which asks nothing of how the looks depend on one another). The ends are moved
as those of the distribution that they come from, on logarithms: from three generations on Student's t of their medians,
of fewer a normal one, for resamples have no tail so far out. How often that misleads was simulated with this code
(`tests/benchmarks/run/test_until_clear.py`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from statistics import NormalDist

from scipy.special import stdtrit

from stepreports.records.turns import Turns, measured
from stepreports.statistics.bootstrap import CONFIDENCE
from stepreports.statistics.intervals import Estimate, own_deviations, ratios
from stepreports.statistics.margins import LEAST_MARGIN

FEWEST_OF_T = 3  # generations
SEEN = 0.95  # of a hundred times, how often a difference is seen that "would have been seen"


def corrected(found: Estimate, looks: int, generations: int) -> Estimate:
    """The estimate with the interval that it has as one of so many looks. Its confidence is that of them all."""
    factor = standard_errors(looks, generations) / standard_errors(1, generations)
    low, high = (found.value * (end / found.value) ** factor for end in (found.low, found.high))
    return Estimate(found.value, low, high, found.confidence)


def visible_difference(found: Estimate, margin: float, looks: int, generations: int) -> float:
    """The smallest true difference that such a corrected interval would show 95 times in 100, as a fraction.

    As `detectable_difference`, whose interval is that of one look.
    """
    width = standard_errors(looks, generations)
    return float((1 + margin) * (1 + found.half_width) ** ((width + NormalDist().inv_cdf(SEEN)) / width) - 1)


@lru_cache(maxsize=256)
def standard_errors(looks: int, generations: int) -> float:
    """How many standard errors the end of an interval of so many generations is away that is one of so many looks."""
    within = 1 - (1 - CONFIDENCE) / 2 / looks
    return float(stdtrit(generations - 1, within)) if generations >= FEWEST_OF_T else NormalDist().inv_cdf(within)


def margins(controls: Iterable[tuple[Turns, Turns]], measurements: Iterable[Turns]) -> list[float]:
    """Of each measurement, the difference below which it is called the same: from pairs of measurements of one thing.

    1 % at the least; how far such a pair lay apart over all its generations, the farthest of them; and, of fewer than
    three generations, whose intervals know nothing of another process, how far apart single generations lay over the
    root of their number, for a median over several fresh processes differs by so much less.
    """
    pairs = list(controls)
    deviations = [each for pair in own_deviations(pairs) for each in pair]
    spread, lasting = math.expm1(max(deviations, default=0.0)), lasting_difference(pairs)
    return [
        max(LEAST_MARGIN, lasting, spread / math.sqrt(count) if count < FEWEST_OF_T else 0.0)
        for count in map(generations_of, measurements)
    ]


def generations_of(turns: Turns) -> int:
    return max(1, len(measured(turns).layout.shape))


def lasting_difference(controls: Iterable[tuple[Turns, Turns]]) -> float:
    """How far two measurements of one thing lie apart over all their generations, the farthest pair; as a fraction."""
    found = ratios(controls)
    return math.expm1(max((abs(math.log(ratio.value)) for ratio in found if ratio), default=0.0))
