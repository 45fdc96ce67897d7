"""Squared error after a sigmoid: its derivatives by mpmath, the trap it has, and that cross-entropy has none."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from stepbench.lesson import (
    squared_error,
)
from stepbench.lesson.students import HOURS, x, y


def exact_squared_cost(w, b):
    terms = [
        (1 / (1 + mpmath.exp(-(w * mpmath.mpf(each) + b))) - int(label)) ** 2 for each, label in zip(x, y, strict=True)
    ]
    return mpmath.fsum(terms) / len(x)


@pytest.mark.parametrize("place", [(0.3, -0.2), (-0.78, 4.37), squared_error.START])
def test_slope_and_curvature_of_squared_error_are_its_derivatives(place):
    gradient, curvature = squared_error.squared_gradient(*place), squared_error.squared_curvature(*place)
    assert squared_error.squared_cost(*place) == pytest.approx(float(exact_squared_cost(*place)), rel=1e-13)
    with mpmath.workdps(40):
        for j, order in enumerate([(1, 0), (0, 1)]):
            exact = float(mpmath.diff(exact_squared_cost, place, order))
            assert gradient[j] == pytest.approx(exact, rel=1e-9, abs=1e-12)
        for (i, j), order in {(0, 0): (2, 0), (0, 1): (1, 1), (1, 1): (0, 2)}.items():
            exact = float(mpmath.diff(exact_squared_cost, place, order))
            assert curvature[i, j] == pytest.approx(exact, rel=1e-9, abs=1e-12)


def test_the_trap_is_a_strict_minimum_that_is_not_the_best_and_descent_ends_in_it():
    trap = squared_error.trap()
    for place in (trap.trap, trap.best):
        assert np.abs(squared_error.squared_gradient(place.w, place.b)).max() < 1e-14
        assert np.linalg.eigvalsh(squared_error.squared_curvature(place.w, place.b)).min() > 1e-4
    assert trap.trap.cost > 2 * trap.best.cost
    assert trap.trap.right == len(HOURS) / 2 < trap.best.right
    assert trap.trap.cost < trap.hilltop
    costs = [squared_error.squared_cost(*point) for point in squared_error.squared_walk()]
    assert (np.diff(costs) <= 0).all()
    end = squared_error.squared_walk()[-1]
    assert np.abs(end - (trap.trap.w, trap.trap.b)).max() < 0.002


def test_cross_entropy_has_no_ridge_and_its_walk_ends_at_its_minimum():
    _, _, entropy = squared_error.profile()
    assert (np.diff(entropy, 2) > 0).all()
    best = squared_error.trap().entropy_best
    assert np.abs(squared_error.entropy_walk()[-1] - (best.w, best.b)).max() < 1e-6


def test_the_confident_mistake_is_not_heard():
    trap = squared_error.trap()
    a = 1 / (1 + mpmath.exp(-(squared_error.START[0] * mpmath.mpf(x[0]) + squared_error.START[1])))
    assert y[0] == 0
    assert trap.pull == pytest.approx(float(a), rel=1e-14)
    assert trap.faded_pull == pytest.approx(float(a * a * (1 - a)), rel=1e-6)
