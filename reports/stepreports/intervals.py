"""What the numbers can bear: medians and ratios with their intervals, verdicts, break-even, significant digits.

A measurement is a mapping from (generation, turn) to the median seconds of that turn. Everything is done on
logarithms, so that the ratio of a to b is exactly the inverse of the ratio of b to a.

The interval is a hierarchical bootstrap: generations are drawn with replacement, then turns within each drawn
generation; the statistic is the median over generations of the median over turns. Turns of one process are
correlated, so pooling them would give an interval that is too narrow; here two generations that disagree widen it
(Kalibera and Jones, "Rigorous benchmarking in reasonable time", 2013). Simulated with this code, two generations of
six turns contain the truth 99.5 times in 100, under normal noise and under a Student t of two degrees; a single
generation of six turns cannot exceed the range of its turns, 97 in 100, and says so (`reachable_confidence`).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from itertools import repeat
from operator import truediv
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Turns = Mapping[tuple[int, int], float]
Keys = tuple[tuple[int, int], ...]
Shape = tuple[int, ...]

Logs = NDArray[np.float64]
Ranks = NDArray[np.intp]

CONFIDENCE = 0.99
LEAST_CONFIDENCE = 0.9
RESAMPLES = 2000
TAIL = round(RESAMPLES * (1 - CONFIDENCE) / 2)  # resamples left outside the interval on either side
SEED = 20240229  # any number: the same records must give the same interval
LEAST_MARGIN = 0.01
NOISY_SPREAD = 0.10
LOUD_SPREAD = 0.25
_CHUNK = 256  # measurements resampled at once: two thousand resamples of four generations of each take 16 MB


class Estimate(NamedTuple):
    """A median and the interval it lies in. Positive numbers: seconds, or a ratio of them."""

    value: float
    low: float
    high: float
    confidence: float = CONFIDENCE

    def inverse(self) -> Estimate:
        """Of b to a, when this is of a to b."""
        return Estimate(1 / self.value, 1 / self.high, 1 / self.low, self.confidence)

    def scaled(self, factor: float) -> Estimate:
        """The same estimate in another unit."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor, self.confidence)

    @property
    def half_width(self) -> float:
        """The larger of the two distances from the value to an end, as a fraction of the value."""
        return max(self.high / self.value, self.value / self.low) - 1


class Verdict(StrEnum):
    """What the ratio of a to b says about a."""

    FASTER = "faster"
    SLOWER = "slower"
    SAME = "same"
    UNKNOWN = "cannot tell"


def estimates(measurements: Sequence[Turns]) -> list[Estimate]:
    """The estimate of each measurement, in order. Measurements of the same turns are resampled at once."""
    return _estimates([(tuple(turns), list(turns.values())) for turns in measurements])


def _estimates(measurements: Sequence[tuple[Keys, list[float]]]) -> list[Estimate]:
    by_keys: dict[Keys, list[int]] = defaultdict(list)
    for index, (keys, _) in enumerate(measurements):
        by_keys[keys].append(index)
    found: dict[int, Estimate] = {}
    for keys, indices in by_keys.items():
        for first in range(0, len(indices), _CHUNK):
            chunk = indices[first : first + _CHUNK]
            shape, logs = _sorted_logs(keys, [measurements[index][1] for index in chunk])
            found.update(zip(chunk, _estimate_chunk(shape, logs), strict=True))
    return [found[index] for index in range(len(measurements))]


def estimate(turns: Turns) -> Estimate:
    """The estimate of one measurement."""
    return estimates([turns])[0]


def ratios(pairs: Sequence[tuple[Turns, Turns]]) -> list[Estimate | None]:
    """The within-turn ratio of each pair, first to second; None for a pair that shares no turn."""
    within = [_within(a, b) for a, b in pairs]
    found = iter(_estimates([shared for shared in within if shared[0]]))
    return [next(found) if keys else None for keys, _ in within]


def _within(a: Turns, b: Turns) -> tuple[Keys, list[float]]:
    """The turns that both have, and a over b in each."""
    keys = tuple(a)
    if keys == tuple(b):  # nearly always
        return keys, list(map(truediv, a.values(), b.values()))
    keys = tuple(turn for turn in keys if turn in b)
    return keys, [a[turn] / b[turn] for turn in keys]


def ratio(a: Turns, b: Turns) -> Estimate | None:
    """The within-turn ratio of a to b; None when they share no turn."""
    return ratios([(a, b)])[0]


def ratio_between_runs(a: Turns, b: Turns) -> Estimate:
    """The ratio of a to b measured in different runs: no turn is shared, so both are resampled, independently."""
    (samples_a, value_a), (samples_b, value_b) = _resampled(a, stream=0), _resampled(b, stream=1)
    samples = np.sort(samples_a - samples_b)
    confidence = min(reachable_confidence(shape_of(turns)) for turns in (a, b))
    value, low, high = value_a - value_b, float(samples[TAIL]), float(samples[-1 - TAIL])
    return Estimate(math.exp(value), math.exp(min(value, low)), math.exp(max(value, high)), confidence)


def shape_of(turns: Turns) -> Shape:
    """The number of turns in each generation, in order of generation."""
    counts = Counter(generation for generation, _ in turns)
    return tuple(counts[generation] for generation in sorted(counts))


def reachable_confidence(shape: Shape) -> float:
    """The confidence of an interval: `CONFIDENCE`, or the most that the range of so few turns can have.

    The true median lies outside the range of k independent turns with probability 2^(1 − k).
    """
    return min(CONFIDENCE, 1 - 2.0 ** (1 - sum(shape)))


def verdict(ratio_of_a_to_b: Estimate, margin: float) -> Verdict:
    """Whether a is faster or slower than b: the whole interval lies outside ±margin; same: inside.

    Too few turns for a confidence of `LEAST_CONFIDENCE` (five are enough) never tell.
    """
    if ratio_of_a_to_b.confidence < LEAST_CONFIDENCE:
        return Verdict.UNKNOWN
    if ratio_of_a_to_b.high < 1 / (1 + margin):
        return Verdict.FASTER
    if ratio_of_a_to_b.low > 1 + margin:
        return Verdict.SLOWER
    within = ratio_of_a_to_b.low >= 1 / (1 + margin) and ratio_of_a_to_b.high <= 1 + margin
    return Verdict.SAME if within else Verdict.UNKNOWN


def detectable_difference(ratio_of_a_to_b: Estimate, margin: float) -> float:
    """The smallest true difference that such an interval would show 95 times in 100, as a fraction.

    The estimate must clear the margin by the interval's half-width, 2.58 standard errors, 19 times in 20,
    for which the truth must lie another 1.64 further: (2.58 + 1.64) / 2.58 half-widths in all.
    """
    return float((1 + margin) * (1 + ratio_of_a_to_b.half_width) ** 1.64 - 1)


def self_comparison_spread(pairs: Iterable[tuple[Turns, Turns]]) -> float | None:
    """How far one row measured twice lies from itself: this machine's own A/A spread, as a fraction.

    The 95th percentile, over cases and generations, of the deviation of the generation's median ratio from 1 (the
    largest, for fewer than twenty). Generations are not averaged: what a fresh process changes is part of it.
    None without a pair.
    """
    within = [{turn: a[turn] / b[turn] for turn in a if turn in b} for a, b in pairs]
    deviations = [abs(value) for turns in within if turns for value in _generation_medians(turns)]
    if not deviations:
        return None
    return float(np.expm1(np.quantile(deviations, 0.95, method="higher")))


def margin_of(pairs: Iterable[tuple[Turns, Turns]]) -> float:
    """The difference below which nothing is called different: 1 %, or the A/A spread where that is larger."""
    return max(LEAST_MARGIN, self_comparison_spread(pairs) or 0.0)


def spread(turns: Turns) -> float:
    """The interquartile range of the turns over their median: what `NOISY_SPREAD` and `LOUD_SPREAD` judge."""
    values = sorted(turns.values())
    return (_quantile(values, 0.75) - _quantile(values, 0.25)) / _quantile(values, 0.5)


def break_even_steps(extra_start_seconds: float, step: Estimate, other_step: Estimate) -> Estimate | None:
    """The steps after which a row that starts `extra_start_seconds` later has caught up with the other.

    None when it never does for certain: its step is not faster over the whole interval. One step at the least.
    """
    if step.high >= other_step.low:
        return None
    gains = (other_step.value - step.value, other_step.high - step.low, other_step.low - step.high)
    steps = [max(1.0, math.ceil(extra_start_seconds / gain)) for gain in gains]
    return Estimate(*steps)


def _quantile(ordered: Sequence[float], fraction: float) -> float:
    """A quantile of sorted values by linear interpolation; numpy's takes fifty times as long on a dozen."""
    place = fraction * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _sorted_logs(keys: Sequence[tuple[int, int]], values: Sequence[Sequence[float]]) -> tuple[Shape, Logs]:
    """Logarithms (measurements, turns), generations one after the other, sorted within each."""
    generations = [generation for generation, _ in keys]
    logs = np.log(np.array(values))
    parts = [logs[:, [g == generation for g in generations]] for generation in sorted(set(generations))]
    return tuple(part.shape[1] for part in parts), np.hstack([np.sort(part, axis=1) for part in parts])


def _estimate_chunk(shape: Shape, logs: Logs) -> list[Estimate]:
    """Estimates of measurements of one shape from their logarithms, sorted within generations.

    A value that few resamples reach still lies in its interval.
    """
    lowest, highest = tail_ranks(shape)
    lows = np.partition(_statistic(logs, lowest), TAIL, axis=1)[:, TAIL]
    highs = np.partition(_statistic(logs, highest), -1 - TAIL, axis=1)[:, -1 - TAIL]
    values = _statistic(logs, _middle_ranks(shape)[None])[:, 0]
    bounded = (values, np.minimum(values, lows), np.maximum(values, highs))
    return list(map(Estimate, *(np.exp(ends).tolist() for ends in bounded), repeat(reachable_confidence(shape))))


def _statistic(logs: Logs, ranks: Ranks) -> Logs:
    """The median over generations of the median over turns of each resample: (measurements, resamples)."""
    medians = (logs[:, ranks[:, :, 0]] + logs[:, ranks[:, :, 1]]) / 2
    generations = ranks.shape[1]
    if generations > 2:
        medians.sort(axis=2)
    return np.asarray((medians[:, :, (generations - 1) // 2] + medians[:, :, generations // 2]) / 2)


def _resampled(turns: Turns, stream: int) -> tuple[Logs, float]:
    shape, logs = _sorted_logs(list(turns), [list(turns.values())])
    value = _statistic(logs, _middle_ranks(shape)[None])[0, 0]
    return _statistic(logs, resampled_ranks(shape, stream))[0], float(value)


def _generation_medians(turns: Turns) -> Logs:
    """The median of the logarithms of each generation."""
    shape, logs = _sorted_logs(list(turns), [list(turns.values())])
    return np.asarray(logs[0][_middle_ranks(shape)].mean(axis=1))


def _middle_ranks(shape: Shape) -> Ranks:
    """Where in the sorted logarithms the two middle values of each generation stand: (generations, 2)."""
    starts, counts = np.cumsum((0, *shape[:-1])), np.array(shape)
    return np.stack([starts + (counts - 1) // 2, starts + counts // 2], axis=1)


@lru_cache(maxsize=64)
def resampled_ranks(shape: Shape, stream: int = 0) -> Ranks:
    """The ranks of the two middle values of every resampled generation: (resamples, generations, 2).

    Sorted values make a resample's median a look-up of two ranks, which do not depend on the values; so they are
    drawn once for each shape.
    """
    random = np.random.default_rng([SEED, stream, *shape])
    starts = np.cumsum((0, *shape[:-1]))
    drawn = np.sort(random.integers(0, len(shape), (RESAMPLES, len(shape))), axis=1)
    ranks = np.empty((RESAMPLES, len(shape), 2), dtype=np.intp)
    for generation, k in enumerate(shape):
        here = drawn == generation
        order = np.sort(random.integers(0, k, (int(here.sum()), k)), axis=1) + starts[generation]
        ranks[here] = order[:, [(k - 1) // 2, k // 2]]
    return ranks


@lru_cache(maxsize=64)
def tail_ranks(shape: Shape) -> tuple[Ranks, Ranks]:
    """The resamples that can be among the lowest, and among the highest, `TAIL` + 1, whatever the values are.

    Ranks that are nowhere higher give a statistic that is not higher; a resample above `TAIL` + 1 such others is
    never needed. One or two generations leave a hundred of the two thousand; the page's script takes the same ones.
    """
    ranks = resampled_ranks(shape).reshape(RESAMPLES, -1)
    ranks = ranks[np.lexsort(ranks.T[::-1])]
    generation = np.repeat(np.arange(len(shape)), shape)[ranks]
    below = ~np.tri(RESAMPLES, dtype=bool)  # of equal resamples one counts as the lower
    for column, drawn_from in zip(ranks.T, generation.T, strict=True):
        below &= (column[:, None] <= column) & (drawn_from[:, None] == drawn_from)
    kept = [below.sum(axis=axis) <= TAIL for axis in (0, 1)]
    lowest, highest = (ranks[keep].reshape(-1, len(shape), 2) for keep in kept)
    return lowest, highest
