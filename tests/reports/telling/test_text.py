"""Numbers in words: only the digits that the interval supports."""

from __future__ import annotations

import pytest

from stepreports.statistics.intervals import Estimate
from stepreports.telling import text


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(2.1347, 1.93, 2.24), "2.1× [1.9, 2.2]"),
        (Estimate(2.1347, 2.131, 2.138), "2.13× [2.13, 2.14]"),  # never more than three digits
        (Estimate(3211.0, 3187.0, 3254.0), "3,210× [3,190, 3,250]"),
        (Estimate(0.0121, 0.0118, 0.0123), "0.0121× [0.0118, 0.0123]"),
        (Estimate(57.0, 31.0, 90.0), "60× [30, 90]"),
        (Estimate(1.0, 1.0, 1.0), "1.00× [1.00, 1.00]"),
        (Estimate(20.0, 1.2, 113.0), "20× [1, 110]"),  # a wide interval has ends, not zeros
        (Estimate(995.0, 958.0, 7968.0), "1,000× [960, 7,970]"),
    ],
)
def test_a_ratio_shows_the_digits_its_interval_supports(estimate, words):
    assert text.times(estimate) == words


@pytest.mark.parametrize(
    ("estimate", "words"),
    [
        (Estimate(0.7057, 0.567, 0.9095), "71 % [57, 91]"),
        (Estimate(0.0425, 0.0419, 0.0503), "4.2 % [4.2, 5.0]"),
        (Estimate(1.02, 0.95, 1.13), "102 % [95, 113]"),
    ],
)
def test_a_share_is_told_to_whole_percents_or_two_digits(estimate, words):
    assert text.percentage(estimate) == words


@pytest.mark.parametrize(("value", "words"), [(45.2, "45 seconds"), (496.5, "8.3 minutes"), (9000.0, "2.5 hours")])
def test_a_long_time_is_told_as_one_would(value, words):
    assert text.duration(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.0, "0"), (2.0, "2 s"), (1.5e-3, "1.5 ms")])
def test_a_tick_has_no_zeros_at_its_end(value, words):
    assert text.tick_seconds(value) == words


@pytest.mark.parametrize(
    ("value", "words"), [(1.549e-3, "1.55 ms"), (12.0, "12.0 s"), (8.5e-10, "0.850 ns"), (2.5e-6, "2.50 µs")]
)
def test_a_time_takes_the_unit_that_suits_it(value, words):
    assert text.seconds(Estimate(value, value, value)) == words


def test_an_interval_is_in_the_unit_of_its_value():
    assert text.time(Estimate(1.0e-3, 0.9e-3, 1.1e-3)) == "1.0 ms [0.9, 1.1]"


@pytest.mark.parametrize(("value", "words"), [(160_000, "160 kB"), (8e6, "8.0 MB"), (5, "5.0 B"), (1.2e13, "12 TB")])
def test_a_size_is_in_decimal_units(value, words):
    assert text.plain_bytes(value) == words


def test_words_are_listed_with_their_last_joined():
    assert text.listed(["a"]) == "a"
    assert text.listed(["a", "b", "c"]) == "a, b and c"
    assert text.listed(["a", "b"], "or") == "a or b"


def test_a_noun_is_plural_unless_there_is_one():
    assert text.counted(1, "step") == "1 step"
    assert text.counted(3000, "step") == "3,000 steps"
