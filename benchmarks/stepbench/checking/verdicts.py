"""What a check found, for a person, for a machine and for a step summary: one line a row, and nothing left out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What can be said of a row. Only `AGREES` says that its numbers on its own device are right."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    SIMULATED = "simulated"
    COMPILED = "compiled"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """A trial that a row failed. `error` is in units of the bound, infinite where that has no measure."""

    trial: str
    data: str
    field: str
    error: float
    sentence: str

    def __str__(self) -> str:
        return f"{self.trial}: {self.sentence}; {self.data}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReport:
    """A row's verdict, why, and how much stands behind it."""

    row: str
    verdict: Verdict
    reason: str = ""
    trials: int = 0
    judged: int = 0
    worst: Mapping[str, float] = field(default_factory=dict)
    disagreements: tuple[Disagreement, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.row}: {self.verdict}{f': {self.summary}' if self.summary else ''}"

    @property
    def summary(self) -> str:
        """The reason, or how close to the bound the row came."""
        if self.reason or not self.worst:
            return self.reason
        name = max(self.worst, key=lambda name: self.worst[name])
        return (
            f"{self.trials} trials, {self.judged} states judged; worst {name}, at {self.worst[name]:.2f} of its bound"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The verdicts of a check, the rows that were required, and the seed that repeats it."""

    rows: tuple[RowReport, ...]
    required: frozenset[str]
    seed: int

    @property
    def failures(self) -> tuple[RowReport, ...]:
        """The rows that disagree, and the required ones of which nobody can say that they agree."""
        return tuple(row for row in self.rows if row.verdict is Verdict.DISAGREES or row in self.unproven)

    @property
    def unproven(self) -> tuple[RowReport, ...]:
        """The required rows that did not run, or not on their own device."""
        known = (Verdict.AGREES, Verdict.DISAGREES)
        return tuple(row for row in self.rows if row.row in self.required and row.verdict not in known)

    @property
    def exit_code(self) -> int:
        """0 when every row that ran agrees and every required one ran, else 1."""
        return 1 if self.failures else 0

    def to_json(self) -> str:
        """The whole report; an error that has no measure is null."""
        rows = [asdict(row) for row in self.rows]
        content = {"seed": self.seed, "required": sorted(self.required), "exit_code": self.exit_code, "rows": rows}
        return json.dumps(_finite(content), indent=1, allow_nan=False) + "\n"

    def markdown_lines(self) -> list[str]:
        """A table for a step summary, one line a row."""
        lines = ["| row | verdict | |", "|---|---|---|"]
        for row in self.rows:
            required = " (required)" if row.row in self.required else ""
            mark = "**" if row in self.failures else ""
            text = row.summary.replace("|", "\\|").replace("\n", " ")
            lines.append(f"| {row.row}{required} | {mark}{row.verdict}{mark} | {text} |")
        return [*lines, "", f"Seed {self.seed}."]


def _finite(value: Any) -> Any:
    """The value with every number that JSON cannot hold replaced by null."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case dict():
            return {key: _finite(each) for key, each in value.items()}
        case list() | tuple():
            return [_finite(each) for each in value]
    return value
