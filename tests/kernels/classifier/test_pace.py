"""How often gradient descent reports, and that no clock decides where it ends."""

import numpy as np
import pytest

from stepkernels.classifier import gradient_descent
from stepkernels.classifier.gradient_descent import STEPS_PER_CHECK, descend
from stepkernels.classifier.solution import Goal
from stepkernels.interface import Snapshot

CONVERGED_AFTER = 70  # steps of the optimizer


class Clocked:
    """A workspace whose steps take so many seconds of a clock of its own."""

    def __init__(self, step_seconds, before, monkeypatch):
        self.step_seconds, self.steps_taken, self.now, self.costs = step_seconds, before, 0.0, np.empty(0)
        monkeypatch.setattr(gradient_descent.time, "perf_counter", lambda: self.now)

    def train(self, steps):
        self.steps_taken += steps
        self.now += steps * self.step_seconds
        self.costs = np.ones(steps)

    def snapshot(self):
        gradient = np.full(1, float(self.steps_taken < CONVERGED_AFTER))
        zero = np.zeros(2)
        return Snapshot(
            J=np.array(1.0), w=np.zeros(1), b=np.array(0.0), gw=gradient, gb=np.array(0.0), moment1=zero, moment2=zero,
            step=self.steps_taken, costs=self.costs,
        )  # fmt: skip


@pytest.fixture
def reported(monkeypatch):
    """The steps after which there was a report, in a descent whose steps take so many seconds."""

    def of(step_seconds, report_seconds=1.0, before=0, max_iter=1000):
        reports = []
        goal = Goal(max_iter, 0.5, lambda steps, _: reports.append(steps), "")
        workspace = Clocked(step_seconds, before, monkeypatch)
        solution = descend(workspace, True, goal, report_seconds)
        assert len(solution.costs) == reports[-1]
        return reports

    return of


@pytest.mark.parametrize("step_seconds", [1.0, 100.0])
def test_a_step_that_takes_longer_than_the_time_is_reported(reported, step_seconds):
    assert reported(step_seconds) == list(range(1, 101))


def test_so_many_steps_are_taken_together_as_take_the_time(reported):
    assert reported(0.25)[:4] == [1, 5, 9, 13]


def test_there_is_a_report_with_each_look_however_fast_the_steps(reported):
    assert reported(1e-6) == [1, 50, 100]
    assert reported(0.0, max_iter=60)[-2:] == [50, 60]


def test_without_a_time_there_is_no_report_but_with_a_look(reported):
    assert reported(100.0, np.inf) == [50, 100]


@pytest.mark.parametrize("step_seconds", [0.0, 1e-6, 0.03, 0.3, 100.0])
@pytest.mark.parametrize("before", [0, 1, 49, 50, 60])
def test_where_it_ends_depends_on_no_clock_and_on_no_interruption(reported, step_seconds, before):
    assert before + reported(step_seconds, before=before)[-1] == 2 * STEPS_PER_CHECK
