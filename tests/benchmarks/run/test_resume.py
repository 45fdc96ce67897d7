"""A run that was killed, or one of its workers, is completed by --resume."""

import signal
import time

import psutil
import pytest

from runs import SMALL, coverage, failures, start_brief, start_stepbench, stepbench
from stepreports.records.journal import NAME


def test_a_runner_that_is_killed_again_and_again_resumes_to_the_same_records(tmp_path, unbroken):
    """As soon as it has begun, among the turns of the first case, and among those of the second."""
    folder = tmp_path / "run"
    start, begun = start_brief, (*SMALL, "--out", folder)
    for lines in (1, 14, 75):
        runner = start(*begun)
        wait_for_lines(folder, lines)
        children = psutil.Process(runner.pid).children(recursive=True)
        runner.send_signal(signal.SIGKILL)
        runner.wait()
        _, alive = psutil.wait_procs(children, timeout=20)
        assert alive == [], "a worker outlived its runner"
        start, begun = start_stepbench, ("run", "--resume", folder)
    assert stepbench(*begun).returncode == 0
    assert coverage(folder) == coverage(unbroken)
    assert failures(folder) == failures(unbroken)


def test_killed_workers_are_records_and_resume_completes_the_run(tmp_path, unbroken):
    """One as soon as it has started, another among the turns."""
    folder = tmp_path / "run"
    runner = start_brief(*SMALL, "--out", folder)
    for lines in (2, 25):
        wait_for_lines(folder, lines)
        workers_of(runner)[-1].kill()
    assert runner.wait() in (0, 1)
    assert stepbench("run", "--resume", folder).returncode == 0
    assert coverage(folder) == coverage(unbroken)
    assert failures(folder) == failures(unbroken)


def workers_of(runner):
    children = psutil.Process(runner.pid).children()
    return [each for each in children if each.status() != psutil.STATUS_ZOMBIE and "stepbench.worker" in each.cmdline()]


def wait_for_lines(folder, lines):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (folder / NAME).exists() and (folder / NAME).read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.005)
    pytest.fail(f"the journal never reached {lines} lines")
