"""The data that the whole lesson looks at: sixteen students, how long each practised, and whether each passed.

Made up, so that every point of the lesson can be seen on the same picture: more practice helps, nobody can be sorted
without a mistake, and the two who failed in spite of the longest nights are what squared error stumbles over.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from stepkernels.problem import Array, Problem

HOURS = np.arange(1.0, 17.0)
PASSED = np.array([0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1, 0, 1, 0], dtype=np.float64)
CENTRE = 9.0  # x is counted from here: features near zero keep w and b from pulling at each other
PER_HUNDRED = 0.01

x: Array = HOURS - CENTRE
y: Array = PASSED


@cache
def students(scale: float = 1.0) -> Problem:
    """The students as a problem with one feature: hours of practice less `CENTRE`, times `scale`."""
    return Problem(scale * x[:, np.newaxis], y)


def hours(feature: float) -> float:
    """The hours of practice that a value of x stands for."""
    return feature + CENTRE


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnesses:
    """Who proves that no boundary sorts the students: a pass, with failures on both sides of it.

    passed_hours, failed_hours   a student who passed, and one who practised longest and failed
    failed_with_less             how many practised less than the former, and failed, all of them
    """

    passed_hours: float
    failed_with_less: int
    failed_hours: float


def witnesses() -> Witnesses:
    """The first student who passed, those before, who failed, and the last of all."""
    first = int(np.argmax(PASSED))
    return Witnesses(passed_hours=float(HOURS[first]), failed_with_less=first, failed_hours=float(HOURS[-1]))
