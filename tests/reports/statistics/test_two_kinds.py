"""Hartigan's dip: its definition, the chance of it, what it sees; and that what is passed over could not be seen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from stepreports.statistics.two_kinds import LEAST_TURNS, chance_of, dip_and_split, dips_below, least_chance

# The ages of 63 statisticians, as Hartigan's dip is usually shown on: 0.0595.
AGES = (
    30, 33, 35, 36, 37, 37, 39, 39, 39, 39, 39, 40, 40, 40, 40, 41, 42, 43, 43, 43, 44, 44, 45, 45, 46, 46, 47, 47, 48,
    48, 48, 49, 50, 50, 51, 52, 52, 53, 53, 53, 53, 53, 54, 54, 57, 57, 59, 60, 60, 60, 61, 61, 61, 61, 62, 62, 62, 62,
    63, 66, 70, 72, 72,
)  # fmt: skip


def dip_of(turns):
    return dip_and_split(np.sort(np.asarray(turns, dtype=float)))[0]


def by_definition(turns):
    """The smallest distance from a distribution function that is convex up to a peak and concave after it."""
    return min(_distance(np.sort(turns), peak) for peak in range(len(turns)))


def _distance(turns, peak):
    """A linear programme in the values at the turns (two at the peak, where it may jump) and the distance."""
    count = len(turns)
    places = np.insert(turns, peak, turns[peak])
    share = np.insert(np.arange(1, count + 1) / count, peak, peak / count)  # just before the peak, the share below it
    least, bounds = [], []

    def no_more_than(bound, *terms):
        row = np.zeros(count + 2)
        for place, factor in terms:
            row[place] += factor
        least.append(row)
        bounds.append(bound)

    for place in range(count + 1):
        below = share[place] if place == peak else share[place] - 1 / count
        no_more_than(-share[place], (place, -1), (-1, -1))  # the jump to the share, at the turn
        no_more_than(below, (place, 1), (-1, -1))  # and up to the turn
        if place:
            no_more_than(0.0, (place - 1, 1), (place, -1))
    for middle in [*range(1, peak), *range(peak + 2, count)]:
        before, after = places[middle] - places[middle - 1], places[middle + 1] - places[middle]
        sign = 1 if middle < peak else -1
        no_more_than(0.0, (middle - 1, -sign * after), (middle, sign * (before + after)), (middle + 1, -sign * before))
    solved = linprog([0] * (count + 1) + [1], least, bounds, bounds=[(0, 1)] * (count + 2))
    assert solved.success
    return solved.fun


@pytest.mark.parametrize("seed", range(12))
def test_the_dip_is_the_distance_from_the_nearest_distribution_with_one_peak(seed):
    random = np.random.default_rng(seed)
    apart = (seed % 3) * 3.0
    turns = np.concatenate([random.normal(size=5 + seed % 4), random.normal(apart, 1.0, 5)])
    assert dip_of(turns) == pytest.approx(by_definition(turns), abs=1e-7)


def test_the_dip_of_the_statisticians():
    assert dip_of(AGES) == pytest.approx(0.05952381, abs=1e-8)
    assert chance_of(dip_of(AGES), len(AGES)) == pytest.approx(0.087, abs=0.01)


def test_a_dip_is_between_half_a_turn_and_a_quarter():
    assert dip_of(range(50)) == pytest.approx(1 / 100)
    assert dip_of([1.0] * 50) == pytest.approx(1 / 100)
    assert dip_of([1.0] * 25 + [2.0] * 25) == pytest.approx(0.25)


@pytest.mark.parametrize("turns", [24, 36, 120, 240])
def test_one_even_distribution_alarms_as_often_as_it_may(turns):
    random = np.random.default_rng(turns)
    chances = np.array([chance_of(dip_of(random.random(turns)), turns) for _ in range(1500)])
    for chance in (0.1, 0.05, 0.01):
        allowed = 3.5 * np.sqrt(chance / len(chances))
        assert (chances < chance).mean() == pytest.approx(chance, abs=allowed + 0.15 * chance)


@pytest.mark.parametrize("draw", ["normal", "standard_cauchy", "exponential", "lognormal"])
def test_other_distributions_with_one_peak_alarm_less_often(draw):
    random = np.random.default_rng(3)
    turns = getattr(random, draw)(size=(800, 120))
    assert np.mean([chance_of(dip_of(row), 120) < 0.05 for row in turns]) < 0.02


@pytest.mark.parametrize(("share", "apart"), [(0.5, 6.0), (0.3, 9.0), (0.2, 20.0)])
def test_two_kinds_are_found_among_a_hundred_measurements_and_split_between_them(share, apart):
    """The rarer one of them is, the further apart they must be."""
    slow = round(120 * share)
    turns = np.random.default_rng(4).normal(size=(200, 120))
    turns[:, :slow] += apart
    found = [dip_and_split(np.sort(row)) for row in turns]
    assert np.mean([chance_of(dip, 120) < 1e-4 / 2 for dip, _ in found]) > 0.9
    assert np.median([split for _, split in found]) == pytest.approx(120 - slow, abs=1)


@given(st.integers(0, 2**32 - 1), st.integers(LEAST_TURNS, 160), st.floats(0, 6), st.sampled_from([0.05, 1e-3, 1e-5]))
def test_what_is_passed_over_could_not_have_been_found(seed, count, apart, chance):
    random = np.random.default_rng(seed)
    turns = np.sort(random.standard_exponential(count) + apart * (random.random(count) < 0.4))
    if not dips_below(chance, turns[None])[0]:
        assert chance_of(dip_of(turns), count) >= chance


def test_few_turns_cannot_be_certain():
    assert least_chance(LEAST_TURNS - 1) == 1.0
    assert least_chance(120) < least_chance(40) < least_chance(LEAST_TURNS) < 1e-6
