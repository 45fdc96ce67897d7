"""Stopped from outside, a run writes what there is, ends its processes, and leaves nothing that it does not need."""

import json
import signal
import time

import psutil
import pytest

from runs import SMALL, coverage, start_brief, start_stepbench, stepbench
from stepreports.records.journal import NAME

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.005)


def events_in(folder):
    if not (folder / NAME).exists():
        return []
    return [json.loads(line)["event"] for line in (folder / NAME).read_text().splitlines(keepends=True) if "\n" in line]


def stopped(runner, folder, when, number):
    """The exit status of a run that gets the signal as soon as that is in its journal."""
    wait_for(lambda: when in events_in(folder))
    children = psutil.Process(runner.pid).children(recursive=True)
    runner.send_signal(number)
    status = runner.wait(120)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    return status


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_run_that_is_stopped_writes_what_there_is_and_can_be_resumed(tmp_path, number, unbroken):
    """While the limits are measured, and once a case is timed."""
    folder = tmp_path / "run"
    assert stopped(start_brief(*SMALL, "--out", folder), folder, "run", number) == 128 + number
    assert events_in(folder) == ["run"]
    assert [path for path in folder.iterdir() if path.name.startswith(".")] == []
    assert stopped(start_stepbench("run", "--resume", folder), folder, "closed", number) == 128 + number
    names = {path.name for path in folder.iterdir()}
    assert {NAME, "benchmark.json", "failures.json", "report.html", "logs"} <= names
    assert [name for name in names if name.startswith(".") or name in ("scratch", "caches")] == []
    timed = coverage(folder)
    assert timed
    assert timed <= coverage(unbroken)
    assert stepbench("run", "--resume", folder).returncode == 0
    assert coverage(folder) == coverage(unbroken)


def test_stopped_before_anything_was_begun_it_leaves_nothing(tmp_path):
    runner = start_stepbench(*SMALL, "--out", tmp_path / "a" / "run")
    time.sleep(0.3)
    runner.send_signal(signal.SIGTERM)
    status = runner.wait(120)
    assert status in (-signal.SIGTERM, 128 + signal.SIGTERM)
    assert list(tmp_path.iterdir()) == [] or events_in(tmp_path / "a" / "run")
