"""The child processes of a check, seen from outside: started, listened to, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from stepbench.checking.protocol import CannotRun, Finding, Orders
from stepbench.machine.children import device_variables, environment_of_child

SILENCE_SECONDS = 240.0  # no trial takes so long; compiling a row for a new shape may take half of it
LEAVING_SECONDS = 10.0  # for a child that has sent all it had to say

# Rows are judged side by side. Threads that wait should not spin, which takes the other rows' time and checks nothing:
# for OpenMP, and for OpenBLAS, which spins for 2ⁿ cycles. Nor is a pool of compilers needed where several rows compile.
CONSIDERATE = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4", "TORCHINDUCTOR_COMPILE_THREADS": "1"}


def start_child(
    task: str, *arguments: str, environment: Mapping[str, str], **options: Any
) -> tuple[subprocess.Popen[bytes], Connection]:
    """`python -m stepbench.checking TASK DESCRIPTOR …`, and our end of the pipe whose other end DESCRIPTOR is."""
    ours, theirs = Pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "stepbench.checking", task, str(theirs.fileno()), *arguments],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        env=environment,
        **options,
    )
    theirs.close()
    return process, ours


class CheckProcess:
    """The child process that takes a row through its trials."""

    def __init__(
        self, orders: Orders, environment: Mapping[str, str], silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self.silence_seconds = silence_seconds
        self.silent = False
        device = device_variables(orders.implementation.device)
        self.process, self.pipe = start_child(
            "child",
            environment=CONSIDERATE | environment_of_child(device, environment),
            stdout=sys.stderr.fileno() if _has_descriptor(sys.stderr) else subprocess.DEVNULL,
            start_new_session=True,
        )
        self.pipe.send(orders)

    def __enter__(self) -> CheckProcess:
        return self

    def __exit__(self, *_: object) -> None:
        """End the child and whatever it started."""
        self.pipe.close()
        try:
            self.process.wait(0.0 if self.silent else LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def findings(self) -> Iterator[Finding | CannotRun]:
        """What the child sends, until it ends or says nothing for too long."""
        try:
            while self.pipe.poll(self.silence_seconds):
                yield self.pipe.recv()
            self.silent = True
        except (EOFError, OSError):
            return

    def how_it_ended(self) -> str:
        """What became of a process that ended before its work was done."""
        status = self.process.returncode
        if self.silent:
            return f"gave no answer for {self.silence_seconds:.0f} seconds and was ended"
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended its process with status {status}"


def _has_descriptor(stream: object) -> bool:
    try:
        return isinstance(stream.fileno(), int)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
