"""What a run's folder holds, as plain types: cases, rows, records, failures. None is computed from the times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from stepreports.records.beside_times import Distance, Energy, Memory
from stepreports.records.machines import Machine
from stepreports.records.overhead import Overhead
from stepreports.records.turns import Measurement

ITEM_BYTES = {"float32": 4, "float64": 8, "float16": 2, "bfloat16": 2, "int8": 1}


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

    @property
    def in_words(self) -> str:
        """What is done, and at which size."""
        return f"{self.kind} at {self.size}"


@dataclass(frozen=True, slots=True)
class Row:
    """A technique as the records describe it; `own` says that it is a kernel file of the user's."""

    name: str
    library: str
    technique: str
    device: str
    summary: str
    own: bool = False


@dataclass(slots=True, eq=False)  # not frozen: that would take three times as long, of fifty thousand records
class StoredRecord:
    """One row at one case. Times are seconds of one step (a k-step train is divided by k).

    snapshot_seconds  of a snapshot, after another; None where that is not known
    storage   what it keeps X in, where that is narrower than the dtype of the case; else None
    distance  what that costs in accuracy
    """

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
    plans: Sequence[str]
    processors_used: float | None
    peak_memory_bytes: int | None
    memory: Memory | None
    energy: Energy | None
    snapshot_seconds: float | None
    rounds: int
    turns: Measurement
    storage: str | None
    distance: Distance | None

    @property
    def x_bytes(self) -> int:
        """The size of X in the memory of the row."""
        return self.case.m * self.case.n * ITEM_BYTES.get(self.storage or self.case.dtype, 1)

    @property
    def throttled(self) -> bool:
        """Whether its device was throttled, before its rounds or after."""
        states = (self.device_state, self.device_state.get("before"), self.device_state.get("after"))
        return any(bool(state.get("throttled")) for state in states if isinstance(state, dict))

    @property
    def stands_for_its_row(self) -> bool:
        """A plausible record of a row: neither a read kernel nor the second copy of the control row."""
        return not (self.is_limit or self.replica or self.implausible)


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
class StoredRun:
    """A run as its folder holds it. The overhead is None without a journal, the self-test where none was made.

    narrow  the records of rows that keep X in a narrower storage, which `records` has none of: their X is another, and
            they are compared with themselves alone
    losses  a sentence for whatever its journal lost
    """

    folder: Path
    run_id: str
    when: str
    machine: Machine
    commit: Mapping[str, Any]
    records: Sequence[StoredRecord]
    failures: Sequence[Failure]
    overhead: Overhead | None
    self_test: Mapping[str, Any] | None
    losses: Sequence[str]
    narrow: Sequence[StoredRecord] = ()
