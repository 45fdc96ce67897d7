"""A worker process as the runner sees it: started with its budget, stopped while others run, asked with a timeout."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Generic, NamedTuple, Self, TypeVar

import msgspec

from stepbench.cases.case import Case
from stepbench.machine.child_processes import ChildProcess, module
from stepbench.machine.children import compile_caches, device_variables, environment_of_child
from stepbench.machine.process_state import is_stopped, processor_seconds
from stepbench.machine.threads import pool_variables
from stepbench.run.memory_layout import AS_IT_COMES, MemoryLayout
from stepbench.run.participants import Participant
from stepbench.worker.channel import Channel, ChannelClosedError, GarbageError, SilenceError, decoded
from stepbench.worker.messages import Failed, Orders, Question

GRACE_SECONDS = 5.0
GLANCE_SECONDS = 1.0  # between looks at a process that does not answer

T = TypeVar("T", bound=msgspec.Struct)


class WorkerError(RuntimeError):
    """A worker that failed, crashed or hung: `kind` is the record's, the message its reason."""

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


class Answer(NamedTuple, Generic[T]):
    """What a worker said, and what it took by the runner's clocks.

    seconds            from the question to the answer
    processor_seconds  that the process used meanwhile; zero where the system does not tell
    """

    message: T
    seconds: float
    processor_seconds: float

    @property
    def busy_seconds(self) -> float:
        """In which the process was at work, by the clock that shows less.

        On a busy machine it waits for a processor, and a pool that still spins uses some; work that was put off shows
        in both.
        """
        return min(self.seconds, self.processor_seconds or self.seconds)


def environment_of_worker(
    participant: Participant, threads: int, caches: Path, layout: MemoryLayout = AS_IT_COMES
) -> dict[str, str]:
    """Its thread budget, a folder of its own for what is compiled, its row's device, where that is from, padding."""
    own = participant.home.variables if participant.home else {}
    device = device_variables(participant.row.device)
    return environment_of_child(pool_variables(threads), compile_caches(caches), device, layout.variables, own)


class Worker:
    """One participant's process. Between requests it is stopped, so that no thread pool spins in another's turn."""

    def __init__(
        self,
        participant: Participant,
        cases: Sequence[Case],
        threads: int,
        caches: Path,
        log: Path,
        layout: MemoryLayout = AS_IT_COMES,
    ) -> None:
        self.participant, self.layout = participant, layout
        self.channel, theirs = Channel.pair()
        self.log = open_log(log)
        self.process = ChildProcess(
            module("stepbench.worker", str(theirs.fileno()), str(threads)),
            environment_of_worker(participant, threads, caches, layout),
            descriptors=[theirs.fileno()],
            stdout=self.log,
            stderr=self.log,
            python=participant.home.python if participant.home else None,
        )
        theirs.close()
        self._send(Orders(row=participant.row.to_json(), cases=list(cases)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        return self.process.alive

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let the worker run for as long as it is asked."""
        self.resume()
        try:
            yield
        finally:
            self.pause()

    def ask(self, question: Question, answer: type[T], timeout: float) -> Answer[T]:
        """Put one question to a worker that is awake, and take its answer. Raises `WorkerError`."""
        used, start = processor_seconds(self.process.pid), time.perf_counter()
        self._send(question, timeout)
        frame = self._frame(timeout)
        seconds, used_then = time.perf_counter() - start, processor_seconds(self.process.pid)
        used_meanwhile = used_then - used if used_then is not None and used is not None else 0.0
        return Answer(self._message(frame, answer), seconds, used_meanwhile)

    def started(self, answer: type[T], timeout: float) -> T:
        """Its first answer, which answers its orders; then it is stopped."""
        message = self._message(self._frame(timeout), answer)
        self.pause()
        return message

    def _frame(self, timeout: float) -> bytes:
        """One answer, not yet read. A worker that is silent for too long is ended, and one that stopped itself is."""
        deadline = time.monotonic() + timeout
        try:
            while not self.channel.readable(min(GLANCE_SECONDS, timeout)):
                if is_stopped(self.process.pid):
                    raise self.ended("crash", "stopped itself and was ended")
                if time.monotonic() > deadline:
                    raise self.ended("timeout", f"gave no answer within {timeout:.0f} seconds and was ended")
            return self.channel.receive(max(deadline - time.monotonic(), GLANCE_SECONDS))
        except SilenceError as error:
            raise self.ended("timeout", f"{error} and was ended") from None
        except GarbageError as error:
            raise self.ended("error", f"{error} and was ended") from None
        except ChannelClosedError:
            raise WorkerError("crash", self._how_it_ended()) from None

    def _message(self, frame: bytes, answer: type[T]) -> T:
        """Raises `WorkerError` for what is no such answer, and for the failure that a worker tells."""
        try:
            message: T | Failed = decoded(frame, answer | Failed)
        except GarbageError as error:
            raise self.ended("error", f"{error} and was ended") from None
        if isinstance(message, Failed):
            raise WorkerError(message.kind, message.reason)
        return message

    def ended(self, kind: str, reason: str) -> WorkerError:
        """End the process, and say why."""
        self.kill()
        return WorkerError(kind, reason)

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def kill(self) -> None:
        self.process.end()

    def close(self) -> None:
        """End the process. It has told all it knows, and unloading a library can take a second."""
        self.kill()
        self.channel.close()
        self.log.close()

    def _send(self, question: Question, timeout: float = GRACE_SECONDS) -> None:
        try:
            self.channel.send(question, timeout)
        except SilenceError as error:
            raise self.ended("timeout", f"{error} and was ended") from None
        except ChannelClosedError:
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
        sealed = " (X and y are mapped read-only; a write to them ends a process so)" if name == "SIGSEGV" else ""
        return f"was ended by {name}{memory}{sealed}"


def open_log(path: Path) -> BinaryIO:
    """A file to be written at its end; what is no file, or a link to one elsewhere, raises `OSError`."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o644), "ab")
