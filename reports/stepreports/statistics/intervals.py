"""What follows from the numbers: medians and ratios with their intervals, verdicts, break-even.

A measurement is a mapping from (generation, turn) to the seconds of that turn. Everything is done on logarithms, so
that the ratio of a to b is exactly the inverse of the ratio of b to a.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import repeat
from typing import NamedTuple

import numpy as np

from stepreports.records.turns import Floats, Shape, Turns, measured, over, side_by_side
from stepreports.statistics.bootstrap import (
    CONFIDENCE,
    LEAST_GENERATIONS,
    TAIL,
    generation_medians,
    means_and_errors,
    medians_and_tails,
    reachable_confidence,
    resampled,
    sort_within_generations,
    t_quantile,
)

LEAST_CONFIDENCE = 0.9
NOISY_SPREAD = 0.10
LOUD_SPREAD = 0.25


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


def estimates(measurements: Iterable[Turns]) -> list[Estimate]:
    """The estimate of each measurement, in order."""
    return side_by_side(list(map(measured, measurements)), _estimates_alike)


def estimate(turns: Turns) -> Estimate:
    """The estimate of one measurement."""
    return estimates([turns])[0]


def ratios(pairs: Iterable[tuple[Turns, Turns] | None]) -> list[Estimate | None]:
    """The within-turn ratio of each pair, first to second; None for no pair, and for one that shares no turn."""
    within = [over(*pair) if pair else None for pair in pairs]
    found = iter(estimates([shared for shared in within if shared is not None]))
    return [None if shared is None else next(found) for shared in within]


def ratio(a: Turns, b: Turns) -> Estimate | None:
    """The within-turn ratio of a to b; None when they share no turn."""
    return ratios([(a, b)])[0]


def ratio_between_runs(a: Turns, b: Turns) -> Estimate:
    """The ratio of a to b measured in different runs: no turn is shared, so both are resampled, independently.

    Where both have generations enough, the interval also reaches as far as those differ within each (Welch's t).
    """
    shapes, logs = zip(*map(_logs_of_one, (a, b)), strict=True)
    (value_a, samples_a), (value_b, samples_b) = map(resampled, shapes, logs, (0, 1))
    samples = np.sort(samples_a - samples_b)
    value = value_a - value_b
    low, high = _beyond_generations(shapes, logs, float(samples[TAIL]), float(samples[-1 - TAIL]))
    confidence = min(map(reachable_confidence, shapes))
    return Estimate(math.exp(value), math.exp(min(value, low)), math.exp(max(value, high)), confidence)


def _beyond_generations(
    shapes: Sequence[Shape], logs: Sequence[Floats], low: float, high: float
) -> tuple[float, float]:
    """The ends of an interval of a difference, or those that its generations ask for, where these lie further out."""
    if min(map(len, shapes)) < LEAST_GENERATIONS:
        return low, high
    (mean_a, error_a), (mean_b, error_b) = (
        (mean.item(), error.item()) for mean, error in map(means_and_errors, shapes, (of[None] for of in logs))
    )
    variances = error_a**2, error_b**2
    spare = sum(variance**2 / (len(shape) - 1) for variance, shape in zip(variances, shapes, strict=True))
    reach = math.sqrt(sum(variances)) * t_quantile(sum(variances) ** 2 / spare) if spare else 0.0
    return min(low, mean_a - mean_b - reach), max(high, mean_a - mean_b + reach)


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


def own_deviations(pairs: Iterable[tuple[Turns, Turns]]) -> list[list[float]]:
    """How far one row lies from itself, for each pair of measurements of it, on logarithms: what margins are made of.

    One number of a pair with an interval that holds for processes in general: that of the ratio as it is told. Of
    fewer generations, whose interval knows nothing of another process, one for each of them. None where no turn is
    shared.
    """
    within = [over(a, b) for a, b in pairs]
    found = iter(side_by_side([shared for shared in within if shared is not None], _deviations_alike))
    return [[] if shared is None else next(found) for shared in within]


def spreads(measurements: Iterable[Turns]) -> list[float]:
    """The interquartile range of each one's turns over their median: what `NOISY_SPREAD` and `LOUD_SPREAD` judge."""
    return side_by_side(list(map(measured, measurements)), _spreads_alike)


def tails(measurements: Iterable[Turns]) -> list[tuple[float, float]]:
    """Between which seconds nine in ten of each one's turns lie: their 5th and 95th percentiles, of all generations."""
    return side_by_side(list(map(measured, measurements)), _tails_alike)


def break_even_steps(extra_start_seconds: float, step: Estimate, other_step: Estimate) -> Estimate | None:
    """The steps after which a row that starts `extra_start_seconds` later has caught up with the other.

    None when it never does for certain: its step is not faster over the whole interval. One step at the least.
    """
    if step.high >= other_step.low:
        return None
    gains = (other_step.value - step.value, other_step.high - step.low, other_step.low - step.high)
    steps = [max(1.0, math.ceil(extra_start_seconds / gain)) for gain in gains]
    return Estimate(*steps)


def _estimates_alike(shape: Shape, seconds: Floats) -> Iterable[Estimate]:
    ends = medians_and_tails(shape, _sorted_logs(shape, seconds))
    return map(Estimate, *(np.exp(end).tolist() for end in ends), repeat(reachable_confidence(shape)))


def _spreads_alike(_: Shape, seconds: Floats) -> list[float]:
    low, middle, high = np.quantile(seconds, (0.25, 0.5, 0.75), axis=1)
    return np.asarray((high - low) / middle).tolist()  # type: ignore[no-any-return]


def _tails_alike(_: Shape, seconds: Floats) -> Iterable[tuple[float, float]]:
    low, high = np.quantile(seconds, (0.05, 0.95), axis=1)
    return zip(low.tolist(), high.tolist(), strict=True)


def _deviations_alike(shape: Shape, ratios_of_one: Floats) -> list[list[float]]:
    medians = generation_medians(shape, _sorted_logs(shape, ratios_of_one))
    told = np.median(medians, axis=1, keepdims=True) if len(shape) >= LEAST_GENERATIONS else medians
    return np.abs(told).tolist()  # type: ignore[no-any-return]


def _sorted_logs(shape: Shape, seconds: Floats) -> Floats:
    """Logarithms of (measurements, turns), sorted within each generation."""
    logs = np.log(seconds)
    sort_within_generations(shape, logs)
    return logs


def _logs_of_one(turns: Turns) -> tuple[Shape, Floats]:
    measurement = measured(turns)
    shape = measurement.layout.shape
    return shape, _sorted_logs(shape, measurement.seconds[None])[0]
