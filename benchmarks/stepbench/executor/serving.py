"""The executor: loads a row, binds it, calls it, hands back what it holds. One request at a time, and no opinion.

The row's code runs here and may do anything here. There is nothing here that it could gain by: what is asked comes
when it is asked, and what the answer should be never comes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from stepbench.executor.computing import Computing
from stepbench.executor.raised_by_row import described
from stepbench.executor.sealed import Layout, mapped
from stepbench.executor.wire import HEADER, Answer, Counted, Done, Raised, Request, Taken, answer_frame, read_request
from stepkernels import Config, Implementation, Snapshot

PR_SET_PDEATHSIG = 1
NO_ROW = Implementation(name="no row yet", module="none")


class Host:
    """The row and its workspaces, by the numbers that the judge gives them. Each method is a task of a request."""

    def __init__(self) -> None:
        self.row = NO_ROW
        self.workspaces: dict[int, Computing] = {}

    def answer(self, request: Request, descriptors: list[int]) -> Answer:
        """Do what is asked. Raises what the row raises."""
        value = getattr(self, request.task)(*request.arguments, *descriptors)
        match value:
            case Snapshot():
                return Taken.of(request.token, value)
            case int():
                return Counted(token=request.token, count=value)
        return Done(token=request.token)

    def load(self, row: Implementation) -> None:
        self.row = row
        row.load()

    def bind(self, key: int, layout: Layout, config: Config, descriptor: int) -> None:
        try:
            problem = mapped(descriptor, layout)
        finally:
            os.close(descriptor)
        self.workspaces[key] = Computing(self.row.bind(problem, config))

    def release(self, key: int) -> None:
        del self.workspaces[key]

    def call(self, key: int, operations: tuple[str, ...], times: int) -> None:
        self.workspaces[key].call(*operations, times=times)

    def train(self, key: int, steps: int) -> None:
        self.workspaces[key].train(steps)

    def synchronize(self, key: int) -> None:
        self.workspaces[key].synchronize()

    def settle(self, key: int) -> int:
        return self.workspaces[key].settle()

    def reset(self, key: int, arguments: dict[str, Any]) -> None:
        self.workspaces[key].reset(**arguments)

    def snapshot(self, key: int, hold: bool) -> Snapshot:
        return self.workspaces[key].snapshot(hold=hold)

    def held_snapshot(self, key: int, index: int) -> Snapshot:
        return self.workspaces[key].held_snapshot(index)

    def allocated_bytes(self, key: int, operation: str, warm_ups: int) -> int:
        return self.workspaces[key].allocated_bytes(operation, warm_ups)


def answer_to(host: Host, request: Request, descriptors: list[int]) -> bytes:
    """The frame of the answer. Whatever is raised is an answer: an exit, too, is for the judge to tell of."""
    try:
        return answer_frame(host.answer(request, descriptors))
    except BaseException as error:
        return answer_frame(Raised(token=request.token, sentence=described(error, host.row)))


def requests(line: socket.socket) -> Iterator[tuple[Request, list[int]]]:
    """What is asked, with the descriptors that came with it, until the judge is gone."""
    while True:
        header, descriptors, _, _ = socket.recv_fds(line, HEADER.size, 1)
        if not header:
            return
        yield read_request(_read(line, HEADER.unpack(header)[0])), descriptors


def _read(line: socket.socket, size: int) -> bytes:
    payload = bytearray()
    while len(payload) < size:
        payload += line.recv(min(size - len(payload), 2**20))
    return bytes(payload)


def serve(descriptor: int) -> None:
    """Answer, until the judge is gone."""
    _end_with_the_judge()
    warnings.simplefilter("ignore")  # of overflow on extreme data, which is what some of it is for
    host = Host()
    with socket.socket(fileno=descriptor) as line:
        line.set_inheritable(False)
        for request, descriptors in requests(line):
            line.sendall(answer_to(host, request, descriptors))


def _end_with_the_judge() -> None:
    """Linux ends this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
