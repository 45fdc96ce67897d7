"""What a run holds: its records, its failures, its machine, and the views of them that reports need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from stepreports.records.overhead import Overhead
from stepreports.records.turns import Measurement
from stepreports.statistics.intervals import LEAST_MARGIN, Estimate, self_comparison_spread, spreads

ITEM_BYTES = {"float32": 4, "float64": 8}


class Case(NamedTuple):
    """What is timed, whichever row does it; records of one case take turns and may be divided by one another."""

    op: str
    steps: int
    dtype: str
    optimizer: str
    m: int
    n: int
    dataset: str
    threads: int
    cache: str

    @property
    def x_bytes(self) -> int:
        """The size of X in memory."""
        return self.m * self.n * ITEM_BYTES[self.dtype]

    @property
    def kind(self) -> str:
        """What is done, in words; what nearly every case has is not said."""
        rare = (self.optimizer if self.optimizer != "gd" else "", self.cache if self.cache != "warm" else "")
        return " ".join(filter(None, (self.op, self.dtype, *rare)))

    @property
    def size(self) -> str:
        """The shape of X, and the data set when it is a real one."""
        shape = f"{self.m:,} × {self.n:,}"
        return shape if self.dataset == "synthetic" else f"{self.dataset} ({shape})"


@dataclass(frozen=True, slots=True)
class Row:
    """A technique as the records describe it."""

    name: str
    library: str
    technique: str
    device: str
    summary: str


class Record(NamedTuple):
    """One row at one case. Times are seconds of one step (a k-step train is divided by k)."""

    case: Case
    row: Row
    replica: int
    is_limit: bool
    library_version: str
    train_as_steps: bool
    passes_over_x: int
    bytes_needed: float
    flops_needed: float
    implausible: bool
    agreement: Mapping[str, float]
    import_seconds: Sequence[float]
    bind_seconds: Sequence[float]
    first_call_seconds: Sequence[float]
    copy_to_device_seconds: Sequence[float]
    device_seconds: float | None
    device_state: Mapping[str, Any]
    pools: Mapping[str, int]
    rounds: int
    turns: Measurement
    seconds: Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A row, or a row at a case, that gave no number, and why. `skipped` says it was announced, not a fault."""

    row: str
    case: str | None
    op: str | None
    dtype: str | None
    dataset: str | None
    m: int | None
    n: int | None
    generation: int | None
    kind: str
    skipped: bool
    reason: str


@dataclass(frozen=True, eq=False)
class Run:
    """A finished run. `records` holds everything; the properties are the views that reports need."""

    folder: Path
    run_id: str
    when: str
    machine: Mapping[str, Any]
    commit: Mapping[str, Any]
    records: Sequence[Record]
    failures: Sequence[Failure]
    overhead: Overhead | None
    self_test: Mapping[str, Any] | None

    @cached_property
    def rows(self) -> list[Row]:
        """Every row that was timed, in the order of the records."""
        return list({r.row.name: r.row for r in self.records if not r.is_limit}.values())

    @cached_property
    def cases(self) -> dict[Case, dict[str, Record]]:
        """The plausible records of each case by row name, without the second copy of the control row."""
        found: dict[Case, dict[str, Record]] = defaultdict(dict)
        for record in self.records:
            if not (record.is_limit or record.replica or record.implausible):
                found[record.case][record.row.name] = record
        return dict(found)

    @cached_property
    def records_of(self) -> dict[str, list[Record]]:
        """Everything that was recorded of each row, by its name."""
        found: dict[str, list[Record]] = defaultdict(list)
        for record in self.records:
            found[record.row.name].append(record)
        return dict(found)

    @cached_property
    def limits(self) -> dict[tuple[Case, str], Record]:
        """The read kernel that took turns with the rows of a case, by case and device."""
        return {(record.case, record.row.device): record for record in self.records if record.is_limit}

    @cached_property
    def control_pairs(self) -> list[tuple[Record, Record]]:
        """The control row and its second copy, case by case: one thing measured twice."""
        first = {(r.case, r.row.name): r for r in self.records if r.replica == 0}
        return [(first[r.case, r.row.name], r) for r in self.records if r.replica and (r.case, r.row.name) in first]

    @cached_property
    def own_spread(self) -> float | None:
        """The A/A spread of this run, as a fraction; None when no row ran twice."""
        return self_comparison_spread((a.turns, b.turns) for a, b in self.control_pairs)

    @cached_property
    def margin(self) -> float:
        """The difference below which this run calls nothing different, as a fraction."""
        return max(LEAST_MARGIN, self.own_spread or 0.0)

    @cached_property
    def spreads(self) -> list[float]:
        """How much each record varies from turn to turn, in the order of the records."""
        return spreads(record.turns for record in self.records)

    @property
    def machine_name(self) -> str:
        """The CPU and, where there is one, the GPU."""
        gpus = [gpu.get("model") for gpu in self.machine.get("gpus") or []]
        return " + ".join(str(name) for name in (self.machine.get("cpu"), *gpus[:1]) if name) or "unknown machine"

    @property
    def cache_bytes(self) -> dict[str, int]:
        """The caches of the CPU by name, as reported (in a virtual machine the last level may be the host's)."""
        caches = self.machine.get("caches") or {}
        return {name: size for name, size in caches.items() if isinstance(size, int) and size > 0}

    def row_of_technique(self, technique: str) -> Row | None:
        """The first row of a technique, such as the baselines "interpreted loop" and "matrix form"."""
        return next((row for row in self.rows if row.technique == technique), None)
