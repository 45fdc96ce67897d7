"""What turns are: steady, drifting, of two kinds; how often noise is called anything, and what is told of each."""

from __future__ import annotations

import numpy as np
import pytest

from stepreports.statistics.steadiness import Turning, steadiness

MARGIN = 0.01


def measurement(logs):
    """Turns by generation, from (generations, turns) of logarithms."""
    return {(g, t): float(np.exp(value)) for g, row in enumerate(logs) for t, value in enumerate(row)}


def noise(random, shape=(3, 40), width=0.02, process=0.0, alike=0.0):
    found = random.normal(size=shape)
    for turn in range(1, shape[1]):
        found[:, turn] = alike * found[:, turn - 1] + np.sqrt(1 - alike**2) * found[:, turn]
    return width * (found + process * random.normal(size=(shape[0], 1)))


def turning(logs, beside=0, margin=MARGIN):
    """Of one measurement, and of so many steady ones that are looked at as well."""
    random = np.random.default_rng(1)
    others = [measurement(noise(random)) for _ in range(beside)]
    return steadiness([measurement(logs), *others], [margin] * (1 + beside))[0]


@pytest.mark.parametrize(("process", "alike"), [(0.0, 0.0), (0.5, 0.0), (0.0, 0.3), (0.5, 0.6)])
def test_of_a_hundred_runs_of_noise_hardly_one_calls_anything_other_than_steady(process, alike):
    random = np.random.default_rng(7)
    called = 0
    for _ in range(100):
        turns = [measurement(noise(random, process=process, alike=alike)) for _ in range(12)]
        called += {each.turning for each in steadiness(turns, [0.0] * 12)} != {Turning.STEADY}
    assert called <= 5


def test_two_kinds_within_processes_are_told_with_levels_and_shares():
    random = np.random.default_rng(2)
    logs = noise(random)
    logs[:, ::4] += np.log(1.5)
    found = turning(logs, beside=100)
    assert found.turning == Turning.TWO_KINDS
    assert found.kinds.fast == pytest.approx(1.0, rel=0.01)
    assert found.kinds.slow == pytest.approx(1.5, rel=0.01)
    assert found.kinds.slow_share == pytest.approx(0.25)
    assert found.kinds.slow_processes is None


def test_two_kinds_of_process_are_told_as_such():
    logs = noise(np.random.default_rng(2), (5, 40))
    logs[:2] += np.log(2.0)
    found = turning(logs)
    assert (found.kinds.slow_processes, found.kinds.processes) == (2, 5)
    assert found.kinds.slow_share == pytest.approx(0.4)


def test_a_drift_is_told_with_how_far_it_goes_and_is_not_two_kinds():
    logs = noise(np.random.default_rng(2)) + np.linspace(0, np.log(1.2), 40)
    found = turning(logs, beside=100)
    assert found.turning == Turning.DRIFTING
    assert found.drift.over_generation == pytest.approx(0.2, abs=0.03)


def test_what_is_no_larger_than_the_margin_is_not_told():
    logs = noise(np.random.default_rng(2))
    logs[:, ::2] += np.log(1.5)
    assert turning(logs, margin=0.4).turning == Turning.TWO_KINDS
    assert turning(logs, margin=0.6).turning == Turning.STEADY
    drifting = noise(np.random.default_rng(2)) + np.linspace(0, np.log(1.2), 40)
    assert turning(drifting, margin=0.3).turning == Turning.STEADY


def test_both_can_be_said_of_one_row():
    logs = noise(np.random.default_rng(2), (4, 40), width=0.002) + np.linspace(0, np.log(1.1), 40)
    logs[::2] += np.log(2.0)
    assert turning(logs).turning == Turning.BOTH


def test_the_more_are_looked_at_the_clearer_it_must_be():
    logs = noise(np.random.default_rng(9), (1, 80))
    logs[:, ::2] += 0.09
    alone, among_many = turning(logs), turning(logs, beside=3000)
    assert alone.turning == Turning.TWO_KINDS
    assert among_many.turning == Turning.STEADY


@pytest.mark.parametrize("shape", [(1, 6), (2, 6), (1, 12)], ids=str)
def test_few_turns_are_not_called_steady(shape):
    assert turning(noise(np.random.default_rng(2), shape), beside=50).turning == Turning.UNKNOWN


def test_turns_of_other_generations_and_fewer_of_them_are_taken_as_they_are():
    """As a resumed run has them, a narrowed one, or a row that takes one turn in four."""
    random = np.random.default_rng(3)
    slow = np.log(1.5) * (random.random(90) < 0.5)
    turns = {(1 + t // 40, 3 + 4 * (t % 40)): float(np.exp(0.02 * random.normal() + slow[t])) for t in range(90)}
    (found,) = steadiness([turns], [MARGIN])
    assert found.turning == Turning.TWO_KINDS
    assert found.kinds.processes == 3


def test_turns_that_are_all_equal_are_steady():
    assert turning(np.zeros((3, 40))).turning == Turning.STEADY
