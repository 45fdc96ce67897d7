"""The turnstile: where a worker waits at every stage of a case, and tells what came out.

In a run it is the runner's (`runner_turnstile`); the suite on its own has one that lets everything through.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stepbench.cases.case import Case
from stepbench.worker.messages import Bound, Judged
from stepkernels.problem import Config, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A case as a worker receives it.

    before  the file of what the row must give; None for what is not judged
    rounds  how many to time
    """

    case: Case
    problem: Problem
    config: Config
    before: Path | None
    rounds: int


class Turnstile(Protocol):
    """The stages of a case, in order; `wait` and `round_done` once a round."""

    def next_task(self, case: Case) -> Task: ...
    def bound(self, report: Bound) -> None: ...
    def wait(self) -> None: ...
    def round_done(self, seconds: float, device_seconds: float | None) -> None: ...
    def fresh_expectations(self) -> Path | None: ...
    def judged(self, report: Judged) -> None: ...
    def failed(self, kind: str, reason: str) -> None: ...
