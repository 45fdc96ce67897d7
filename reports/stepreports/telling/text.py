"""Numbers and sizes in words: only the digits that the interval supports, always with a unit."""

from __future__ import annotations

import math
from collections.abc import Iterable

from stepreports.statistics.intervals import Estimate

MOST_DIGITS = 3
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_BYTES = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
_JOULES = ((1e3, "kJ"), (1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"))
_DURATIONS = ((7200, 3600, "hours"), (120, 60, "minutes"), (0, 1, "seconds"))


def decimals(estimate: Estimate) -> int:
    """The decimals down to the leading digit of the distance to the nearer end; three significant digits at most."""
    distances = [d for d in (estimate.high - estimate.value, estimate.value - estimate.low) if d > 0]
    finest = _finest(estimate.value)
    return min(finest, -_exponent(min(distances))) if distances else finest


def number(value: float, places: int) -> str:
    """A value rounded to so many decimals, or to tens, hundreds … where `places` is negative."""
    return f"{round(value, places):,.{max(0, places)}f}"


def numbers(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    """An estimate under its name, and its ends under theirs, for a program; None without one."""
    parts = (estimate.value, estimate.low, estimate.high) if estimate else (None, None, None)
    return dict(zip((name, f"{name}_low", f"{name}_high"), parts, strict=True))


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


def time(estimate: Estimate) -> str:
    """A time with its interval, in the unit of the time: `1.55 ms [1.50, 1.61]`."""
    return f"{seconds(estimate)} {interval(estimate.scaled(1 / _unit(estimate.value, _SECONDS)[0]))}"


def plain_seconds(value: float, digits: int = 2) -> str:
    """A time without an interval: `15 ms`."""
    scale, unit = _unit(value, _SECONDS)
    return f"{significant(value / scale, digits)} {unit}"


def tick_seconds(value: float) -> str:
    """A time on an axis, without zeros at its end: `0`, `1.5 s`, `2 s`."""
    scale, unit = _unit(value, _SECONDS)
    return f"{value / scale:.3g} {unit}" if value else "0"


def duration(value: float) -> str:
    """How long a person waited: `45 seconds`, `8.3 minutes`, `1.5 hours`."""
    scale, unit = next((scale, unit) for least, scale, unit in _DURATIONS if value >= least)
    return f"{significant(value / scale)} {unit}"


def plain_bytes(value: float, digits: int = 2) -> str:
    """A size in decimal units: `160 kB`."""
    scale, unit = _unit(value, _BYTES)
    return f"{significant(value / scale, digits)} {unit}"


def plain_joules(value: float, digits: int = 2) -> str:
    """An energy without an interval: `1.2 mJ`."""
    scale, unit = _unit(value, _JOULES)
    return f"{significant(value / scale, digits)} {unit}"


def gb_per_s(rate: float) -> str:
    """A rate of reading: `28.5 GB/s`."""
    return f"{rate:.3g} GB/s"


def percent(fraction: float, digits: int = 2) -> str:
    """A fraction as `92 %`."""
    return f"{significant(100 * fraction, digits)} %"


def percentage(estimate: Estimate) -> str:
    """A fraction with its interval, to whole percents or two digits: `71 % [57, 91]`, `4.3 % [4.2, 5.0]`."""
    value, low, high = (100 * part for part in (estimate.value, estimate.low, estimate.high))
    places = max(0, 1 - _exponent(value))
    return f"{number(value, places)} % [{number(low, places)}, {number(high, places)}]"


def difference(fraction: float) -> str:
    """A difference as `3.2 %`; one that makes ten times as much, or more, in words."""
    return percent(fraction) if fraction < 9 else "more than tenfold"


def counted(count: int, noun: str, plural: str = "s") -> str:
    """`1 step`, `3 steps`; `2 processes`, whose plural ends otherwise."""
    return f"{count:,} {noun}{'' if count == 1 else plural}"


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
