"""A run that was killed, or one of its workers, is completed by --resume."""

import signal
import time

import psutil
import pytest

from runs import SMALL, coverage, failures, start_stepbench, stepbench
from stepreports.records.journal import NAME


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


def wait_for_lines(folder, lines):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (folder / NAME).exists() and (folder / NAME).read_bytes().count(b"\n") >= lines:
            return
        time.sleep(0.005)
    pytest.fail(f"the journal never reached {lines} lines")
