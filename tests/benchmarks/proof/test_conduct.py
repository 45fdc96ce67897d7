"""What a process did beside its rounds: each kind is found where it is, and not where there is noise alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepbench.proof.conduct import Conduct, Watched

ROUND, OPERATION, VISIT = 3e-3, 2e-4, 1e-4


def a_round(k, **other):
    seen = ROUND + VISIT
    usual = {"told_seconds": ROUND, "seen_seconds": seen, "processor_seconds": ROUND, "calls": 15}
    return {**usual, "resident_bytes": 2**27, "generation": k // 20, **other}


def a_look(**other):
    usual = {"late_seconds": 0.0, "fresh_seconds": None, "idle_seconds": VISIT, "changed": None}
    return Watched(**{"operation_seconds": OPERATION, **usual, **other})


def spread(seed, count, around, by):
    """So many numbers about one, as a quiet machine has them."""
    return around + by * np.random.default_rng(seed).standard_normal(count)


def conduct(rounds=None, holding=None, watched=None, threads=1):
    return Conduct(
        threads=threads,
        rounds=rounds or [a_round(k) for k in range(40)],
        holding=[VISIT] * 3 if holding is None else list(holding),
        watched=[a_look(late_seconds=late) for late in spread(1, 10, 0.0, 2e-6)] if watched is None else watched,
    )


def only(found, sentence):
    assert len(found) == 1, found
    assert sentence in found[0]


def test_an_honest_row_is_not_found_out():
    assert conduct().findings() == []


@given(st.integers(0, 2**32), st.floats(1e-7, 1e-2))
@settings(max_examples=100, derandomize=True)  # one in thousands is found, by what a test of chance is
def test_noise_of_any_size_is_no_finding(seed, size):
    random = np.random.default_rng(seed)
    looks = [
        a_look(late_seconds=late, fresh_seconds=OPERATION + fresh, idle_seconds=VISIT + abs(idle))
        for late, fresh, idle in size * random.standard_normal((10, 3))
    ]
    holding = VISIT + np.abs(size * random.standard_normal(3))
    assert conduct(watched=looks, holding=holding).findings() == []


def test_work_begun_when_the_state_is_asked_for():
    looks = [a_look(idle_seconds=idle) for idle in spread(2, 10, VISIT, 1e-5)]
    found = conduct(watched=looks, holding=spread(3, 4, VISIT + ROUND, 2e-5)).findings()
    only(found, "the work is not done when synchronize returns")


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_part_done_in_snapshot(share):
    looks = [a_look(late_seconds=late) for late in spread(4, 10, share * OPERATION, 3e-6)]
    only(conduct(watched=looks).findings(), "is done when a snapshot asks for it")


def test_a_slow_snapshot_may_differ_from_the_next_by_half_of_it():
    """JAX takes 220 µs for one, and 50 µs more to look at arrays for the first time."""
    for share, finding in ((0.3, False), (0.7, True)):
        looks = [
            a_look(late_seconds=late, snapshot_seconds=OPERATION) for late in spread(7, 10, share * OPERATION, 3e-6)
        ]
        assert bool(conduct(watched=looks).findings()) == finding


def test_a_first_copy_from_a_device_takes_longer_but_no_longer_than_telling_takes():
    telling = 0.5 * OPERATION
    for late, finding in ((0.8, False), (1.5, True)):
        looks = [a_look(late_seconds=seconds, idle_seconds=telling) for seconds in spread(6, 10, late * telling, 3e-6)]
        assert bool(Conduct(1, False, [a_round(k) for k in range(40)], [telling] * 3, looks).findings()) == finding


def test_an_answer_remembered():
    looks = [a_look(fresh_seconds=fresh) for fresh in spread(5, 10, 2.0 * OPERATION, 1e-5)]
    only(conduct(watched=looks).findings(), "it remembers its answer")


@pytest.mark.parametrize(
    ("operation", "fresh", "remembers"),
    [
        (5.4e-5, 9.2e-5, False),  # autograd's forward, whose code an update takes out of the caches
        (1e-6, 5e-6, False),
        (1e-6, 2e-5, True),
        (2e-5, 5e-5, True),
        (1e-4, 1.7e-4, True),
        (1e-3, 1.2e-3, False),
        (1e-3, 1.3e-3, True),
    ],
)
def test_how_much_longer_an_operation_may_take_at_a_new_point(operation, fresh, remembers):
    looks = [a_look(operation_seconds=operation, fresh_seconds=each) for each in spread(5, 18, fresh, 0.02 * fresh)]
    assert bool(conduct(watched=looks).findings()) == remembers


def test_more_processors_than_the_budget_has():
    rounds = [a_round(k, processor_seconds=2.0 * ROUND) for k in range(40)]
    only(conduct(rounds).findings(), "of processor time")
    assert conduct(rounds, threads=2).findings() == []


def test_a_clock_that_tells_of_less_than_the_processors_worked():
    rounds = [a_round(k, told_seconds=ROUND / 4) for k in range(40)]
    only(conduct(rounds).findings(), "its own clock told 0.75 ms a round where the runner's told 3.1 ms")


def test_a_few_disturbed_rounds_are_no_forgery():
    rounds = [a_round(k, seen_seconds=5 * ROUND) for k in range(40)]
    assert conduct(rounds).findings() == []


def test_memory_that_every_operation_takes():
    rounds = [a_round(k, resident_bytes=2**27 + k * 15 * 2**17) for k in range(20)]
    only(conduct(rounds).findings(), "131,072 bytes an operation")


def test_a_cache_that_fills_is_no_leak():
    rounds = [a_round(k, resident_bytes=2**27 + min(k, 5) * 2**23) for k in range(40)]
    assert conduct(rounds).findings() == []


def test_what_a_process_changed_of_itself():
    looks = [a_look(changed="it changed the priority of its process")]
    only(conduct(watched=looks).findings(), "priority")
