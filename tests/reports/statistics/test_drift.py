"""A drift within generations: the test's level, also of turns that are alike, its power, and what does not move it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stepreports.statistics.drift import LEAST_TURNS, drifts, least_chance

SHAPE = (40, 40, 40)


def noise(measurements, shape=SHAPE, alike=0.0, seed=5):
    """Turns of which neighbours are alike: a first-order process in each generation."""
    random = np.random.default_rng(seed)
    found = random.normal(size=(measurements, len(shape), shape[0]))
    for turn in range(1, shape[0]):
        found[..., turn] = alike * found[..., turn - 1] + np.sqrt(1 - alike**2) * found[..., turn]
    return found.reshape(measurements, -1)


def growing(by, shape=SHAPE):
    return np.concatenate([np.linspace(0, by, count) for count in shape])


@pytest.mark.parametrize("alike", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("shape", [SHAPE, (40, 40), (12, 12, 12)], ids=str)
def test_turns_without_a_drift_alarm_as_often_as_they_may_also_where_neighbours_are_alike(shape, alike):
    chances = drifts(shape, noise(2000, shape, alike)).chances
    assert (chances < 0.05).mean() < 0.085
    assert (chances < 0.01).mean() < 0.03
    assert (chances < 1e-4).mean() < 2e-3


def test_a_drift_of_twice_the_noise_is_found_among_a_hundred_measurements():
    found = drifts(SHAPE, noise(400) + growing(2.0))
    assert (found.chances < 1e-4 / 2).mean() > 0.9
    assert np.median(found.sizes) == pytest.approx(2.0, abs=0.05)


def test_what_a_process_differs_by_is_no_drift():
    turns = noise(50) + growing(1.0)
    moved = turns + np.repeat([0.0, 3.0, -5.0], 40)
    for found, expected in zip(drifts(SHAPE, moved), drifts(SHAPE, turns), strict=True):
        assert found == pytest.approx(expected)


def test_turns_in_the_other_order_drift_the_other_way():
    turns = noise(50) + growing(1.0)
    found, back = drifts(SHAPE, turns), drifts(SHAPE, turns[:, ::-1])
    assert back.sizes == pytest.approx(-found.sizes)
    assert back.chances == pytest.approx(found.chances)


def test_a_few_wild_turns_do_not_make_a_drift():
    turns = noise(200, seed=6)
    turns[:, [3, 29, 57, 78, 101]] += 50.0
    found = drifts(SHAPE, turns)
    assert (found.chances < 0.01).mean() < 0.03
    assert abs(np.median(found.sizes)) < 0.1


def test_of_one_generation_the_slope_is_that_of_theil_and_sen():
    turns = noise(5, (40,)) + growing(1.0, (40,))
    slopes = [stats.theilslopes(row).slope for row in turns]
    assert drifts((40,), turns).sizes == pytest.approx(np.array(slopes) * 39)


def test_the_score_of_turns_that_only_grow_is_that_of_kendall():
    tau = stats.kendalltau(range(40), range(40), method="asymptotic")
    assert least_chance((40,)) == pytest.approx(tau.pvalue, rel=0.3)  # which takes no half step towards zero


def test_of_too_few_turns_nothing_is_told():
    assert drifts((LEAST_TURNS - 1,) * 3, noise(2, (LEAST_TURNS - 1,) * 3)) is None
    assert least_chance((LEAST_TURNS - 1,) * 3) == 1.0
