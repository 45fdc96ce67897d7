"""Turns: every row once in each, in changing order, and all but the one that is timed stopped."""

import datetime
import json
from collections import Counter

import psutil

from runs import KERNELS, benchmarks, brief
from stepreports.records.journal import read_events


def test_every_turn_visits_every_row_once_in_changing_order(unbroken):
    events = read_events(unbroken)
    rounds = [event for event in events if event["event"] == "round"]
    plan = events[0]["plan"]
    participants = len(plan["participants"])
    visits = Counter((e["case"], e["generation"], e["turn"], e["participant"]) for e in rounds)
    assert set(visits.values()) == {1}
    turns = len(plan["cases"]) * plan["generations"] * plan["turns"]
    assert len(visits) == turns * participants
    orders = [tuple(e["participant"] for e in rounds[i * participants : (i + 1) * participants]) for i in range(turns)]
    assert all(len(set(order)) == participants for order in orders), "a turn is over before the next begins"
    assert len(set(orders)) > 1


def test_every_run_times_one_row_twice(unbroken):
    twins = [entry["extra_info"] for entry in benchmarks(unbroken) if entry["extra_info"]["replica"] == 1]
    assert {info["row"] for info in twins} == {"numpy-blas"}


def test_all_others_are_stopped_while_a_row_is_timed(tmp_path):
    """A kernel looks at the states of the other workers in each of its steps, once everyone is bound."""
    folder, seen = tmp_path / "run", tmp_path / "seen"
    arguments = ("--sizes", "37x5", "--rows", "numpy-blas", "--kernel", KERNELS / "sees_others.py", "--threads", 1)
    finished = brief("run", *arguments, "--out", folder, STEPBENCH_TEST_SEEN=str(seen))
    assert finished.returncode == 0, finished.stderr
    events = read_events(folder)
    bound = max(event["elapsed_seconds"] for event in events if event["event"] == "bound")
    timed_from = datetime.datetime.fromisoformat(events[0]["datetime"]).timestamp() + bound
    looks = [states for at, states in map(json.loads, seen.read_text().splitlines()) if at > timed_from]
    assert {state for states in looks for state in states} == {psutil.STATUS_STOPPED}
    plan = events[0]["plan"]
    everyone_else = len(plan["participants"]) - 1 + 1  # the workers, and the guardian of them all
    among_all = [states for states in looks if len(states) == everyone_else]
    assert len(among_all) >= plan["turns"], "in every turn everyone was there"
