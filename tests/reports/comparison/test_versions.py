"""What an interval says of a version: its verdict, what is allowed, and how many looks widen it."""

import math

import numpy as np
import pytest

from stepreports.comparison.versions import Allowed, Question, answer, answers
from stepreports.statistics.bootstrap import CONFIDENCE
from stepreports.statistics.intervals import Estimate, Verdict, detectable_difference
from stepreports.statistics.many_looks import corrected, lasting_difference, margins, visible_difference

ONE_LOOK = Question(allowance=0.05, cases=1, pairs=[("a", "b")])


def interval(low, high, confidence=CONFIDENCE):
    return Estimate(math.sqrt(low * high), low, high, confidence)


@pytest.mark.parametrize(
    ("low", "high", "margin", "verdict", "allowed"),
    [
        (0.80, 0.90, 0.01, Verdict.FASTER, Allowed.WITHIN),
        (1.06, 1.09, 0.01, Verdict.SLOWER, Allowed.BEYOND),
        (1.02, 1.04, 0.01, Verdict.SLOWER, Allowed.WITHIN),
        (1.02, 1.09, 0.01, Verdict.SLOWER, Allowed.UNKNOWN),
        (0.99, 1.02, 0.01, Verdict.SAME, Allowed.WITHIN),
        (0.93, 1.03, 0.01, Verdict.UNKNOWN, Allowed.WITHIN),
        (0.93, 1.08, 0.01, Verdict.UNKNOWN, Allowed.UNKNOWN),
        # A machine that differs from itself by 8 %: neither a difference nor the same within less is to be said.
        (1.06, 1.07, 0.08, Verdict.UNKNOWN, Allowed.UNKNOWN),
        (0.99, 1.01, 0.08, Verdict.UNKNOWN, Allowed.UNKNOWN),
        (0.60, 0.70, 0.08, Verdict.FASTER, Allowed.WITHIN),
        (1.12, 1.15, 0.08, Verdict.SLOWER, Allowed.BEYOND),
    ],
)
def test_an_interval_says_so_much_and_no_more(low, high, margin, verdict, allowed):
    found = answer(ONE_LOOK, interval(low, high), margin)
    assert (found.verdict, found.allowed) == (verdict, allowed)


def test_the_same_is_told_within_what_the_interval_and_the_machine_leave_open():
    assert answer(ONE_LOOK, interval(0.99, 1.02), 0.01).same_within == pytest.approx(1.02 * 1.01 - 1)


def test_too_few_turns_never_tell():
    found = answer(ONE_LOOK, interval(0.999, 1.001, confidence=0.75), 0.01)
    assert (found.verdict, found.allowed) == (Verdict.UNKNOWN, Allowed.UNKNOWN)


def test_more_looks_make_an_interval_wider_about_the_same_value():
    found = [corrected(interval(0.96, 1.05), looks, 1) for looks in (1, 10, 1000)]
    assert found[0] == pytest.approx(interval(0.96, 1.05))
    assert found[0].low > found[1].low > found[2].low
    assert found[0].high < found[1].high < found[2].high
    assert len({each.value for each in found}) == 1


def test_the_ends_of_a_corrected_interval_are_those_of_a_normal_distribution():
    """Of normal estimates with a known error, all of ten intervals together miss the truth once in a hundred times."""
    random = np.random.default_rng(8)
    errors = random.normal(size=(4000, 10))
    reach = math.log(corrected(interval(math.exp(-2.5758), math.exp(2.5758)), 10, 2).high)
    assert 0.005 < float((np.abs(errors) > reach).any(axis=1).mean()) < 0.015


def test_of_one_look_the_visible_difference_is_the_detectable_one():
    found = interval(0.97, 1.03)
    assert visible_difference(found, 0.01, 1, 1) == pytest.approx(detectable_difference(found, 0.01), rel=1e-2)
    assert visible_difference(corrected(found, 50, 1), 0.01, 50, 1) > visible_difference(found, 0.01, 1, 1)


def two_generations(first, second, turns=20):
    return {(generation, turn): seconds for generation, seconds in enumerate((first, second)) for turn in range(turns)}


def test_the_margin_shrinks_with_generations_but_for_what_lasts():
    base = two_generations(1.0, 1.0)
    only_one = [(base, two_generations(1.1, 1 / 1.1))]
    lasting = [(base, two_generations(1.1, 1.1))]
    assert lasting_difference(only_one) == pytest.approx(0.0)
    assert lasting_difference(lasting) == pytest.approx(0.1)
    assert margins(only_one, [base]) == pytest.approx([0.1 / math.sqrt(2)])
    assert margins(lasting, [base]) == pytest.approx([0.1])
    assert margins([], [base]) == [0.01]


def test_a_pair_without_a_turn_in_common_has_no_answer():
    base, other = two_generations(1.0, 1.0), two_generations(2.0, 2.0)
    later = {(generation + 2, turn): seconds for (generation, turn), seconds in other.items()}
    found = answers(ONE_LOOK, [(base, other), None, (base, later)], [])
    assert found[0].verdict == Verdict.SLOWER
    assert found[0].ratio.value == pytest.approx(2.0)
    assert found[1:] == [None, None]
