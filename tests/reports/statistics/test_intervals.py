"""Medians, ratios and verdicts: what they must be by arithmetic, and how often they are right."""

from __future__ import annotations

import math
import random
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepreports.records.turns import Measurement, layout_of
from stepreports.statistics.bootstrap import CONFIDENCE, reachable_confidence
from stepreports.statistics.intervals import (
    Estimate,
    Verdict,
    break_even_steps,
    detectable_difference,
    estimate,
    estimates,
    own_deviations,
    ratio,
    ratio_between_runs,
    spreads,
    tails,
    verdict,
)
from stepreports.statistics.margins import Place, margins_of

STANDARD = (40, 40)  # two generations of forty turns


def turns_of(shape, draw):
    return {(g, t): draw(g) for g, turns in enumerate(shape) for t in range(turns)}


def noisy(seed, shape=STANDARD, noise=0.02, process=0.0, shift=0.0):
    """Seconds of a row: log-normal noise a turn, a bias a process, everything slower by `shift`."""
    random_numbers = random.Random(seed)
    biases = [random_numbers.gauss(0, process) for _ in shape]
    return turns_of(shape, lambda g: math.exp(random_numbers.gauss(biases[g], noise)) * (1 + shift))


unhurried = settings(deadline=None, max_examples=50)  # each new shape of turns draws its resamples once
measurements = st.dictionaries(
    st.tuples(st.integers(0, 3), st.integers(0, 7)), st.floats(1e-7, 1e3), min_size=1, max_size=32
)


@unhurried
@given(measurements)
def test_an_estimate_of_one_or_two_generations_lies_within_the_range_of_its_turns(turns):
    found = estimate(turns)
    assert found.low <= found.value <= found.high
    if len({generation for generation, _ in turns}) > 2:
        return
    assert min(turns.values()) <= found.low * (1 + 1e-12)
    assert found.high <= max(turns.values()) * (1 + 1e-12)


@unhurried
@given(measurements, measurements)
def test_the_ratio_of_a_to_b_is_the_inverse_of_b_to_a(a, b):
    forth, back = ratio(a, b), ratio(b, a)
    assert (forth is None) == (back is None) == (not a.keys() & b.keys())
    if forth and back:
        assert forth.value == pytest.approx(1 / back.value)
        # The two tails are drawn by the same resamples, so they mirror one another up to their random asymmetry.
        assert forth.low * (1 - 1e-12) <= 1 / back.value <= forth.high * (1 + 1e-12)


@unhurried
@given(measurements)
def test_a_row_is_exactly_once_as_fast_as_itself(turns):
    found = ratio(turns, turns)
    assert (found.value, found.low, found.high) == (1, 1, 1)


def test_the_value_is_the_median_over_generations_of_the_median_over_turns():
    turns = {(0, 0): 1.0, (0, 1): 3.0, (0, 2): 2.0, (1, 0): 8.0, (2, 0): 4.0}
    assert estimate(turns).value == pytest.approx(median([2.0, 8.0, 4.0]))


def test_the_order_in_which_turns_were_stored_does_not_matter():
    turns = noisy(1)
    assert estimate(dict(reversed(turns.items()))) == estimate(turns)


def test_the_same_measurement_gives_the_same_interval_alone_or_among_others():
    several = [noisy(seed) for seed in range(5)] + [noisy(7, shape=(4,)), noisy(8, shape=(6, 3))]
    assert estimates(several) == [estimate(each) for each in several]


def test_two_generations_that_disagree_widen_the_interval():
    together = turns_of(STANDARD, lambda _: 1.0)
    apart = turns_of(STANDARD, lambda g: 1.0 + 0.1 * g)
    assert estimate(together).half_width == pytest.approx(0)
    assert estimate(apart).half_width == pytest.approx(math.sqrt(1.1) - 1)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    found = estimates([noisy(seed) for seed in range(4000)])
    held = sum(each.low <= 1 <= each.high for each in found)
    assert held >= CONFIDENCE * 4000


def many_with_a_bias(count, generations, process, noise=0.02):
    """Measurements of 1 with log-normal noise a turn, and a bias a process so many times as large."""
    random_numbers = np.random.default_rng([generations, round(100 * process)])
    logs = random_numbers.normal(0, noise, (count, generations, 40))
    logs += random_numbers.normal(0, process * noise, (count, generations, 1))
    layout = layout_of(tuple((g, t) for g in range(generations) for t in range(40)))
    return [Measurement(layout, np.exp(each.ravel())) for each in logs]


@pytest.mark.parametrize("process", [0.0, 0.2, 0.5, 1.0], ids="a bias of {} of the noise".format)
@pytest.mark.parametrize("generations", [3, 4, 5, 8])
def test_from_three_generations_on_the_interval_holds_the_truth_whatever_a_process_draws(generations, process):
    found = estimates(many_with_a_bias(4000, generations, process))
    held = sum(each.low <= 1 <= each.high for each in found)
    assert held >= 0.98 * 4000


def test_two_generations_cannot_tell_of_their_like():
    """What the docstring of the bootstrap says of them: they have the A/A margin instead."""
    found = estimates(many_with_a_bias(4000, 2, 0.5))
    assert sum(each.low <= 1 <= each.high for each in found) / 4000 == pytest.approx(0.83, abs=0.03)


def test_the_ratio_between_runs_holds_the_truth_whatever_a_process_draws():
    halves = many_with_a_bias(2000, 4, 0.5)
    found = [ratio_between_runs(a, b) for a, b in zip(halves[:1000], halves[1000:], strict=True)]
    assert sum(each.low <= 1 <= each.high for each in found) >= 0.98 * 1000


def test_a_single_generation_of_few_turns_says_how_little_its_interval_holds():
    assert reachable_confidence((6,)) == pytest.approx(1 - 2**-5)
    assert reachable_confidence(STANDARD) == CONFIDENCE
    found = estimates([noisy(seed, shape=(6,)) for seed in range(4000)])
    held = sum(each.low <= 1 <= each.high for each in found) / 4000
    assert held == pytest.approx(1 - 2**-5, abs=0.01)


@pytest.mark.parametrize("noise", [0.005, 0.02, 0.1])
def test_a_row_against_itself_is_called_different_at_most_twice_in_a_thousand(noise):
    pairs = [(noisy(2 * k, noise=noise), noisy(2 * k + 1, noise=noise)) for k in range(2000)]
    margin = margins_of((Place.PRIVATE, *pair) for pair in pairs[:5]).at(Place.PRIVATE)  # five sizes of a standard run
    found = [verdict(ratio(a, b), margin) for a, b in pairs]
    assert sum(told in {Verdict.FASTER, Verdict.SLOWER} for told in found) <= 4


@pytest.mark.parametrize("noise", [0.003, 0.008, 0.015])
def test_a_slow_down_of_five_per_cent_is_seen_where_the_interval_says_it_would_be(noise):
    pairs = [(noisy(2 * k, noise=noise, shift=0.05), noisy(2 * k + 1, noise=noise)) for k in range(1000)]
    found = [ratio(a, b) for a, b in pairs]
    able = [each for each in found if detectable_difference(each, 0.01) <= 0.05]
    assert len(able) > 100
    assert sum(verdict(each, 0.01) == Verdict.SLOWER for each in able) >= 0.95 * len(able)


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (1.02, 1.30, Verdict.SLOWER),
        (0.80, 0.98, Verdict.FASTER),
        (0.995, 1.005, Verdict.SAME),
        (1.005, 1.30, Verdict.UNKNOWN),
        (0.90, 1.10, Verdict.UNKNOWN),
        (0.90, 0.995, Verdict.UNKNOWN),
    ],
)
def test_different_means_wholly_outside_the_margin_and_same_wholly_inside(low, high, told):
    assert verdict(Estimate(math.sqrt(low * high), low, high), margin=0.01) == told


def test_fewer_than_five_turns_never_tell():
    four, five = (turns_of((count,), lambda _: 2.0) for count in (4, 5))
    assert verdict(estimate(four), margin=0.01) == Verdict.UNKNOWN
    assert verdict(estimate(five), margin=0.01) == Verdict.SLOWER


def test_a_row_deviates_from_itself_by_generation_or_by_what_is_told_of_many():
    """Two processes are no interval for their like, so each counts; of more, the ratio that a reader is told."""
    quiet, wild = turns_of(STANDARD, lambda _: 1.0), turns_of(STANDARD, lambda g: 1.0 + 0.05 * g)
    many = turns_of((40,) * 3, lambda g: 1.0 + 0.05 * (g != 1))
    steady = turns_of((40,) * 3, lambda _: 1.0)
    assert own_deviations([(wild, quiet)]) == [pytest.approx([0, math.log(1.05)])]
    assert own_deviations([(many, steady)]) == [pytest.approx([math.log(1.05)])]
    assert own_deviations([(quiet, {(9, 9): 1.0})]) == [[]]


def test_the_ratio_between_runs_is_wider_than_within_turns_that_share_their_noise():
    weather = noisy(4, noise=0.05)
    slower = {turn: 1.2 * seconds for turn, seconds in weather.items()}
    assert ratio(slower, weather).half_width == pytest.approx(0)
    between = ratio_between_runs(slower, weather)
    assert between.value == pytest.approx(1.2)
    assert between.low < 1.2 < between.high
    assert between.half_width > 0.01


def test_spread_is_the_interquartile_range_over_the_median():
    assert spreads([{(0, turn): float(turn) for turn in range(1, 6)}]) == [pytest.approx((4 - 2) / 3)]


def test_nine_in_ten_turns_lie_between_the_tails_whatever_generation_they_are_of():
    turns = {(k // 50, k % 50): float(k + 1) for k in range(101)}
    assert tails([turns, {(0, 0): 2.0}]) == [(pytest.approx(6), pytest.approx(96)), (2.0, 2.0)]


def test_break_even_is_the_extra_start_over_the_gain_a_step():
    found = break_even_steps(10.0, Estimate(1.0, 0.9, 1.1), Estimate(3.0, 2.9, 3.1))
    assert (found.value, found.low, found.high) == (5, 5, 6)  # 10/2, 10/2.2, 10/1.8, rounded up


def test_a_row_whose_step_may_not_be_faster_never_breaks_even():
    assert break_even_steps(10.0, Estimate(1.0, 0.9, 1.1), Estimate(1.2, 1.05, 1.3)) is None


def test_a_row_that_starts_sooner_has_broken_even_at_the_first_step():
    assert break_even_steps(-5.0, Estimate(1.0, 0.9, 1.1), Estimate(3.0, 2.9, 3.1)).value == 1
