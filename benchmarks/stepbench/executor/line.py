"""The judge's end of the line to an executor: one question at a time, and limits on everything that comes back.

Whatever the executor does instead of answering is `Lost`, in words: it ended, stopped, did nothing, closed the line,
printed without end, or answered what is no answer. After that nothing more is asked of it.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, TypeVar

import psutil

from stepbench.executor.patience import Patience
from stepbench.executor.wire import HEADER, Answer, NoAnswer, Raised, new_request, read_answer, request_frame

SLICE_SECONDS = 0.25
LEAVING_SECONDS = 2.0  # between the end of the line and the end of the process
MOST_PRINTED = 2**24  # bytes: whoever prints so much prints in every step
MOST_SHOWN = 2**14
_FAULTS = {signal.SIGSEGV, signal.SIGBUS}

AnswerType = TypeVar("AnswerType", bound=Answer)


class Lost(Exception):  # noqa: N818 - a verdict on the executor, not an error of ours
    """The executor will answer nothing any more; the message says what it did, as the end of a sentence."""


class RaisedByRow(Exception):  # noqa: N818
    """The row's code raised, in the executor; the message is the exception and its line."""


class Line:
    """An executor, started and listened to."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        self.output, output = os.pipe()
        self.printed = 0
        self.socket = ours
        with theirs, open(os.devnull, "wb") as unreadable:  # noqa: PTH123 - whoever reads its input is told so
            self.process = subprocess.Popen(
                [sys.executable, "-m", "stepbench.executor", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=unreadable,
                stdout=output,
                stderr=output,
                env=dict(environment),
                start_new_session=True,
            )
        os.close(output)
        ours.setblocking(False)
        os.set_blocking(self.output, False)
        self.watched = psutil.Process(self.process.pid)
        self.selector = selectors.DefaultSelector()
        self.selector.register(ours, selectors.EVENT_READ)
        self.selector.register(self.output, selectors.EVENT_READ)

    def ask(
        self,
        expected: type[AnswerType],
        task: str,
        *arguments: Any,
        limit_seconds: float,
        most_bytes: int = 2**16,
        descriptors: tuple[int, ...] = (),
    ) -> AnswerType:
        """The answer to one request. Raises `Lost`, and `RaisedByRow` for what the row's code raised."""
        request = new_request(task, *arguments)
        patience = Patience(self.watched, limit_seconds)
        try:
            self._send(request_frame(request), descriptors, patience)
            answer = read_answer(self._receive(most_bytes, patience), request.token)
        except NoAnswer as error:
            raise Lost(f"answered what is no answer: {error}") from None
        except ConnectionError:
            raise Lost(self._how_it_ended()) from None
        if self.process.poll() is not None:
            raise Lost(self._how_it_ended())
        if isinstance(answer, Raised):
            raise RaisedByRow(answer.sentence)
        if not isinstance(answer, expected):
            raise Lost(f"answered what is no answer: {type(answer).__name__} when asked to {task}")
        return answer

    def _send(self, frame: bytes, descriptors: tuple[int, ...], patience: Patience) -> None:
        """The header takes the descriptors with it."""
        rest = memoryview(frame)
        header, rest = rest[: HEADER.size], rest[HEADER.size :]
        socket.send_fds(self.socket, [header], descriptors)
        while rest:
            try:
                rest = rest[self.socket.send(rest) :]
            except BlockingIOError:
                self._wait(patience, selectors.EVENT_WRITE)

    def _receive(self, most_bytes: int, patience: Patience) -> bytes:
        size = HEADER.unpack(self._read(HEADER.size, patience))[0]
        if size > most_bytes:
            raise NoAnswer(f"{size:,} bytes, when {most_bytes:,} are more than were asked for")
        return self._read(size, patience)

    def _read(self, size: int, patience: Patience) -> bytes:
        payload = bytearray()
        while len(payload) < size:
            try:
                part = self.socket.recv(min(size - len(payload), 2**20))
            except BlockingIOError:
                self._wait(patience, selectors.EVENT_READ)
                continue
            if not part:
                raise ConnectionResetError
            payload += part
        return bytes(payload)

    def _wait(self, patience: Patience, event: int) -> None:
        """Until the socket is ready, or for a moment; what was printed meanwhile is taken from the pipe."""
        self.selector.modify(self.socket, event)
        for key, _ in self.selector.select(SLICE_SECONDS):
            if key.fd == self.output:
                self._take_output()
        if complaint := patience.complaint():
            raise Lost(complaint)

    def _take_output(self) -> None:
        """Show the first of what the row prints, and put an end to what has none."""
        text = os.read(self.output, 2**16)
        if not text:
            self.selector.unregister(self.output)
        if self.printed < MOST_SHOWN:
            sys.stderr.write(text[: MOST_SHOWN - self.printed].decode(errors="replace"))
            sys.stderr.flush()
        self.printed += len(text)
        if self.printed > MOST_PRINTED:
            raise Lost(f"printed more than {MOST_PRINTED >> 20} MiB and was ended")

    def _how_it_ended(self) -> str:
        """What became of a process that closed the line before its work was done."""
        try:
            status = self.process.wait(LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            return "closed the line to its judge, and was ended"
        if status >= 0:
            return f"ended its process with status {status}"
        why = ": X, y and w0 lie in memory that cannot be written to" if -status in _FAULTS else ""
        return f"was ended by {signal.Signals(-status).name}{why}"

    def resident_bytes(self) -> int:
        """The memory of the executor and of what it started. Asked of the system, not of the executor."""
        total = 0
        for process in [self.watched, *self.watched.children(recursive=True)]:
            try:
                total += process.memory_info().rss
            except psutil.Error:
                continue
        return total

    def close(self) -> None:
        """End the executor and whatever it started."""
        end_with_children(self.process)
        self.selector.close()
        self.socket.close()
        os.close(self.output)


def end_with_children(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a session, its group, and what it started in other groups."""
    try:
        started = psutil.Process(process.pid).children(recursive=True)
    except psutil.Error:
        started = []
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        process.kill()
    for child in started:
        try:
            child.kill()
        except psutil.Error:
            continue
    process.wait()
