"""Change points by simulation: what never lasts makes none, what lasts is found where it is and as large as it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from stepreports.history import change_points
from stepreports.history.change_points import FEWEST, changes
from stepreports.history.levels import Levels
from stepreports.history.links import LEAST_ERROR, Commit

pytest.importorskip("ruptures")
SERIES, FOOLED = 60, 3  # of so many series that change nowhere; of 1 in 100, more are seen in one test of 300


def levels(logs, error=LEAST_ERROR):
    """A history whose commits were each compared with the first: no error is shared."""
    logs = np.asarray(logs) - logs[0]
    commits = [Commit(name=f"{place:040x}", committed=f"2025-01-{1 + place // 24:02}T{place % 24:02}:00") for place in
               range(len(logs))]  # fmt: skip
    return Levels(commits, logs, np.diag([0.0, *[error**2] * (len(logs) - 1)]))


def drawn(seed, count=None):
    random = np.random.default_rng(seed)
    return random, count or int(random.integers(FEWEST, 60))


def steps(random, count, noise=0.004):
    return random.normal(0, noise, count)


def spike(random, count):
    """One commit, or two, that took up to ten times as long, wherever that is."""
    logs = steps(random, count)
    place = random.integers(0, count - 1)
    logs[place : place + random.integers(1, 3)] += random.choice([-1, 1]) * random.uniform(0.05, 2.3)
    return logs


def two_kinds(random, count):
    """Each commit is by chance of one kind or another, up to a half apart."""
    return steps(random, count) + random.uniform(0.03, 0.4) * random.integers(0, 2, count)


def three_slow_ones_in_ten(random, count):
    return steps(random, count) + 0.15 * (random.random(count) < 0.3)


def heavy_tails(random, count):
    return 0.01 * random.standard_t(2, count)


def two_kinds_in_turn(random, count):
    """First one, then the other, always: what a benchmark does that keeps something for its next run."""
    return steps(random, count) + 0.2 * (np.arange(count) % 2)


@pytest.mark.parametrize("series", [steps, spike, two_kinds, three_slow_ones_in_ten, heavy_tails, two_kinds_in_turn])
def test_what_does_not_last_makes_no_change(series):
    fooled = [seed for seed in range(SERIES) if changes(levels(series(*drawn(seed))))]
    assert len(fooled) <= FOOLED, fooled


def chain(random, count):
    """Each commit compared with the one before, all of them alike: what each comparison errs by adds up."""
    errors = np.cumsum([0.0, *random.normal(0, LEAST_ERROR, count - 1)])
    shared = np.minimum.outer(np.arange(count), np.arange(count)) * LEAST_ERROR**2
    return Levels(levels(errors).commits, errors, shared)


def test_errors_that_add_up_along_a_chain_make_no_change():
    fooled = [seed for seed in range(SERIES) if changes(chain(*drawn(seed)))]
    assert len(fooled) <= FOOLED, fooled


@pytest.mark.parametrize("size", [0.05, -0.05, 0.3])
def test_a_change_that_lasts_is_found_where_it_is(size):
    missed = []
    for seed in range(20):
        random, count = drawn(seed, 12 + 2 * seed)
        place = int(random.integers(6, count - 5))
        logs = steps(random, count) + size * (np.arange(count) >= place)
        found = changes(levels(logs))
        missed += [seed] * ([change.place for change in found] != [place])
        if found:
            assert found[0].ratio.value == pytest.approx(math.exp(size), abs=0.01)
            assert found[0].ratio.low < math.exp(size) < found[0].ratio.high
    assert len(missed) <= 2, missed


def test_a_change_that_is_taken_back_makes_two():
    random, count = drawn(3, 24)
    logs = steps(random, count)
    logs[8:16] += 0.1
    found = changes(levels(logs))
    assert [(change.place, change.until) for change in found] == [(8, 16), (16, 24)]
    assert found[0].ratio.value > 1 > found[1].ratio.value


def test_a_spike_beside_a_change_hides_nothing_and_makes_nothing():
    random, count = drawn(4, 30)
    logs = steps(random, count) + 0.08 * (np.arange(count) >= 12)
    logs[[5, 20]] += 0.9
    assert [change.place for change in changes(levels(logs))] == [12]


def test_what_is_smaller_than_the_least_change_is_none():
    random, count = drawn(5, 40)
    found = levels(steps(random, count, 0.001) + 0.02 * (np.arange(count) >= 20))
    assert changes(found) == []
    assert [change.place for change in changes(found, least_change=0.01)] == [20]


def test_a_change_within_what_the_ratios_err_by_is_none():
    random, count = drawn(6, 20)
    logs = steps(random, count) + 0.05 * (np.arange(count) >= 10)
    assert len(changes(levels(logs))) == 1
    assert changes(levels(logs, error=0.1)) == []


def test_a_few_commits_tell_nothing():
    assert changes(levels([0.0] * 4 + [1.0] * 4)) == []


def test_the_same_history_gives_the_same_changes():
    random, count = drawn(7, 30)
    logs = steps(random, count, 0.02) + 0.06 * (np.arange(count) >= 15)
    assert changes(levels(logs)) == changes(levels(logs))


def test_without_the_library_there_are_none(monkeypatch):
    monkeypatch.setattr(change_points, "find_spec", lambda name: None)
    assert changes(levels([0.0] * 20 + [1.0] * 20)) == []
