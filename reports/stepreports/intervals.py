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
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Turns = Mapping[tuple[int, int], float]
Shape = tuple[int, ...]

CONFIDENCE = 0.99
RESAMPLES = 2000
SEED = 20240229  # any number: the same records must give the same interval
LEAST_MARGIN = 0.01
NOISY_SPREAD = 0.10
LOUD_SPREAD = 0.25
_CHUNK = 256  # measurements resampled at once: a chunk of 2000 × 4 × 2 doubles each stays near 30 MB


@dataclass(frozen=True, slots=True)
class Estimate:
    """A median and the interval it lies in. Positive numbers: seconds, or a ratio of them."""

    value: float
    low: float
    high: float

    def inverse(self) -> Estimate:
        """Of b to a, when this is of a to b."""
        return Estimate(1 / self.value, 1 / self.high, 1 / self.low)

    def scaled(self, factor: float) -> Estimate:
        """The same estimate in another unit."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)

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
    """The estimate of each measurement, in order. Measurements of the same shape share their resamples."""
    by_shape: dict[Shape, list[int]] = defaultdict(list)
    logs: list[NDArray[np.float64]] = []
    for index, turns in enumerate(measurements):
        shape, values = _sorted_logs(turns)
        by_shape[shape].append(index)
        logs.append(values)
    found: dict[int, Estimate] = {}
    for shape, indices in by_shape.items():
        for first in range(0, len(indices), _CHUNK):
            chunk = indices[first : first + _CHUNK]
            found.update(zip(chunk, _estimate_chunk(shape, np.array([logs[i] for i in chunk])), strict=True))
    return [found[index] for index in range(len(measurements))]


def estimate(turns: Turns) -> Estimate:
    """The estimate of one measurement."""
    return estimates([turns])[0]


def ratios(pairs: Sequence[tuple[Turns, Turns]]) -> list[Estimate | None]:
    """The within-turn ratio of each pair, first to second; None for a pair that shares no turn."""
    within = [{turn: a[turn] / b[turn] for turn in a if turn in b} for a, b in pairs]
    found = iter(estimates([turns for turns in within if turns]))
    return [next(found) if turns else None for turns in within]


def ratio(a: Turns, b: Turns) -> Estimate | None:
    """The within-turn ratio of a to b; None when they share no turn."""
    return ratios([(a, b)])[0]


def ratio_between_runs(a: Turns, b: Turns) -> Estimate:
    """The ratio of a to b measured in different runs: no turn is shared, so both are resampled, independently."""
    samples_a, value_a = _resampled(a, stream=0)
    samples_b, value_b = _resampled(b, stream=1)
    low, high = np.exp(np.quantile(samples_a - samples_b, _TAILS))
    value = math.exp(value_a - value_b)
    return Estimate(value, min(float(low), value), max(float(high), value))


def shape_of(turns: Turns) -> Shape:
    """The number of turns in each generation, in order of generation."""
    return _sorted_logs(turns)[0]


def reachable_confidence(shape: Shape) -> float:
    """The most confidence any interval within the range of the turns can have, at most `CONFIDENCE`.

    The median of one generation lies outside the range of its k turns with probability 2^(1 − k).
    With several generations the spread between them widens the interval, and the nominal confidence is reached.
    """
    return CONFIDENCE if len(shape) > 1 else min(CONFIDENCE, 1 - 2.0 ** (1 - shape[0]))


def verdict(ratio_of_a_to_b: Estimate, margin: float) -> Verdict:
    """Whether a is faster or slower than b: the whole interval lies outside ±margin; same: inside."""
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
    deviations = [abs(value) for a, b in pairs for value in _generation_medians({t: a[t] / b[t] for t in a if t in b})]
    if not deviations:
        return None
    return float(np.expm1(np.quantile(deviations, 0.95, method="higher")))


def margin_of(pairs: Iterable[tuple[Turns, Turns]]) -> float:
    """The difference below which nothing is called different: 1 %, or the A/A spread where that is larger."""
    return max(LEAST_MARGIN, self_comparison_spread(pairs) or 0.0)


def spread(turns: Turns) -> float:
    """The interquartile range of the turns over their median: what `NOISY_SPREAD` and `LOUD_SPREAD` judge."""
    lower, median, upper = np.quantile(list(turns.values()), (0.25, 0.5, 0.75))
    return float((upper - lower) / median)


def break_even_steps(extra_start_seconds: float, step: Estimate, other_step: Estimate) -> Estimate | None:
    """The steps after which a row that starts `extra_start_seconds` later has caught up with the other.

    None when it never does for certain: its step is not faster over the whole interval. One step at the least.
    """
    if step.high >= other_step.low:
        return None
    gains = (other_step.value - step.value, other_step.high - step.low, other_step.low - step.high)
    steps = [max(1.0, math.ceil(extra_start_seconds / gain)) for gain in gains]
    return Estimate(*steps)


_TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


def _sorted_logs(turns: Turns) -> tuple[Shape, NDArray[np.float64]]:
    """The logarithms of the turns, sorted within each generation, generations one after the other."""
    generations: dict[int, list[float]] = defaultdict(list)
    for (generation, _), value in turns.items():
        generations[generation].append(math.log(value))
    parts = [sorted(generations[generation]) for generation in sorted(generations)]
    return tuple(len(part) for part in parts), np.array([value for part in parts for value in part])


def _estimate_chunk(shape: Shape, logs: NDArray[np.float64]) -> list[Estimate]:
    """Estimates of measurements (k, turns) of one shape, their logarithms sorted within generations."""
    samples = _statistic(logs, resampled_ranks(shape))
    lows, highs = np.quantile(samples, _TAILS, axis=1)
    values = np.median(np.stack([logs[:, pair].mean(axis=1) for pair in _middle_ranks(shape)], axis=1), axis=1)
    lows, highs = np.minimum(lows, values), np.maximum(highs, values)
    return [Estimate(*map(float, row)) for row in np.exp(np.stack([values, lows, highs], axis=1))]


def _statistic(logs: NDArray[np.float64], ranks: NDArray[np.intp]) -> NDArray[np.float64]:
    """The statistic of every resample: (k, turns) logarithms and (resamples, generations, 2) ranks → (k, resamples)."""
    medians = (logs[:, ranks[:, :, 0]] + logs[:, ranks[:, :, 1]]) / 2
    return np.asarray(np.median(medians, axis=2))


def _resampled(turns: Turns, stream: int) -> tuple[NDArray[np.float64], float]:
    shape, logs = _sorted_logs(turns)
    return _statistic(logs[None], resampled_ranks(shape, stream))[0], float(np.median(_generation_medians(turns)))


def _generation_medians(turns: Turns) -> list[float]:
    """The median of the logarithms of each generation."""
    shape, logs = _sorted_logs(turns)
    return [float(logs[list(pair)].mean()) for pair in _middle_ranks(shape)]


def _middle_ranks(shape: Shape) -> list[list[int]]:
    """Per generation, where in the sorted logarithms its two middle values stand (the same one twice if odd)."""
    starts = np.cumsum((0, *shape[:-1])).tolist()
    return [[start + (k - 1) // 2, start + k // 2] for start, k in zip(starts, shape, strict=True)]


@lru_cache(maxsize=64)
def resampled_ranks(shape: Shape, stream: int = 0) -> NDArray[np.intp]:
    """The ranks of the two middle values of every resampled generation: (resamples, generations, 2).

    Sorted values make a resample's median a look-up of two ranks, which do not depend on the values; so they
    are drawn once for each shape, and the page's script can take the same ones.
    """
    random = np.random.default_rng([SEED, stream, *shape])
    starts = np.cumsum((0, *shape[:-1]))
    drawn = random.integers(0, len(shape), (RESAMPLES, len(shape)))
    ranks = np.empty((RESAMPLES, len(shape), 2), dtype=np.intp)
    for generation, k in enumerate(shape):
        here = drawn == generation
        order = np.sort(random.integers(0, k, (int(here.sum()), k)), axis=1) + starts[generation]
        ranks[here] = order[:, [(k - 1) // 2, k // 2]]
    return ranks
