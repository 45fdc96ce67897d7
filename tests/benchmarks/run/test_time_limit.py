"""The time limit: until it is used up there is time, then there is none; without one there always is."""

import pytest

from stepbench.run.time_limit import OutOfTimeError, TimeLimit


def test_there_is_time_until_it_is_used_up():
    clock = iter([100.0, 100.0, 106.0, 106.5]).__next__
    limit = TimeLimit(6.0, clock)
    limit.require_time()
    limit.require_time()
    with pytest.raises(OutOfTimeError):
        limit.require_time()


def test_without_a_limit_there_is_always_time():
    TimeLimit(None, iter([0.0, float("inf")]).__next__).require_time()
