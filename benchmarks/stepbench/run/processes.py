"""A worker process as the runner sees it: started with its budget, stopped while others run, asked with a timeout."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, BinaryIO, Self

from stepbench.cases.case import Case
from stepbench.machine.child_processes import ChildProcess, module
from stepbench.machine.children import compile_caches, device_variables, environment_of_child
from stepbench.machine.threads import pool_variables
from stepbench.run.participants import Participant
from stepbench.worker.messages import ANSWERS, FAILED, Orders, Question
from stepkernels.interface import Implementation

GRACE_SECONDS = 5.0


class WorkerError(RuntimeError):
    """A worker that failed, crashed or hung: `kind` is the record's, the message its reason."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def environment_of_worker(row: Implementation, threads: int, caches: Path) -> dict[str, str]:
    """Its thread budget, a folder of its own for what is compiled, and the device of its row."""
    return environment_of_child(pool_variables(threads), compile_caches(caches), device_variables(row.device))


class Worker:
    """One participant's process. Between requests it is stopped, so that no thread pool spins in another's turn."""

    def __init__(
        self,
        participant: Participant,
        cases: Sequence[Case],
        threads: int,
        caches: Path,
        log: Path,
    ) -> None:
        self.participant = participant
        self.connection, theirs = Pipe()
        self.log = open_log(log)
        self.process = ChildProcess(
            module("stepbench.worker", str(theirs.fileno()), str(threads)),
            environment_of_worker(participant.row, threads, caches),
            descriptors=[theirs.fileno()],
            stdout=self.log,
            stderr=self.log,
        )
        theirs.close()
        self._send("orders", Orders(row=participant.row.to_json(), cases=list(cases)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        return self.process.alive

    def ask(self, question: Question, fields: Mapping[str, object], timeout: float) -> dict[str, Any]:
        """Let the worker run, put one question, take its answer, stop it again. Raises `WorkerError`."""
        self.resume()
        self._send(question, fields)
        return self.take(ANSWERS[question], timeout)

    def take(self, answer: str, timeout: float) -> dict[str, Any]:
        """Wait for one answer, then stop the worker. One that says nothing in time is killed."""
        try:
            if not self.connection.poll(timeout):
                self.kill()
                raise WorkerError("timeout", f"gave no answer within {timeout:.0f} seconds and was ended")
            kind, fields = self.connection.recv()
        except (EOFError, OSError):
            raise WorkerError("crash", self._how_it_ended()) from None
        self.pause()
        if kind == FAILED:
            raise WorkerError(fields["kind"], fields["reason"])
        if kind != answer:
            raise WorkerError("error", f"answered {kind!r} where {answer!r} was expected")
        return dict(fields)

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def kill(self) -> None:
        self.process.end()

    def close(self) -> None:
        """End the process. It has told all it knows, and unloading a library can take a second."""
        self.kill()
        self.connection.close()
        self.log.close()

    def _send(self, kind: Question, fields: Mapping[str, object]) -> None:
        try:
            self.connection.send((kind, fields))
        except (BrokenPipeError, OSError):
            raise WorkerError("crash", self._how_it_ended()) from None

    def _how_it_ended(self) -> str:
        try:
            status = self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return "closed its connection and was ended"
        self.kill()  # what it has left behind
        if status >= 0:
            return f"ended with exit status {status}; its output is in logs/{Path(self.log.name).name}"
        name = signal.Signals(-status).name
        memory = " (the system kills a process so when memory runs out)" if -status == signal.SIGKILL else ""
        return f"was ended by {name}{memory}"


def open_log(path: Path) -> BinaryIO:
    """A file to be written at its end; what is no file, or a link to one elsewhere, raises `OSError`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o644), "ab")
