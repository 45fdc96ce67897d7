"""Numbers and sizes in words: only the digits that the interval bears, always with a unit."""

from __future__ import annotations

import math
from collections.abc import Iterable

from stepreports.intervals import Estimate

MOST_DIGITS = 3
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
_DURATIONS = ((7200, 3600, "hours"), (120, 60, "minutes"), (0, 1, "seconds"))


def decimals(estimate: Estimate) -> int:
    """The decimals down to the leading digit of the distance to the nearer end; three significant digits at most."""
    distances = [d for d in (estimate.high - estimate.value, estimate.value - estimate.low) if d > 0]
    finest = _finest(estimate.value)
    return min(finest, -_exponent(min(distances))) if distances else finest


def number(value: float, places: int) -> str:
    """A value rounded to so many decimals, or to tens, hundreds … where `places` is negative."""
    return f"{round(value, places):,.{max(0, places)}f}"


def significant(value: float, digits: int = 2) -> str:
    """A value without an interval, to so many significant digits."""
    return "0" if value == 0 else number(value, digits - 1 - _exponent(value))


def interval(estimate: Estimate) -> str:
    """`[low, high]` in the digits of the estimate."""
    low, high = (_end(value, decimals(estimate)) for value in (estimate.low, estimate.high))
    return f"[{low}, {high}]"


def times(estimate: Estimate) -> str:
    """A ratio with its interval: `2.1× [1.9, 2.2]`."""
    return f"{number(estimate.value, decimals(estimate))}× {interval(estimate)}"


def seconds(estimate: Estimate) -> str:
    """A time in the unit that suits it: `1.55 ms`."""
    scale, unit = _unit(estimate.value, _SECONDS)
    scaled = estimate.scaled(1 / scale)
    return f"{number(scaled.value, decimals(scaled))} {unit}"


def seconds_interval(estimate: Estimate) -> str:
    """The interval of a time, in the unit that `seconds` takes."""
    return interval(estimate.scaled(1 / _unit(estimate.value, _SECONDS)[0]))


def plain_seconds(value: float, digits: int = 2) -> str:
    """A time without an interval: `15 ms`."""
    scale, unit = _unit(value, _SECONDS)
    return f"{significant(value / scale, digits)} {unit}"


def duration(value: float) -> str:
    """How long a person waited: `45 seconds`, `8.3 minutes`, `1.5 hours`."""
    scale, unit = next((scale, unit) for least, scale, unit in _DURATIONS if value >= least)
    return f"{significant(value / scale)} {unit}"


def plain_bytes(value: float, digits: int = 2) -> str:
    """A size in decimal units: `160 kB`."""
    scale, unit = _unit(value, _BYTES)
    return f"{significant(value / scale, digits)} {unit}"


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction as `92 %`."""
    return f"{significant(100 * fraction, digits)} %"


def percentage(estimate: Estimate) -> str:
    """A fraction with its interval: `92 % [90, 95]`."""
    hundredths = estimate.scaled(100)
    return f"{number(hundredths.value, decimals(hundredths))} % {interval(hundredths)}"


def difference(fraction: float) -> str:
    """A difference as `3.2 %`, or, where it is larger than itself ten times over, that it is."""
    return percent(fraction) if fraction < 9 else "more than tenfold"


def counted(count: int, noun: str) -> str:
    """`1 step`, `3 steps`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a, b and c`."""
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final


def _end(value: float, places: int) -> str:
    """An end in the digits of its value, but never more than three of its own nor fewer than one: no time is 0."""
    return number(value, max(-_exponent(value), min(places, _finest(value))))


def _finest(value: float) -> int:
    return MOST_DIGITS - 1 - _exponent(value)


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))


def _unit(value: float, units: tuple[tuple[float, str], ...]) -> tuple[float, str]:
    return next((pair for pair in units if abs(value) >= pair[0]), units[-1])
