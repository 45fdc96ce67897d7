"""The family of this process: its child processes, the orphans that it adopts from them, and the guardian of them all.

One family a process, so that everything in it is its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from typing import Protocol

import psutil

from stepbench.machine import guardian
from stepbench.machine.children import environment_of_child

PR_SET_CHILD_SUBREAPER = 36
READY_SECONDS = 10.0  # for a small program to start in
MARK = "STEPBENCH_STARTED_BY"  # in the environment of a child and of all that it starts


class Member(Protocol):
    """A child process; `pid` is 0 until it has started."""

    pid: int

    def end(self) -> None: ...


class Family:
    """The child processes that this process has: one family a process, so that the orphans in it are all its own."""

    def __init__(self) -> None:
        self.mark = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._members: dict[Member, str] = {}
        self._lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._guardian: Guardian | None = None
        self._strangers: set[int] = set()

    def join(self, child: Member) -> str:
        """Count a child that is about to start. Its mark."""
        with self._lock:
            if not self._members:
                self._begin()
            self._members[child] = f"{self.mark}.{next(self._numbers)}."
            return self._members[child]

    def leave(self, child: Member) -> None:
        """The child has ended. With the last one, everything has."""
        with self._lock:
            self._members.pop(child, None)
            if not self._members and self._guardian is not None:
                self._guardian.end()
                self._guardian = None
                _adopt_orphans(wanted=False)

    def end(self) -> None:
        """End every child, with all that it has started."""
        for child in list(self._members):
            if child.pid:
                child.end()

    def _begin(self) -> None:
        _adopt_orphans(wanted=True)
        self._strangers = {each.pid for each in psutil.Process().children(recursive=True)}
        self._guardian = Guardian(self.mark)

    def descendants(self) -> list[psutil.Process]:
        """Everything below this process that has come since the first child."""
        beside = self._beside()
        return [each for each in psutil.Process().children(recursive=True) if each.pid not in beside]

    def has_left_its_group(self, process: psutil.Process) -> bool:
        """Whether a descendant is in the group of no child of ours."""
        return group_of(process) not in self.leaders()

    def leaders(self) -> set[int]:
        """The children themselves; each leads the group of what it starts."""
        return {child.pid for child in list(self._members) if child.pid}

    def bury(self) -> None:
        """Take leave of the orphans that have ended: nobody else will."""
        for each in psutil.Process().children():
            with contextlib.suppress(psutil.Error, OSError):
                is_ours = each.pid not in self.leaders() | self._beside()
                if is_ours and each.status() == psutil.STATUS_ZOMBIE and is_elsewhere(each):
                    os.waitpid(each.pid, os.WNOHANG)

    def _beside(self) -> set[int]:
        """Our children that are no children of anybody here."""
        return self._strangers | ({self._guardian.pid} if self._guardian else set())

    def stop_guardian(self) -> None:
        if self._guardian is not None:
            self._guardian.stop()


class Guardian:
    """The guardian of this process, as seen from it."""

    def __init__(self, mark: str) -> None:
        self._stopped = False
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, guardian.__file__, str(theirs.fileno()), mark],
                env={name: value for name, value in environment_of_child().items() if name != MARK},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._ours.settimeout(READY_SECONDS)
        self.pid = self._process.pid

    def stop(self) -> None:
        """Stop it, once it watches: only then will the system continue it when this process dies."""
        if self._stopped or sys.platform != "linux":
            return
        with contextlib.suppress(OSError):
            self._ours.recv(1)
        self._process.send_signal(signal.SIGSTOP)
        self._stopped = True

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._ours.close()


FAMILY = Family()


def _adopt_orphans(*, wanted: bool) -> None:
    """Let descendants whose parents are gone become children of this process, or no more, where the system can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(wanted))


def group_of(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except OSError:
        return None


def is_elsewhere(process: psutil.Process) -> bool:
    """Whether it is in another session than we are, as every child is and what it starts."""
    return os.getsid(process.pid) != os.getsid(0)
