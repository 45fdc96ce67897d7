"""The child processes of a check, seen from outside: started, listened to, and ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import psutil

from stepbench.checking.protocol import CannotRun, Finding, Orders
from stepbench.executor.patience import LOOK_SECONDS, Patience
from stepbench.machine.child_processes import ChildProcess, module
from stepbench.machine.children import environment_of_child

SILENCE_SECONDS = 900.0  # a judge waits for no answer so long, and no trial asks for many that take so long
LEAVING_SECONDS = 10.0  # for a child that has sent all it had to say

# The judge's own sums are small; whatever else it finds in the environment is for the row.
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def start_child(task: str, *arguments: str, environment: Mapping[str, str]) -> tuple[ChildProcess, Connection]:
    """`python -m stepbench.checking TASK DESCRIPTOR …`, and our end of the pipe whose other end DESCRIPTOR is.

    What it prints goes where our complaints go.
    """
    ours, theirs = Pipe()
    complaints = _descriptor(sys.stderr)
    process = ChildProcess(
        module("stepbench.checking", task, str(theirs.fileno()), *arguments),
        environment,
        descriptors=[theirs.fileno()],
        stdout=complaints,
        stderr=complaints,
    )
    theirs.close()
    return process, ours


class JudgeProcess:
    """The child process that takes a row through its trials; the row is in another, which it starts."""

    def __init__(self, orders: Orders, silence_seconds: float = SILENCE_SECONDS) -> None:
        self.complaint: str | None = None
        self.process, self.pipe = start_child("judge", environment=environment_of_child(ONE_THREAD))
        self.silence_seconds = silence_seconds
        self.watched = psutil.Process(self.process.pid)
        self.pipe.send(orders)

    def __enter__(self) -> JudgeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        """End the child and whatever it started."""
        self.pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0.0 if self.complaint else LEAVING_SECONDS)
        self.process.end()

    def findings(self) -> Iterator[Finding | CannotRun]:
        """What the child sends, until it ends or says nothing for too long."""
        try:
            while self._has_more():
                yield self.pipe.recv()
        except (EOFError, OSError):
            return

    def _has_more(self) -> bool:
        """Whether something was sent; the row's process may have stopped the judge, which is then no use."""
        patience = Patience(self.watched, self.silence_seconds, idle_seconds=self.silence_seconds)
        while not self.pipe.poll(LOOK_SECONDS):
            if complaint := patience.complaint():
                self.complaint = complaint
                return False
        return True

    def how_it_ended(self) -> str:
        """What became of a judge that ended before its work was done."""
        status = self.process.returncode or 0
        if self.complaint is None and status < 0:
            self.complaint = f"was ended by {signal.Signals(-status).name}"
        return f"cannot be judged: its judge {self.complaint or f'ended with status {status}'}"


def _descriptor(stream: object) -> int:
    """The descriptor of a stream; nowhere for one that has none, as in a notebook."""
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return subprocess.DEVNULL
