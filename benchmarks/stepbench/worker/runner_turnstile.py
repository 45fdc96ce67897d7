"""The runner's turnstile, from the worker's side: it asks for the go at every stage of a case over the socket."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from stepbench.cases.case import Case
from stepbench.cases.problem_files import load_problem
from stepbench.worker.messages import FAILED, Bind, Bound, Failed, Judge, Judged, Orders, Question, Round, Started
from stepbench.worker.turnstile import Task


class RunnerTurnstile:
    """Waits for the runner's questions, and answers each."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def orders(self) -> Orders:
        orders: Orders = self._question("orders")
        return orders

    def started(self, report: Started) -> None:
        self._answer("started", report)

    def next_task(self, case: Case) -> Task:
        asked: Bind = self._question("bind")
        if asked["case"] != case.name:
            raise RuntimeError(f"The runner is at {asked['case']}, the worker at {case.name}.")
        problem = load_problem(asked["data"], case.dtype)
        return Task(case=case, problem=problem, config=asked["config"], before=asked["before"], rounds=asked["rounds"])

    def bound(self, report: Bound) -> None:
        self._answer("bound", report)

    def wait(self) -> None:
        self._question("round")

    def round_done(self, seconds: float, device_seconds: float | None) -> None:
        self._answer("round", Round(seconds=seconds, device_seconds=device_seconds))

    def fresh_expectations(self) -> Path | None:
        asked: Judge = self._question("judge")
        return asked["after"]

    def judged(self, report: Judged) -> None:
        self._answer("judged", report)

    def failed(self, kind: str, reason: str) -> None:
        self._answer(FAILED, Failed(kind=kind, reason=reason))

    def _question(self, kind: Question) -> Any:
        """Block until the runner asks `kind`. The end of the run ends this process."""
        try:
            received, fields = self.connection.recv()
        except EOFError:
            os._exit(0)
        if received != kind:
            raise RuntimeError(f"The runner sent {received!r} where the worker expected {kind!r}.")
        return fields

    def _answer(self, kind: str, fields: object) -> None:
        self.connection.send((kind, fields))
