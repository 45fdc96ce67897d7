"""Descent: every walk is the reference's, and the rates and races do what the text says."""

from __future__ import annotations

import numpy as np
import pytest

from stepbench.lesson import (
    descent,
)
from stepbench.lesson.students import PER_HUNDRED, students, x
from stepkernels import reference
from stepkernels.problem import GD, Adam
from stepkernels.reference import Point


def test_the_best_point_has_no_slope():
    for scale in (1.0, PER_HUNDRED):
        w, b = descent.best_point(students(scale))
        assert np.abs(reference.gradient(students(scale), np.array([w]), b).packed).max() < 1e-14


def test_the_bound_is_a_quarter_of_the_largest_eigenvalue_and_no_point_curves_more():
    found = descent.curvature(students())
    design = np.column_stack([x, np.ones_like(x)])
    assert found.bound == pytest.approx(np.linalg.eigvalsh(design.T @ design)[-1] / (4 * len(x)), rel=1e-13)
    for w, b in np.random.default_rng(0).normal(0, 2, (200, 2)):
        curvature = np.linalg.eigvalsh(descent.curvature_at(students(), np.array([w]), b))
        assert curvature[0] > 0
        assert curvature[1] <= found.bound
    assert found.limit == pytest.approx(2 / found.at_best)


def test_every_walk_is_the_references_walk():
    rate = descent.curvature(students()).rate
    for multiple, walk in descent.rate_walks().items():
        point = Point.start(students())
        point = Point(w=np.array([descent.START[0]]), b=descent.START[1], moment1=point.moment1,
                      moment2=point.moment2, step=0)  # fmt: skip
        for parameters, cost in zip(walk.parameters[:6], walk.costs[:6], strict=True):
            truth = reference.gradient(students(), point.w, point.b)
            assert parameters == pytest.approx(point.parameters, rel=1e-10, abs=1e-12)
            assert cost == pytest.approx(truth.J, rel=1e-10)
            point = reference.update(point, truth, GD(learning_rate=multiple * rate))


def test_the_four_rates_do_what_the_text_says():
    small, right, large, diverging = (descent.named_walks()[name].costs for name in descent.NAMED)
    assert (np.diff(small) < 0).all()
    assert (np.diff(right) < 0).all()
    assert right[-1] < small[-1]
    assert np.ptp(large[-10:]) > 0.05
    assert (diverging[1:] > diverging[0]).all()
    assert descent.NAMED["large"] * descent.curvature(students()).rate > descent.curvature(students()).limit


def test_the_races_end_where_they_are_said_to():
    for name, race in descent.races().items():
        for gaps, steps in ((race.gd, race.gd_steps), (race.adam, race.adam_steps)):
            assert steps is not None, name
            assert (gaps[steps:] <= descent.NEAR).all()
            assert gaps[steps - 1] > descent.NEAR
    races = descent.races()
    assert races["hours"].gd_steps < races["hours"].adam_steps
    assert races["hundreds"].adam_steps < races["hundreds"].gd_steps
    assert races["hundreds"].adam[1000:].max() > 1e-5  # the late kick
    data, adam = students(PER_HUNDRED), Adam(learning_rate=races["hundreds"].adam_rate)
    point = Point.start(data)
    for _ in range(10):
        point = reference.update(point, reference.gradient(data, point.w, point.b), adam)
    assert descent.walk(data, adam, 10).parameters[-1] == pytest.approx(point.parameters, rel=1e-9)
