"""A neuron: where its answer changes, how fast, and whom it answers right."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from stepbench.lesson import (
    neuron,
    students,
)
from stepbench.lesson.students import CENTRE, HOURS, PASSED, hours, x


def test_the_students_are_those_the_text_tells_of():
    assert len(HOURS) == 16
    assert HOURS[0] == 1
    assert CENTRE == 9
    assert PASSED[HOURS == 6] == 1
    assert PASSED[HOURS == 16] == 0


def test_hours_undo_the_centring():
    assert [hours(each) for each in x] == HOURS.tolist()


@pytest.mark.parametrize(("w", "b"), [(0.8, 0.0), (-0.5, 1.5), (2.0, -6.0)])
def test_the_boundary_is_where_the_answer_is_one_half_and_the_slope_is_steepest_there(w, b):
    found = neuron.neuron(w, b)
    answer = lambda hour: mpmath.mpf(1) / (1 + mpmath.exp(-(w * (hour - CENTRE) + b)))  # noqa: E731
    assert float(answer(found.boundary_hours)) == pytest.approx(0.5, abs=1e-14)
    slopes = [float(mpmath.diff(answer, hour)) for hour in (found.boundary_hours, found.boundary_hours + 1)]
    assert found.slope == pytest.approx(slopes[0], rel=1e-9)
    assert abs(slopes[1]) < abs(slopes[0])


def test_the_witnesses_lie_on_both_sides_of_one_who_passed():
    """On a line, three in this order cannot be parted by one point, whichever side it calls a pass."""
    found = students.witnesses()
    assert PASSED[found.passed_hours == HOURS] == 1
    assert (PASSED[found.passed_hours > HOURS] == 0).all()
    assert (found.passed_hours > HOURS).sum() == found.failed_with_less > 0
    assert PASSED[found.failed_hours == HOURS] == 0
    assert found.failed_hours == HOURS[-1] > found.passed_hours


def test_no_setting_answers_all_students_right():
    settings = [(w, b) for w in np.linspace(-2, 2, 81) for b in np.linspace(-6, 6, 121)]
    assert max(neuron.neuron(w, b).right for w, b in settings) < len(HOURS)
    assert neuron.neuron(0.0, 1.0).boundary_hours is None


def test_scores_are_squashed_as_mpmath_does():
    for z, a in neuron.squashed():
        assert a == pytest.approx(float(1 / (1 + mpmath.exp(-z))), rel=1e-15)
