"""NaN and infinity in, NaN and infinity out, as the truth has them.

What a row may and may not answer where the truth has no number:

- where it is NaN, no number: a run that has diverged must not look like a result;
- where it is infinite, that infinity or NaN: honest forms meet inf − inf or 0·inf on their way (softplus(z) − y·z
  does), and NaN says as clearly that there is no number; a finite one, or the other infinity, is wrong;
- where it is finite although something that went in was not, there is no bound to judge by (|X||w| is infinite): only
  an element that has nothing to do with what was not finite is judged, by its own bound.

The truth is `reference.py`'s, rounded to the row's dtype: beyond its largest number lies infinity. With l2 = 0 it forms
0·inf, where a row may leave the penalty out: infinite weights are tried with a penalty alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from stepkernels import Adam, Config, Snapshot
from stepkernels.agreement import STEP_FIELDS, Expectation
from stepkernels.problem import Array
from stepkernels.reference import Gradient, Point


def truths(gradient: Gradient, after: Point) -> dict[str, Array]:
    """By field, what a step gives."""
    values = {name: getattr(gradient, name) for name in ("J", "gw", "gb")}
    values |= {name: getattr(after, name) for name in ("w", "b", "moment1", "moment2")}
    return {name: np.asarray(value, np.float64) for name, value in values.items()}


def a_number_instead(snapshot: Snapshot, truth: Mapping[str, Array], dtype: str) -> tuple[str, str] | None:
    """The first field that has a number, or the other infinity, where the truth has none; and a sentence of it."""
    for name in STEP_FIELDS:
        value = np.atleast_1d(np.asarray(getattr(snapshot, name), np.float64))
        with np.errstate(over="ignore"):
            expected = np.atleast_1d(truth[name].astype(dtype).astype(np.float64))
        if value.shape != expected.shape:
            return name, f"{name} has shape {value.shape} and not {expected.shape}"
        a_number = np.isnan(expected) & np.isfinite(value)
        wrong = a_number | (np.isinf(expected) & ~np.isnan(value) & (value != expected))
        if wrong.any():
            k = int(np.argmax(wrong))
            return name, f"{name} is {value[k]:g} where the truth is {expected[k]:g}"
    return None


def worst_of_the_others(
    snapshot: Snapshot, expectation: Expectation, dtype: str, fields: Iterable[str] = STEP_FIELDS
) -> tuple[str, float]:
    """Of the elements whose truth and bound are finite, the field and the size of the largest error in bounds."""
    worst = ("", 0.0)
    for name in fields:
        truth, bound = (np.atleast_1d(part) for part in expectation[name])
        value = np.atleast_1d(np.asarray(getattr(snapshot, name), np.float64))
        judged = np.isfinite(bound) & (np.abs(truth) < np.finfo(dtype).max)
        errors = np.abs(value[judged] - truth[judged]) / bound[judged]
        error = float(np.where(np.isnan(errors), np.inf, errors).max(initial=0.0))
        worst = max(worst, (name, error), key=lambda each: each[1])
    return worst


def points(point: Point, config: Config, j: int) -> Iterator[tuple[str, Point]]:
    """Points that are not finite in one place or in all, and what they are called; j is a feature."""
    one = np.arange(len(point.w)) == j
    nothing = np.full_like(point.w, np.nan)
    yield "w that is NaN", replace(point, w=nothing)
    yield "one NaN in w", replace(point, w=np.where(one, np.nan, point.w))
    yield "b that is NaN", replace(point, b=float("nan"))
    for infinity in (np.inf, -np.inf):
        yield f"b that is {infinity}", replace(point, b=float(infinity))
        if config.l2 > 0.0:
            yield f"one {infinity} in w", replace(point, w=np.where(one, infinity, point.w))


def points_of_moments(point: Point, config: Config, j: int) -> Iterator[tuple[str, Point]]:
    """Of Adam the same in its moments, which have nothing to do with the gradient or with one another."""
    if not isinstance(config.optimizer, Adam):
        return
    one = np.arange(len(point.moment1)) == j
    for odd in (np.nan, np.inf, -np.inf):
        yield f"one {odd} in moment1", replace(point, moment1=np.where(one, odd, point.moment1))
    for odd in (np.nan, np.inf):
        yield f"one {odd} in moment2", replace(point, moment2=np.where(one, odd, point.moment2))
