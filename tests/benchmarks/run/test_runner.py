"""The runner: turns, faults that become records, and runs that survive being killed."""

import getpass
import json
import platform
import re
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from runs import KERNELS, SMALL, benchmarks, coverage, failures, start_stepbench, stepbench
from stepbench.run.estimate import memory_bytes
from stepbench.run.plan import Plan
from stepreports.records.journal import NAME, read_events

BROKEN = {
    "segfault": ("crash", "SIGSEGV"),
    "hang": ("timeout", "no answer within 12 seconds"),
    "too-much-memory": ("memory", "Unable to allocate"),
    "raises": ("error", "the kernel gave up"),
    "wrong": ("disagreement", "bounds"),
}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A small run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("run") / "unbroken"
    finished = stepbench(*SMALL, "--out", folder)
    assert finished.returncode == 0, finished.stderr
    assert "went to what is not a timed round" in finished.stdout
    return folder


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


def test_the_workers_hold_no_more_memory_than_was_planned_for(unbroken):
    plan = Plan.from_json(read_events(unbroken)[0]["plan"])
    for case in plan.cases:
        peaks = [e["extra_info"]["peak_memory_bytes"] for e in benchmarks(unbroken) if e["params"]["case"] == case.name]
        assert len(peaks) == len(plan.participants)
        assert 2**24 * len(peaks) < sum(peaks) <= memory_bytes(plan, case)


def test_every_run_times_one_row_twice(unbroken):
    twins = [entry["extra_info"] for entry in benchmarks(unbroken) if entry["extra_info"]["replica"] == 1]
    assert {info["row"] for info in twins} == {"numpy-blas"}


def test_no_record_names_the_host_or_the_user(unbroken):
    text = (unbroken / "benchmark.json").read_text() + (unbroken / NAME).read_text()
    words = set(re.findall(r"[\w.-]+", text))
    assert {platform.node(), getpass.getuser()}.isdisjoint(words - {"numpy-blas", "python-loop"})
    assert "node" not in json.loads((unbroken / "benchmark.json").read_text())["machine_info"]
    assert str(Path.home()) + "/" not in text


def test_a_broken_kernel_is_a_record_and_the_others_go_on(tmp_path):
    files = [argument for name in BROKEN for argument in ("--kernel", KERNELS / f"{name.replace('-', '_')}.py")]
    finished = stepbench(
        "run", "--sizes", "37x5", "--rows", "numpy-blas", "--timeout", 12, *files, "--out", tmp_path / "r"
    )
    assert finished.returncode == 1
    recorded = {failure["row"]: failure for failure in failures(tmp_path / "r") if not failure["skipped"]}
    assert set(recorded) == set(BROKEN)
    for name, (kind, reason) in BROKEN.items():
        assert recorded[name]["kind"] == kind
        assert reason in recorded[name]["reason"]
        assert name in finished.stderr
    assert {e["extra_info"]["row"] for e in benchmarks(tmp_path / "r") if e["extra_info"]["role"] == "row"} == {
        "numpy-blas"
    }


@pytest.mark.parametrize("lines", [1, 12, 30])
def test_a_killed_runner_resumes_to_the_same_records(tmp_path, unbroken, lines):
    folder = tmp_path / "run"
    runner = start_stepbench(*SMALL, "--out", folder)
    wait_for_lines(folder, lines)
    children = psutil.Process(runner.pid).children(recursive=True)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert alive == [], "a worker outlived its runner"
    assert stepbench("run", "--resume", folder).returncode == 0
    assert coverage(folder) == coverage(unbroken)
    assert failures(folder) == failures(unbroken)


@pytest.mark.parametrize("lines", [2, 25])
def test_a_killed_worker_is_a_record_and_resume_completes_the_run(tmp_path, unbroken, lines):
    folder = tmp_path / "run"
    runner = start_stepbench(*SMALL, "--out", folder)
    wait_for_lines(folder, lines)
    psutil.Process(runner.pid).children()[-1].kill()
    assert runner.wait() in (0, 1)
    assert stepbench("run", "--resume", folder).returncode == 0
    assert coverage(folder) == coverage(unbroken)
    assert failures(folder) == failures(unbroken)


def test_max_time_ends_a_run_and_says_what_it_left_out(tmp_path):
    folder, sizes = tmp_path / "run", [f"{m}x5" for m in range(40, 65)]
    finished = stepbench(
        "run", "--sizes", ",".join(sizes), "--rows", "numpy-blas,python-loop", "--max-time", 0.1, "--out", folder
    )
    assert finished.returncode == 0, finished.stderr
    working = [e["elapsed_seconds"] for e in read_events(folder) if e["event"] in ("bound", "round", "judged")]
    assert max(working) < 6 + 5  # an answer may be under way
    timed = {entry["params"]["case"] for entry in benchmarks(folder)}
    left_out = {failure["case"] for failure in failures(folder) if failure["kind"] == "time-budget"}
    assert left_out
    assert timed.isdisjoint(left_out)
    assert len(timed) + len(left_out) == len(sizes)
    (sentence,) = [line for line in finished.stdout.splitlines() if "--max-time was used up" in line]
    assert all(case in sentence for case in left_out)
    assert f"--resume {folder}" in sentence


def wait_for_lines(folder, lines):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (folder / NAME).exists() and (folder / NAME).read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.005)
    pytest.fail(f"the journal never reached {lines} lines")
