"""A neuron that answers yes or no: what its weight and its bias do to the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stepbench.lesson.students import HOURS, hours, x, y
from stepkernels import reference

START = (0.8, 0.0)  # where the sliders stand when the page opens
SCORES = (-6.0, -2.0, -1.0, 0.0, 1.0, 2.0, 6.0)
FURTHEST = 17.0  # hours: the right edge of the picture

# The picture, in its own units: hours run from left to right, the answer from bottom to top.
LEFT, RIGHT, TOP, BOTTOM = 44.0, 630.0, 16.0, 276.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Neuron:
    """What a weight and a bias make of the students.

    boundary_hours  where a = ½; None for w = 0, where the answer is the same everywhere
    slope           how fast a changes there, an hour: w/4
    right           students for whom the answer is what happened
    """

    w: float
    b: float
    boundary_hours: float | None
    slope: float
    right: int


def neuron(w: float, b: float) -> Neuron:
    """The neuron with this weight and this bias."""
    z = w * x + b
    return Neuron(
        w=w,
        b=b,
        boundary_hours=hours(-b / w) if w else None,
        slope=w / 4.0,
        right=int(((z >= 0.0) == (y == 1.0)).sum()),
    )


def squashed() -> list[tuple[float, float]]:
    """Scores z and their answers σ(z)."""
    return [(z, float(reference.sigmoid(np.array(z)))) for z in SCORES]


def across(hour: float) -> float:
    """The horizontal place of an hour in the picture."""
    return LEFT + hour / FURTHEST * (RIGHT - LEFT)


def up(answer: float) -> float:
    """The vertical place of an answer in the picture."""
    return BOTTOM - answer * (BOTTOM - TOP)


def curve(w: float, b: float) -> str:
    """The path of a = σ(wx + b) in the picture."""
    places = np.linspace(0.0, FURTHEST, 171)
    answers = reference.sigmoid(w * (places - hours(0.0)) + b)
    points = (f"{across(hour):.1f},{up(answer):.1f}" for hour, answer in zip(places, answers, strict=True))
    return "M" + "L".join(points)


def dots() -> list[tuple[float, float, bool]]:
    """Where the students stand in the picture, and whether each passed."""
    return [(across(hour), up(passed), bool(passed)) for hour, passed in zip(HOURS, y, strict=True)]
