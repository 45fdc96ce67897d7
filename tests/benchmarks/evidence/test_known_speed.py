"""Rows of known speed, against a clock that only reading it and working move on."""

from types import SimpleNamespace

import numpy as np
import pytest

from stepbench.evidence.known_speed import EmptyStep, KnownStep, SlowedStep, bind
from stepkernels.problem import Config, synthetic_problem

READ = 50e-9  # what a look at the clock takes
PROBLEM = synthetic_problem(4, 2)


class Clock:
    """Stands still but for what is done."""

    def __init__(self):
        self.now = 1.0

    def __call__(self):
        self.now += READ
        return self.now


@pytest.fixture
def clock():
    return Clock()


def seconds_of(clock, workspace, steps):
    workspace.reset()
    start = clock.now
    for _ in range(steps):
        workspace.step()
    return clock.now - start


def slowed(clock, seconds, slower):
    def work():
        clock.now += seconds

    inner = SimpleNamespace(step=work, reset=lambda *_, **__: None)
    return SlowedStep(PROBLEM, Config(), inner, slower, clock)


@pytest.mark.parametrize("seconds", [1e-6, 50e-6])
def test_steps_of_known_duration_last_that_long_together(clock, seconds):
    workspace = KnownStep(PROBLEM, Config(), seconds, clock)
    assert seconds_of(clock, workspace, 1000) == pytest.approx(1000 * seconds, rel=2e-3)


@pytest.mark.parametrize("seconds", [1e-6, 20e-6, 0.4e-3])
def test_where_the_machine_stands_still_the_next_steps_make_up_for_it(clock, seconds):
    workspace = KnownStep(PROBLEM, Config(), seconds, clock)
    workspace.reset()
    start = clock.now
    for k in range(2_000):
        clock.now += 0.5e-3 if k == 3 else 0.0
        workspace.step()
    assert clock.now - start == pytest.approx(2_000 * seconds, rel=2e-3)


def test_what_goes_by_between_rounds_is_not_made_up_for(clock):
    workspace = KnownStep(PROBLEM, Config(), 20e-6, clock)
    workspace.step()
    clock.now += 60.0
    start = clock.now
    workspace.step()
    assert clock.now - start >= 20e-6


@pytest.mark.parametrize("seconds", [1e-6, 4e-6, 80e-6, 3e-3])
def test_a_slowed_row_takes_its_fraction_longer_however_short_its_step(clock, seconds):
    plain, slow = (seconds_of(clock, slowed(clock, seconds, slower), 1000) for slower in (0.0, 0.05))
    assert slow / plain == pytest.approx(1.05, abs=1e-3)


def test_what_goes_by_between_rounds_is_not_paused_for(clock):
    workspace = slowed(clock, 10e-6, 0.05)
    alone = seconds_of(clock, workspace, 100)
    clock.now += 60.0
    assert seconds_of(clock, workspace, 100) == pytest.approx(alone, rel=0.02)


def test_bind_gives_a_step_of_known_duration_an_empty_one_or_another_rows_slowed():
    assert bind(PROBLEM, Config(), seconds=1e-6).seconds == 1e-6
    assert isinstance(bind(PROBLEM, Config()), EmptyStep)
    slowed = bind(PROBLEM, Config(), row="stepkernels.rows.numpy_blas", slower=0.05)
    slowed.step()
    assert np.isfinite(slowed.inner.snapshot().J)
