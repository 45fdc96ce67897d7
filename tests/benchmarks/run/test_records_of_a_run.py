"""What a run leaves behind: rounds and agreement of every row, memory as planned, and nobody's name."""

import getpass
import json
import platform
import re
from pathlib import Path

from runs import benchmarks
from stepbench.run.estimate import memory_bytes
from stepbench.run.plan import Plan
from stepreports.records.journal import NAME, read_events


def test_records_carry_their_row_case_rounds_and_agreement(unbroken):
    entries = [entry for entry in benchmarks(unbroken) if entry["extra_info"]["role"] == "row"]
    assert {entry["extra_info"]["row"] for entry in entries} == {"numpy-blas", "python-loop"}
    assert len({entry["fullname"] for entry in benchmarks(unbroken)}) == len(benchmarks(unbroken))
    for entry in entries:
        info, stats = entry["extra_info"], entry["stats"]
        assert len(stats["data"]) == stats["rounds"] == len(info["turn"]) == len(info["order"])
        assert all(seconds > 0 for seconds in stats["data"])
        assert set(info["agreement"]) == {"J", "gw", "gb", "w", "b"}
        assert all(0 <= error <= 1 for error in info["agreement"].values())


def test_the_read_limit_says_in_which_way_it_read(unbroken):
    plans = [each["extra_info"]["plan"] for each in benchmarks(unbroken) if each["extra_info"]["role"] == "limit"]
    assert plans
    assert all(re.fullmatch(r"threads \d, streams \d(, \d+ bytes ahead)?", plan) for (plan,) in plans)


def test_the_workers_hold_no_more_memory_than_was_planned_for(unbroken):
    plan = Plan.from_json(read_events(unbroken)[0]["plan"])
    for case in plan.cases:
        peaks = [e["extra_info"]["peak_memory_bytes"] for e in benchmarks(unbroken) if e["params"]["case"] == case.name]
        assert len(peaks) == len(plan.participants)
        assert 2**24 * len(peaks) < sum(peaks) <= memory_bytes(plan, case)


def test_no_record_names_the_host_or_the_user(unbroken):
    text = (unbroken / "benchmark.json").read_text() + (unbroken / NAME).read_text()
    words = set(re.findall(r"[\w.-]+", text))
    assert {platform.node(), getpass.getuser()}.isdisjoint(words - {"numpy-blas", "python-loop"})
    assert "node" not in json.loads((unbroken / "benchmark.json").read_text())["machine_info"]
    assert str(Path.home()) + "/" not in text
