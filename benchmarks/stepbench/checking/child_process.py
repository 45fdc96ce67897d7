"""The child processes of a check, seen from outside: started, listened to, and ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

from stepbench.checking.protocol import CannotRun, Finding, Orders
from stepbench.machine.child_processes import ChildProcess, module
from stepbench.machine.children import device_variables, environment_of_child, somewhere_to_cache
from stepkernels import Implementation

SILENCE_SECONDS = 240.0  # no trial takes so long; compiling a row for a new shape may take half of it
LEAVING_SECONDS = 10.0  # for a child that has sent all it had to say

# Rows are judged side by side. Threads that wait should not spin, which takes the other rows' time and checks nothing:
# for OpenMP, and for OpenBLAS, which spins for 2ⁿ cycles. Nor is a pool of compilers needed where several rows compile.
CONSIDERATE = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4", "TORCHINDUCTOR_COMPILE_THREADS": "1"}


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


class CheckProcess:
    """The child process that takes a row through its trials."""

    def __init__(
        self, orders: Orders, environment: Mapping[str, str], silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self.silence_seconds = silence_seconds
        self.silent = False
        device = device_variables(orders.implementation.device)
        self.caches = ExitStack()
        cached = self.caches.enter_context(somewhere_to_cache(*_file_of(orders.implementation)))
        self.process, self.pipe = start_child(
            "child", environment=CONSIDERATE | environment_of_child(cached, device, environment)
        )
        self.pipe.send(orders)

    def __enter__(self) -> CheckProcess:
        return self

    def __exit__(self, *_: object) -> None:
        """End the child and whatever it started."""
        self.pipe.close()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(0.0 if self.silent else LEAVING_SECONDS)
        self.process.end()
        self.caches.close()

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
        status = self.process.returncode or 0
        if self.silent:
            return f"gave no answer for {self.silence_seconds:.0f} seconds and was ended"
        if status < 0:
            return f"was ended by {signal.Signals(-status).name}"
        return f"ended its process with status {status}"


def _file_of(row: Implementation) -> list[Path]:
    """The file of a kernel that is none of the catalogue's."""
    return [Path(row.module)] if row.module.endswith(".py") else []


def _descriptor(stream: object) -> int:
    """The descriptor of a stream; nowhere for one that has none, as in a notebook."""
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return subprocess.DEVNULL
