"""Child processes of ours: started in a session of their own, stopped and ended with all that they have started.

Nothing that a kernel starts outlives it or runs in another's turn. A process and what it starts share a *group*, which
one signal reaches. What has left the group is found among our descendants, for this process adopts the orphans among
them (on Linux), and by a mark in its environment (`family`). Should this process be killed, its children die with it
(`dies_with_parent`), and a guardian ends the rest (`guardian`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

import psutil

from stepbench.machine.family import FAMILY, MARK, group_of, is_elsewhere

LOAD = Path("/proc/loadavg")  # its last number is that of the process, or the thread, that was made last
SWEEPS = 50  # at the most, for what starts more of itself while it is ended
LEAVING_SECONDS = 5.0  # for a process that was killed

DIES_WITH_PARENT = "stepbench.machine.dies_with_parent"

Output = int | IO[Any]


def module(name: str, *arguments: str) -> list[str]:
    """A module of ours as a child process."""
    return ["module", name, *arguments]


def program(*command: str) -> list[str]:
    """Another program as a child process."""
    return ["program", *command]


class ChildProcess:
    """One child process and all that it starts. The thread that makes it must last as long as it does.

    `command` is of `module` or `program`; a module is run by `python`, or else by the one that runs this.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        descriptors: Sequence[int] = (),
        stdout: Output = subprocess.DEVNULL,
        stderr: Output = subprocess.DEVNULL,
        python: Path | None = None,
    ) -> None:
        self.pid = 0
        self._outside: set[psutil.Process] = set()  # what has left the group
        self._latest: int | None = None
        self.mark = FAMILY.join(self)
        try:
            self.process = subprocess.Popen(
                [str(python or sys.executable), "-m", DIES_WITH_PARENT, str(os.getpid()), *command],
                env={**environment, MARK: self.mark},
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        except BaseException:
            FAMILY.leave(self)
            raise
        self.pid = self.process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    @property
    def returncode(self) -> int | None:
        return self.process.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status. Raises `subprocess.TimeoutExpired`; what it started may still be there."""
        return self.process.wait(timeout)

    def pause(self) -> None:
        """Stop it and all that it started."""
        self._signal_group(signal.SIGSTOP)
        for _ in range(SWEEPS):
            if not (found := self._find_outside() - self._outside):
                break
            self._outside |= found
            _each(found, signal.SIGSTOP)
        FAMILY.stop_guardian()

    def resume(self) -> None:
        """Let it go on, with all that was stopped with it."""
        _each(self._outside, signal.SIGCONT)
        self._signal_group(signal.SIGCONT)

    def end(self) -> None:
        """Kill it and all that it started, wherever that has gone. Ending it twice does no harm."""
        for _ in range(SWEEPS):
            self._latest = None
            self._outside |= self._find_outside()
            _each(self._outside, signal.SIGKILL)
            self._signal_group(signal.SIGKILL)
            self._reap()
            if not self._outside and not self._group():
                break
        FAMILY.leave(self)

    def _reap(self) -> None:
        """Wait for those that were killed and are ours to wait for; whoever is gone is forgotten."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(LEAVING_SECONDS)
        psutil.wait_procs([*self._outside, *self._group()], timeout=LEAVING_SECONDS)
        FAMILY.bury()
        self._outside = {each for each in self._outside if _lives(each)}

    def _signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _group(self) -> list[psutil.Process]:
        """Those of its group that are left when it has ended."""
        return [each for each in FAMILY.descendants() if group_of(each) == self.pid and each.pid != self.pid]

    def _find_outside(self) -> set[psutil.Process]:
        """What it started and is in its group no longer: looked for when any process was made since the last look."""
        latest = _latest_process()
        if latest is not None and latest == self._latest:
            return set()
        self._latest = latest
        return {each for each in FAMILY.descendants() if FAMILY.has_left_its_group(each) and self._started(each)}

    def _started(self, process: psutil.Process) -> bool:
        """Whether it is below this child, or was and bears its mark.

        An orphan without any mark counts as that of whoever looks, unless it is of our own session, as no child is.
        """
        with contextlib.suppress(psutil.Error, OSError):
            above = {each.pid for each in process.parents()} & FAMILY.leaders()
            mark = process.environ().get(MARK) if not above else None
            return self.pid in above or mark == self.mark or (not above and mark is None and is_elsewhere(process))
        return False


class Finished(NamedTuple):
    """What became of a child process. `status` is None for one that was ended at its limit."""

    status: int | None
    stdout: str
    stderr: str

    @property
    def last_words(self) -> str:
        """The last line of what it complained of."""
        return next(iter(reversed(self.stderr.strip().splitlines())), "it said nothing")


def run_to_its_end(
    command: Sequence[str],
    environment: Mapping[str, str],
    limit_seconds: float,
    *,
    stderr: Output = subprocess.PIPE,
    python: Path | None = None,
) -> Finished:
    """Run a child process and take down what it prints; at its limit it is ended."""
    with ChildProcess(command, environment, stdout=subprocess.PIPE, stderr=stderr, python=python) as child:
        try:
            printed = child.process.communicate(timeout=limit_seconds)
            status: int | None = child.returncode
        except subprocess.TimeoutExpired:
            child.end()
            printed, status = child.process.communicate(), None
    return Finished(status, *((text or b"").decode("utf-8", "replace") for text in printed))


def _latest_process() -> int | None:
    """The number of the process, or thread, that was made last; None where the system does not tell."""
    try:
        return int(LOAD.read_text().split()[-1])
    except (OSError, ValueError, IndexError):
        return None


def _each(processes: Iterator[psutil.Process] | set[psutil.Process], number: signal.Signals) -> None:
    for process in list(processes):
        with contextlib.suppress(psutil.Error, OSError):
            process.send_signal(number)


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False
