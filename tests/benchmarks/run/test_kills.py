"""kill -9 at drawn moments, of the runner and of workers: every run is resumed to the same, and nobody is left."""

import json
import os
import random
import signal
import time

import psutil
import pytest

from cheats.gains import quietly
from runs import OF_TESTS, SMALL, coverage, failures, start_brief
from stepbench.run import session
from stepreports.records.journal import NAME

SEED = int(os.environ.get("STEPBENCH_TEST_SEED", random.SystemRandom().randrange(2**32)))
KILLS = int(os.environ.get("STEPBENCH_TEST_KILLS", "20"))  # of each
pytestmark = pytest.mark.slow


def moment(who, kill, unbroken):
    """Seconds after the first line of the journal; drawn, and the same again with the seed that was printed."""
    seconds = json.loads((unbroken / NAME).read_text().splitlines()[-1])["elapsed_seconds"]
    print(f"STEPBENCH_TEST_SEED={SEED}")  # noqa: T201 - shown when the test fails
    return random.Random(f"{SEED}/{who}/{kill}").uniform(0, seconds)


def begun(folder):
    runner = start_brief(*SMALL, "--out", folder)
    while not ((folder / NAME).exists() and b"\n" in (folder / NAME).read_bytes()):
        assert runner.poll() is None
        time.sleep(0.005)
    return runner


def resumed_to_the_same(folder, unbroken):
    session.resume(folder, quietly)
    assert coverage(folder) == coverage(unbroken)
    assert failures(folder) == failures(unbroken)
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def is_worker(process):
    try:
        return "stepbench.worker" in process.cmdline()
    except psutil.NoSuchProcess:  # as it ended, while we asked
        return False


def ours():
    """Processes of any run of ours that this test process can see."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        told = f"{process.info['cmdline']} {(process.info['environ'] or {}).get('STEPBENCH_TEST_RUN', '')}"
        if process.pid != os.getpid() and str(SEED) in told:
            found.append(process)
    return found


@pytest.fixture(autouse=True)
def marked(monkeypatch):
    """Whatever a run starts has the mark; when the test is over, nobody has it."""
    for name in OF_TESTS:  # a run is resumed in this process
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STEPBENCH_TEST_RUN", str(SEED))
    yield
    psutil.wait_procs(ours(), timeout=10)
    assert ours() == []


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_runner(tmp_path, unbroken, kill):
    runner = begun(tmp_path / "run")
    time.sleep(moment("runner", kill, unbroken))
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    resumed_to_the_same(tmp_path / "run", unbroken)


@pytest.mark.parametrize("kill", range(KILLS))
def test_a_killed_worker(tmp_path, unbroken, kill):
    runner = begun(tmp_path / "run")
    time.sleep(moment("worker", kill, unbroken))
    workers = [each for each in psutil.Process(runner.pid).children() if is_worker(each)]
    if workers:
        random.Random(f"{SEED}/which/{kill}").choice(workers).kill()
    assert runner.wait(300) in (0, 1)
    resumed_to_the_same(tmp_path / "run", unbroken)
