"""A row in a process of its own, and its workspaces, used as if they were here.

A row that is trusted may as well compute in this process, where a debugger and a sanitizer reach it: the line then
leads to a `Host` beside us. What is asked and what is answered is the same.
"""

from __future__ import annotations

import itertools
import os
from typing import Any, Protocol

import psutil

from stepbench.executor import patience
from stepbench.executor.line import AnswerType, Lost, RaisedByRow
from stepbench.executor.raised_by_row import described
from stepbench.executor.sealed import Layout, sealed
from stepbench.executor.serving import Host
from stepbench.executor.wire import Counted, Done, NoAnswer, Taken, new_request
from stepkernels import Config, Implementation, Problem, Snapshot

# A snapshot's arrays in the widest type, and as much again that a wrong one may have beyond them to be told so.
BYTES_PER_ELEMENT, BYTES_BESIDE = 16, 2**24


OFFSETS = (0, 16, 32, 48)  # bytes from a cache line to where X begins: a row must not rely on more than NumPy gives


class Asks(Protocol):
    """A line to whoever computes."""

    def ask(
        self,
        expected: type[AnswerType],
        task: str,
        *arguments: Any,
        limit_seconds: float,
        most_bytes: int = ...,
        descriptors: tuple[int, ...] = (),
    ) -> AnswerType:
        """The answer to one request. Raises `Lost`, and `RaisedByRow` for what the row's code raised."""

    def resident_bytes(self) -> int:
        """The memory of whoever computes."""


class Beside:
    """A line to a host in this process."""

    def __init__(self) -> None:
        self.host = Host()

    def ask(
        self,
        expected: type[AnswerType],
        task: str,
        *arguments: Any,
        limit_seconds: float,  # noqa: ARG002 - whoever shares a process shares its time and memory
        most_bytes: int = 0,  # noqa: ARG002
        descriptors: tuple[int, ...] = (),
    ) -> AnswerType:
        try:
            answer = self.host.answer(new_request(task, *arguments), [os.dup(each) for each in descriptors])
        except Exception as error:
            raise RaisedByRow(described(error, self.host.row)) from error
        if not isinstance(answer, expected):
            raise TypeError(f"{task} was answered by {type(answer).__name__}")
        return answer

    def resident_bytes(self) -> int:
        return int(psutil.Process().memory_info().rss)


class RemoteRow:
    """A row, loaded by whoever is at the other end of the line."""

    def __init__(
        self,
        row: Implementation,
        line: Asks | None = None,
        least_patience_seconds: float = 0.0,
        most_patience_seconds: float = float("inf"),
    ) -> None:
        """An answer is waited for by what was asked, and so long at least and at most."""
        self.row, self.line = row, line or Beside()
        self.least_patience_seconds, self.most_patience_seconds = least_patience_seconds, most_patience_seconds
        self.known: set[object] = set()
        self.keys = itertools.count()
        self.load()

    def load(self) -> None:
        self.line.ask(Done, "load", self.row, limit_seconds=min(patience.LOADING_SECONDS, self.most_patience_seconds))

    def bind(self, problem: Problem, config: Config) -> RemoteWorkspace:
        key = next(self.keys)
        problem = problem.astype(config.dtype)
        layout = Layout.of(problem, OFFSETS[key % len(OFFSETS)])
        workspace = RemoteWorkspace(self, key, layout, config)
        with sealed(problem, layout) as descriptor:
            self.line.ask(
                Done, "bind", key, layout, config, limit_seconds=workspace.limit("bind", 1), descriptors=(descriptor,)
            )
        return workspace

    def limit(self, what: tuple[object, ...], elements: int, calls: int) -> float:
        """Seconds to wait for an answer: many where it may have to compile first, few where it has been there."""
        first, compiles = what not in self.known, self.row.compiles_per_shape
        self.known.add(what)
        work = patience.SECONDS_PER_ELEMENT * elements * calls + patience.SECONDS_PER_CALL * calls
        most = patience.COMPILING_SECONDS if compiles else patience.FIRST_SECONDS
        enough = max(most if first else patience.AGAIN_SECONDS, self.least_patience_seconds)
        return min(work + enough, self.most_patience_seconds)


class RemoteWorkspace:
    """A workspace in an executor."""

    def __init__(self, row: RemoteRow, key: int, layout: Layout, config: Config) -> None:
        self.row, self.key, self.layout, self.config = row, key, layout, config
        self.trained = 0

    def limit(self, operation: str, calls: int) -> float:
        """A row that compiles may do so anew in every workspace."""
        place = self.key if self.row.row.compiles_per_shape else None
        what = (operation, place, self.config.dtype, self.config.optimizer.name)
        return self.row.limit(what, self.layout.m * self.layout.n, calls)

    def _do(self, task: str, *arguments: Any, calls: int = 1, operation: str = "") -> None:
        limit = self.limit(operation or task, calls)
        self.row.line.ask(Done, task, self.key, *arguments, limit_seconds=limit)

    def call(self, *operations: str, times: int = 1) -> None:
        self._do("call", tuple(map(str, operations)), times, calls=times, operation=" ".join(operations))

    def train(self, steps: int) -> None:
        self.trained = max(self.trained, steps)
        self._do("train", steps, calls=steps)

    def synchronize(self) -> None:
        self._do("synchronize")

    def settle(self) -> int:
        return self.row.line.ask(Counted, "settle", self.key, limit_seconds=self.limit("settle", 1)).count

    def reset(self, **arguments: Any) -> None:
        self._do("reset", arguments)

    def snapshot(self, *, hold: bool = False) -> Snapshot:
        """What the workspace holds now; the snapshot itself is held at the other end if that is asked for."""
        return self._taken("snapshot", hold)

    def held_snapshot(self, index: int) -> Snapshot:
        """What a snapshot that is held says now."""
        return self._taken("held_snapshot", index)

    def _taken(self, task: str, argument: int) -> Snapshot:
        most = BYTES_BESIDE + BYTES_PER_ELEMENT * (4 * self.layout.n + self.trained + 64)
        limit = self.limit("snapshot", 1)
        taken = self.row.line.ask(Taken, task, self.key, argument, limit_seconds=limit, most_bytes=most)
        try:
            return taken.snapshot()
        except NoAnswer as error:
            raise Lost(f"answered what is no answer: {error}") from None

    def allocated_bytes(self, operation: str, warm_ups: int) -> int:
        """The most that the other process says an operation allocated, after some to warm up."""
        limit = self.limit("allocated_bytes", 1 + warm_ups)
        arguments = self.key, str(operation), warm_ups
        return self.row.line.ask(Counted, "allocated_bytes", *arguments, limit_seconds=limit).count

    def resident_bytes(self) -> int:
        return self.row.line.resident_bytes()

    def release(self) -> None:
        """Let the executor forget it."""
        self._do("release")
