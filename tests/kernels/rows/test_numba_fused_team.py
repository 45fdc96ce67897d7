"""The team: everybody meets, an error anywhere reaches the caller, and nobody waits for who will not come."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from runs import environment
from stepkernels.rows.numba_fused.team import Team, meet


@pytest.mark.parametrize("members", [1, 2, 5])
def test_nobody_goes_on_before_all_have_come(members):
    team, seen = Team(members), np.zeros((members, 50), np.int64)
    written = np.zeros((members, 50), np.int64)

    def work(member):
        for k in range(50):
            written[member, k] = 1
            meet(team.arrivals, (k + 1) * members)
            seen[member, k] = written[:, k].sum()

    team.run(work)
    assert (seen == members).all()


def test_a_team_can_run_again():
    team, calls = Team(3), []
    for _ in range(4):
        team.run(lambda member: (meet(team.arrivals, 3), calls.append(member)))
    assert sorted(calls) == sorted([0, 1, 2] * 4)


@pytest.mark.parametrize("culprit", [0, 1, 2])
def test_an_error_in_any_member_is_raised_and_the_others_do_not_wait_for_it(culprit):
    team = Team(3)

    def work(member):
        if member == culprit:
            raise ZeroDivisionError(member)
        meet(team.arrivals, 3)

    with pytest.raises(ZeroDivisionError, match=str(culprit)):
        team.run(work)
    team.run(lambda member: meet(team.arrivals, 3))


def test_a_thread_that_cannot_be_started_is_an_error_and_not_a_hang(monkeypatch):
    team, start, calls = Team(4), threading.Thread.start, []

    def refuse_the_third(thread):
        if len(calls) == 2:
            raise RuntimeError("can't start new thread")
        calls.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse_the_third)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        team.run(lambda member: meet(team.arrivals, 4))
    monkeypatch.undo()
    team.run(lambda member: meet(team.arrivals, 4))


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no CPU affinity")
def test_members_have_processors_of_their_own_for_the_time_of_a_run():
    before, team, seen = os.sched_getaffinity(0), Team(min(2, len(os.sched_getaffinity(0)))), []
    team.run(lambda member: seen.append(os.sched_getaffinity(0)))
    assert all(len(each) == 1 for each in seen)
    assert len(set.union(*seen)) == team.members
    assert os.sched_getaffinity(0) == before


ON_ONE_PROCESSOR = """
import os
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from stepkernels import Config, synthetic_problem
from stepkernels.rows.numba_fused import Division, Workspace
workspace = Workspace(synthetic_problem(600, 30), Config(), Division(shares=3, team_from=200))
workspace.train(500)
print(len(workspace.members), float(workspace.J[0]) < 0.6931)
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_more_members_than_processors_come_through():
    finished = subprocess.run(
        [sys.executable, "-c", ON_ONE_PROCESSOR],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
        check=False,
    )
    assert finished.stdout.split() == ["3", "True"], finished.stderr
