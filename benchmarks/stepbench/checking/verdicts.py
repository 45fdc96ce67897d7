"""What a check found, for a person, for a machine and for a step summary: one line a row, and nothing left out."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What can be said of a row. Only `AGREES` says that its numbers on its own device are right.

    DISAGREES  in a trial it computed something else than the truth, or failed where it had given numbers before
    ERROR      it could not be loaded, or failed before it gave a number to judge, though what it needs is there
    NOT_RUN    what it needs, a library or a device, is not there
    """

    AGREES = "agrees"
    DISAGREES = "disagrees"
    ERROR = "error"
    SIMULATED = "simulated"
    COMPILED = "compiled"
    NOT_RUN = "unavailable"

    @property
    def is_fault(self) -> bool:
        """Whether the row itself is at fault, required or not."""
        return self in (Verdict.DISAGREES, Verdict.ERROR)


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
class VisibleChange:
    """How small a mistake the bound can see in data of this size, in one dtype.

    relative_change  for each of J, gw and gb the smallest c for which the truth times 1 ± c would have been rejected;
                     infinite for a field of zeros

    A bound says most where it is narrowest beside its value: one element beyond its own bound is a rejection, so of
    all elements, and of all states judged at this size, the smallest counts. It is the measure of mistakes in the
    whole of a field, such as a wrong divisor. A row's own honest error may hide as much again; what one element or
    one lost row may hide depends on which, and is shown on small and planted problems instead.
    """

    dtype: str
    m: int
    n: int
    relative_change: Mapping[str, float]

    def __str__(self) -> str:
        return f"{self.relative_change['gw']:.1e} of gw, at {self.m:,} × {self.n:,} in {self.dtype}"

    @property
    def size(self) -> tuple[int, int]:
        """What makes data larger: elements of X, and of equally many the longer sums over rows."""
        return self.m * self.n, self.m


@dataclass(frozen=True, slots=True, kw_only=True)
class RowReport:
    """A row's verdict, why, and how much stands behind it.

    worst                     the largest error of each field that passed, in units of its bound
    smallest_visible_changes  one for each dtype, on the largest data that it was judged on
    declarations              what the row declares of itself: "held" by a trial, or "declared" and no more
    declared                  the latter in words
    """

    row: str
    verdict: Verdict
    reason: str = ""
    trials: int = 0
    judged: int = 0
    worst: Mapping[str, float] = field(default_factory=dict)
    smallest_visible_changes: tuple[VisibleChange, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    declarations: Mapping[str, str] = field(default_factory=dict)
    declared: tuple[str, ...] = ()
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.row}: {self.verdict}{f': {self.summary}' if self.summary else ''}"

    @property
    def summary(self) -> str:
        """The reason, or how close to the bound the row came and how much the bound can see."""
        if self.reason or not self.worst:
            return self.reason
        name = max(self.worst, key=lambda name: self.worst[name])
        counts = f"{self.trials} trials, {self.judged} states judged"
        claims = f"; declared: {', '.join(self.declared)}" if self.declared else ""
        return f"{counts}{claims}; worst {name}, at {self.worst[name]:.2f} of its bound{self._sees}"

    @property
    def _sees(self) -> str:
        """Of the dtypes, the one in which least is seen."""
        seen = [each for each in self.smallest_visible_changes if math.isfinite(each.relative_change["gw"])]
        return f"; smallest change it can see: {max(seen, key=lambda each: each.relative_change['gw'])}" if seen else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """The verdicts of a check, and the seed that repeats it.

    required  the rows that must agree, on their own device
    named     the rows that were asked for by name: they must run, if only in a simulator that was asked for too
    """

    rows: tuple[RowReport, ...]
    required: frozenset[str]
    seed: int
    named: frozenset[str] = frozenset()

    @property
    def failures(self) -> tuple[RowReport, ...]:
        """The rows that disagree or fail, and those asked for of which nobody can say that they agree."""
        return tuple(row for row in self.rows if row.verdict.is_fault or row in (*self.unproven, *self.not_run))

    @property
    def unproven(self) -> tuple[RowReport, ...]:
        """The required rows that did not run, or not on their own device."""
        required = (row for row in self.rows if row.row in self.required)
        return tuple(row for row in required if row.verdict is not Verdict.AGREES and not row.verdict.is_fault)

    @property
    def not_run(self) -> tuple[RowReport, ...]:
        """The rows asked for by name that did not run at all, and are not among the required ones."""
        named = (row for row in self.rows if row.row in self.named - self.required)
        return tuple(row for row in named if row.verdict is Verdict.NOT_RUN)

    @property
    def exit_code(self) -> int:
        """0 when every row that ran agrees and every one that was asked for ran, else 1."""
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
