"""Child processes: nothing that one starts runs while it is stopped, or outlives it or us, wherever it has gone."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from runs import environment
from stepbench.machine import dies_with_parent
from stepbench.machine.child_processes import ChildProcess, program, run_to_its_end
from stepbench.machine.children import environment_of_child
from stepbench.machine.family import FAMILY

SPIN = "while True: pass"
WAYS_OUT = {  # how a process may try to leave whoever started it
    "in the group": "subprocess.Popen(spin)",
    "in a group of its own": "subprocess.Popen(spin, process_group=0)",
    "in a session of its own": "subprocess.Popen(spin, start_new_session=True)",
    "as a daemon": "os.fork() or (os.setsid(), os.fork() and os._exit(0), os.execv(spin[0], spin))",
    "as a daemon that forgets everything": (
        "os.fork() or (os.setsid(), os.fork() and os._exit(0), os.execve(spin[0], spin, {}))"
    ),
}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux alone")


def leaving_one_behind(way, then, found):
    """A program that starts a spinning process, writes its number down, and does something else."""
    spin = f"import os\nopen({str(found)!r}, 'w').write(str(os.getpid()))\n{SPIN}"
    return (
        "import os, pathlib, subprocess, sys, time\n"
        f"spin = [sys.executable, '-c', {spin!r}]\n"
        f"{WAYS_OUT[way]}\n"
        f"found = pathlib.Path({str(found)!r})\n"
        "while not (found.exists() and found.read_text()): time.sleep(0.01)\n"
        f"{then}\n"
    )


def started(tmp_path, way, then=SPIN):
    found = tmp_path / "found"
    child = ChildProcess(program(sys.executable, "-c", leaving_one_behind(way, then, found)), environment_of_child())
    return child, psutil.Process(number_in(found))


def number_in(path, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, ValueError):
            return int(path.read_text())
        time.sleep(0.01)
    raise AssertionError(f"{path.name} was never written")


def is_gone(process, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                time.sleep(0.01)
                continue
        return True
    return False


def stands_still(process, seconds=5):
    """A stopped process is so once it would be its turn on a processor."""
    deadline = time.monotonic() + seconds
    while process.status() != psutil.STATUS_STOPPED and time.monotonic() < deadline:
        time.sleep(0.001)
    return process.status() == psutil.STATUS_STOPPED


def cpu_seconds_after(process, before, seconds=10):
    deadline = time.monotonic() + seconds
    while cpu_seconds(process) <= before and time.monotonic() < deadline:
        time.sleep(0.01)
    return cpu_seconds(process)


def cpu_seconds(process):
    times = process.cpu_times()
    return times.user + times.system


@LINUX
@pytest.mark.parametrize("way", WAYS_OUT)
def test_what_a_child_starts_stands_still_with_it_and_goes_on_with_it(tmp_path, way):
    child, left = started(tmp_path, way)
    with child:
        child.pause()
        assert stands_still(left)
        assert stands_still(psutil.Process(child.pid))
        before = cpu_seconds(left)
        time.sleep(0.2)
        assert cpu_seconds(left) == before
        child.resume()
        assert cpu_seconds_after(left, before) > before


@LINUX
@pytest.mark.parametrize("then", [SPIN, "os.kill(os.getpid(), 11)", "sys.exit(3)"], ids=["running", "crash", "exit"])
@pytest.mark.parametrize("way", WAYS_OUT)
def test_what_a_child_starts_ends_with_it(tmp_path, way, then):
    child, left = started(tmp_path, way, then)
    if then != SPIN:
        child.wait(20)
    child.end()
    assert is_gone(left, seconds=0.5)
    assert [each for each in psutil.Process().children() if each.status() == psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize("paused", [False, True], ids=["running", "stopped"])
@pytest.mark.parametrize("way", [way for way in WAYS_OUT if "forgets" not in way])
def test_everything_dies_with_a_parent_that_is_killed(tmp_path, way, paused):
    """Its child dies by the system's hand, and whatever the child has started by the guardian's."""
    found, told = tmp_path / "found", tmp_path / "told"
    program = (
        "import sys, time, pathlib\n"
        "from stepbench.machine.child_processes import ChildProcess, program\n"
        "from stepbench.machine.children import environment_of_child\n"
        f"child = ChildProcess(program(sys.executable, '-c', {leaving_one_behind(way, SPIN, found)!r}),"
        " environment_of_child())\n"
        f"while not pathlib.Path({str(found)!r}).exists(): time.sleep(0.01)\n"
        "time.sleep(0.3)\n"
        f"for _ in range({3 * paused}): child.pause(); time.sleep(0.1)\n"
        f"pathlib.Path({str(told)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], env=environment())
    child, left = psutil.Process(number_in(told)), psutil.Process(number_in(found))
    everyone = [child, left, *psutil.Process(parent.pid).children(recursive=True)]
    assert len({each.pid for each in everyone if each.status() != psutil.STATUS_ZOMBIE}) == 3, (
        "the child, what it started, and the guardian"
    )
    parent.kill()
    parent.wait()
    assert [each for each in everyone if not is_gone(each)] == []
    psutil.wait_procs(everyone)  # those that this process has adopted


@LINUX
def test_a_child_whose_parent_died_before_it_could_ask_ends_at_once():
    started_by_nobody = [
        sys.executable,
        "-m",
        dies_with_parent.__name__,
        str(os.getpid() + 1),
        "program",
        "sleep",
        "60",
    ]
    assert subprocess.run(started_by_nobody, env=environment(), timeout=20, check=False).returncode == 1


@LINUX
def test_a_child_is_the_first_to_be_ended_when_memory_runs_out():
    read = "print(open('/proc/self/oom_score_adj').read())"
    finished = run_to_its_end(program(sys.executable, "-c", read), environment_of_child(), 20)
    assert finished.stdout.strip() == "1000"
    assert Path("/proc/self/oom_score_adj").read_text().strip() != "1000"


def test_with_the_last_child_the_guardian_has_gone():
    with ChildProcess(program("sleep", "60"), environment_of_child()) as child:
        assert child.alive
        assert {each.pid for each in FAMILY.descendants()} == {child.pid}, "the guardian is nobody's business"
        assert guardians() == 1
    assert guardians() == 0


def guardians():
    return sum(any(part.endswith("guardian.py") for part in each.cmdline()) for each in psutil.Process().children())


def test_a_process_at_its_limit_is_ended_with_what_it_started(tmp_path):
    found = tmp_path / "found"
    finished = run_to_its_end(
        program(
            sys.executable, "-c", "print('so far', flush=True)\n" + leaving_one_behind("in the group", SPIN, found)
        ),
        environment_of_child(),
        limit_seconds=2,
    )
    assert finished.status is None
    assert "so far" in finished.stdout
    assert is_gone(psutil.Process(number_in(found)), 0.5) if psutil.pid_exists(number_in(found)) else True


def test_a_signal_for_us_does_not_reach_a_child():
    """Ctrl-C is for the runner, which writes what there is; a child in its group would be gone by then."""
    with ChildProcess(program("sleep", "60"), environment_of_child()) as child:
        assert os.getpgid(child.pid) == os.getsid(child.pid) == child.pid
        assert os.getpgid(child.pid) != os.getpgid(0)
        child.pause()
        child.resume()
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL
