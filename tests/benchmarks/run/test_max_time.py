"""--max-time: nothing further is begun once it is used up, and what was left out is said."""

import pytest

from runs import benchmarks, brief, failures
from stepreports.records.journal import read_events

SIZES = [f"{m}x5" for m in range(40, 65)]


@pytest.fixture(scope="module")
def cut_short(tmp_path_factory):
    """A run with more cases than its time is enough for, and what it printed."""
    folder = tmp_path_factory.mktemp("max_time") / "run"
    arguments = ("--sizes", ",".join(SIZES), "--rows", "numpy-blas,python-loop", "--max-time", 0.1)
    finished = brief("run", *arguments, "--threads", 1, "--out", folder)
    assert finished.returncode == 0, finished.stderr
    return folder, finished.stdout


def left_out(folder):
    return {failure["case"] for failure in failures(folder) if failure["kind"] == "time-budget"}


def test_nothing_further_is_begun_when_the_time_is_used_up(cut_short):
    folder, _ = cut_short
    events = read_events(folder)
    used_up = next(i for i, event in enumerate(events) if event.get("kind") == "time-budget")
    assert {event["event"] for event in events[used_up:]} == {"failure", "closed", "finished"}


def test_a_case_is_timed_whole_or_left_out(cut_short):
    folder, _ = cut_short
    timed = {entry["params"]["case"] for entry in benchmarks(folder)}
    assert left_out(folder)
    assert timed.isdisjoint(left_out(folder))
    assert len(timed) + len(left_out(folder)) == len(SIZES)


def test_what_was_left_out_is_said_and_how_to_have_it(cut_short):
    folder, printed = cut_short
    (sentence,) = [line for line in printed.splitlines() if "--max-time was used up" in line]
    assert all(case in sentence for case in left_out(folder))
    assert f"--resume {folder}" in sentence
