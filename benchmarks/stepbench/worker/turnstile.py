"""The turnstile: where a worker waits at every stage of a case, and tells what came out.

In a run it is the runner's (`runner_turnstile`); the suite on its own has one that lets everything through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

import msgspec

from stepbench.cases.case import Case
from stepbench.worker.messages import Question
from stepkernels.interface import Implementation
from stepkernels.problem import Config, Problem

AnyQuestion = TypeVar("AnyQuestion", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A case as a worker receives it; `rounds` is how many to time. X and y are in read-only pages.

    x_offset_bytes  how far into its first page X begins, and so does that of each copy
    """

    case: Case
    problem: Problem
    config: Config
    rounds: int
    x_offset_bytes: int = 0


class Turnstile(Protocol):
    """A case is taken, then questions about it are answered one by one."""

    def next_task(self, row: Implementation, case: Case) -> Task: ...
    def question(self) -> Question: ...
    def expect(self, kind: type[AnyQuestion]) -> AnyQuestion: ...
    def answer(self, message: msgspec.Struct) -> None: ...
    def failed(self, kind: str, reason: str) -> None: ...
