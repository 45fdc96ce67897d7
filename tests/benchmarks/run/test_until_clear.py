"""Turns until it is clear: how often that is fooled, and how often it sees, of synthetic times whose truth is known."""

import numpy as np
import pytest

from stepbench.run.until_clear import LEAST_GENERATIONS, LOOKS, MOST_GENERATIONS, UntilClear, control_pairs, unclear
from stepreports.comparison.versions import Allowed, Question, answers
from stepreports.statistics.intervals import Verdict

CASES = ("small", "middle", "large")
QUESTION = Question(allowance=0.05, cases=len(CASES), pairs=[("a", "b")], looks=LOOKS)
TURNS, NOISE = 40, 0.05  # of a turn; a busy machine's

# Of the noise of a turn, and how much a process has of its own, as a share of it.
NOISES = {
    "normal": (lambda random: random.normal(size=TURNS), 0.0),
    "outliers": (lambda random: random.standard_t(2, size=TURNS), 0.0),
    "processes": (lambda random: random.normal(size=TURNS), 0.2),
    "loud processes": (lambda random: random.normal(size=TURNS), 1.0),
}


def turns_of_a_generation(random, draw, process, factor, generation):
    seconds = factor * np.exp(NOISE * (process * random.normal() + draw(random)))
    return {(generation, turn): float(value) for turn, value in enumerate(seconds)}


def compared(seed, noise, factor):
    """A whole comparison, one version `factor` times as slow: its answers, and how many generations it took."""
    random, (draw, process) = np.random.default_rng(seed), NOISES[noise]
    timed = {(row, case): {} for row in ("a", "a#1", "b") for case in CASES}
    wanted = frozenset(CASES)
    for generation in range(MOST_GENERATIONS):
        wanted = unclear(QUESTION, timed) if generation >= LEAST_GENERATIONS else wanted
        if not wanted:
            return told(timed), generation
        for row, case in timed:
            if case in wanted:
                slower = factor if row == "b" else 1.0
                timed[row, case] |= turns_of_a_generation(random, draw, process, slower, generation)
    return told(timed), MOST_GENERATIONS


def told(timed):
    return answers(QUESTION, [(timed["a", case], timed["b", case]) for case in CASES], control_pairs(timed))


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
def test_of_identical_versions_at_most_one_case_in_a_hundred_is_called_different(noise):
    found = [each for seed in range(70) for each in compared(seed, noise, 1.0)[0]]
    alarms = sum(each.verdict in (Verdict.FASTER, Verdict.SLOWER) for each in found)
    assert len(found) == 210
    assert alarms <= 2


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["normal", "outliers", "processes"])
def test_five_percent_is_seen_wherever_it_would_have_been_seen(noise):
    found = [each for seed in range(50) for each in compared(seed, noise, 1.05)[0]]
    able = [each for each in found if each.visible <= 0.05]
    assert able
    assert sum(each.verdict == Verdict.SLOWER for each in able) >= 0.95 * len(able)
    assert not any(each.allowed == Allowed.BEYOND for each in found), "5 % is no more than what is allowed"


@pytest.mark.parametrize(("factor", "verdict"), [(0.5, Verdict.FASTER), (1.5, Verdict.SLOWER)])
def test_what_is_clear_is_over_after_the_least_generations(factor, verdict):
    found, generations = compared(0, "normal", factor)
    assert {each.verdict for each in found} == {verdict}
    assert generations == LEAST_GENERATIONS


def test_a_noisy_comparison_is_wider_and_takes_longer_than_a_quiet_one():
    (quiet, few), (noisy, many) = compared(1, "normal", 1.0), compared(1, "loud processes", 1.0)
    assert few < many == MOST_GENERATIONS
    assert max(each.visible for each in quiet) < min(each.visible for each in noisy)


def test_only_the_cases_that_are_not_clear_go_on():
    random = np.random.default_rng(5)
    draw, _ = NOISES["normal"]
    factors = {"small": 2.0, "middle": 1.05, "large": 0.5}
    timed = {
        (row, case): {
            turn: seconds
            for generation in range(2)
            for turn, seconds in turns_of_a_generation(
                random, draw, 0.0, factor if row == "b" else 1.0, generation
            ).items()
        }
        for row in ("a", "a#1", "b")
        for case, factor in factors.items()
    }
    assert unclear(QUESTION, timed) == {"middle"}


def test_nobody_waits_for_a_side_that_failed():
    seconds = {(generation, turn): 1.0 for generation in range(2) for turn in range(TURNS)}
    assert unclear(QUESTION, {("a", "small"): seconds, ("a#1", "small"): seconds}) == frozenset()


def test_the_first_generations_time_everything_and_nothing_begins_when_the_time_is_used_up(tmp_path):
    in_time, late = UntilClear(QUESTION, tmp_path, 3600.0), UntilClear(QUESTION, tmp_path, -1.0)
    assert [in_time(generation) for generation in range(LEAST_GENERATIONS)] == [None] * LEAST_GENERATIONS
    assert late(0) is None, "the runner says of each case that there was no time"
    assert late(1) == frozenset()
