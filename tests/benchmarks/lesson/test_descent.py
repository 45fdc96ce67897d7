"""Descent: every walk is the reference's, and the rates and races do what the text says."""

from __future__ import annotations

import numpy as np
import pytest

from stepbench.lesson import (
    descent,
)
from stepbench.lesson.students import HOURS, PER_HUNDRED, students, x
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
    for w, b in np.random.default_rng(0).normal(0, 2, (200, 2)):  # an average of outer products: never negative
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


def test_centring_and_scaling_are_two_things():
    found = descent.conditioning()
    assert found.hours == pytest.approx(np.linalg.cond(np.column_stack([HOURS, np.ones_like(HOURS)])) ** 2, rel=1e-9)
    assert 400 < found.hours < 440
    assert 20 < found.centred < 24
    assert found.standardized == pytest.approx(1)
    assert found.hundreds > found.hours


def test_steps_are_counted_to_where_a_walk_stays_and_not_to_where_it_passes():
    assert descent.steps_to(np.array([3.0, 0.5, 2.0, 0.5, 0.1]), 1.0) == (1, 3)
    assert descent.steps_to(np.array([3.0, 0.5, 2.0]), 1.0) == (1, None)
    assert descent.steps_to(np.array([3.0, 2.0]), 1.0) == (None, None)
    assert descent.steps_to(np.array([0.5, 0.5]), 1.0) == (0, 0)


def test_both_racers_choose_among_as_many_rates_and_the_best_wins():
    assert len(descent.GD_MULTIPLES) == len(descent.ADAM_RATES)
    assert max(descent.GD_MULTIPLES) < 2  # what is guaranteed to descend
    data = students(PER_HUNDRED)
    rate = descent.curvature(data).rate
    least = reference.gradient(data, *map(np.atleast_1d, descent.best_point(data)[:1]), descent.best_point(data)[1]).J
    steps = [
        descent.steps_to(descent.walk(data, GD(learning_rate=k * rate), descent.RACE_STEPS).costs - least, descent.NEAR)
        for k in descent.GD_MULTIPLES
    ]
    assert descent.races()["hundreds"].gd.stayed == min(stayed for _, stayed in steps if stayed is not None)


def test_the_races_end_where_they_are_said_to_and_no_rebound_decides_them():
    races = descent.races()
    for race in races.values():
        for entrant in (race.gd, race.adam):
            assert (entrant.gaps[entrant.stayed :] <= descent.NEAR).all()
            assert entrant.gaps[entrant.stayed - 1] > descent.NEAR
            for line in (1.2 * descent.NEAR, descent.NEAR / 1.2):
                assert descent.steps_to(entrant.gaps, line)[1] == pytest.approx(entrant.stayed, rel=0.2)
    assert races["hours"].gd.stayed < races["hours"].adam.stayed
    assert races["hundreds"].adam.stayed < races["hundreds"].gd.stayed
    boldest = races["hundreds"].boldest
    assert boldest.arrived < races["hundreds"].adam.arrived
    assert boldest.highest_after > 10 * descent.NEAR
    outside = boldest.gaps[boldest.arrived :] > descent.NEAR
    assert (np.diff(outside.astype(int)) == 1).sum() > 1  # thrown out again and again
    data, adam = students(PER_HUNDRED), Adam(learning_rate=races["hundreds"].adam.rate)
    point = Point.start(data)
    for _ in range(10):
        point = reference.update(point, reference.gradient(data, point.w, point.b), adam)
    assert descent.walk(data, adam, 10).parameters[-1] == pytest.approx(point.parameters, rel=1e-9)
