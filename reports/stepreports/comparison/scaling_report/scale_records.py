"""A scaling as it is stored: the turns of every participant, what steps on ranks are made of, and what failed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from stepreports.records.bounded import Count, Duration, Name
from stepreports.records.files import RecordError, content_of, write_whole
from stepreports.records.journal import SCHEMA

FILE = "scale.json"


class Timed(Struct, kw_only=True):
    """The turns of a participant at a case: (generation, turn, seconds). `ranks` is None for a single process.

    threads  how many it computes with: 1 for a row that has no more, one for each rank, else all that a process may use
    shares   how many shares of a rank the case consists of in weak scaling; 1 in strong
    """

    row: Name
    replica: int
    ranks: Count | None
    threads: Count
    shares: Count
    m: Count
    n: Count
    dtype: Name
    turns: list[tuple[int, int, Duration]]


class Parts(Struct, kw_only=True):
    """What steps on so many ranks are made of: for each round, and each step of it, seconds.

    step     the whole step, as rank 0 has it
    slowest  that of all ranks which computed longest; middle: the median of them, the faster of two in the middle
    reading  of ranks that only read their shares, the slowest
    link     what a step took beside reading
    """

    ranks: Count
    m: Count
    n: Count
    dtype: Name
    step_seconds: list[list[Duration]] = field(default_factory=list)
    slowest_seconds: list[list[Duration]] = field(default_factory=list)
    middle_seconds: list[list[Duration]] = field(default_factory=list)
    reading_seconds: list[list[Duration]] = field(default_factory=list)
    link_seconds: list[list[float]] = field(default_factory=list)


class Failed(Struct, kw_only=True):
    """A participant that has no time at a case, and why."""

    participant: Name
    m: Count
    n: Count
    dtype: Name
    reason: str


class ScaleRecord(Struct, kw_only=True):
    """Everything that was measured. `processors` are those that a single process may use, on one of the `hosts`."""

    row: Name
    weak: bool
    ranks: list[Count]
    processors: Count
    hosts: Count
    machine: dict[str, Any]
    schema: int = SCHEMA
    timed: list[Timed] = field(default_factory=list)
    parts: list[Parts] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)


def write_record(folder: Path, record: ScaleRecord) -> Path:
    """Write scale.json into the folder."""
    return write_whole(folder / FILE, msgspec.json.format(msgspec.json.encode(record), indent=1))


def read_record(folder: Path) -> ScaleRecord:
    """The record in a folder. Raises `RecordError` for anything else."""
    path = folder / FILE
    try:
        return msgspec.json.decode(content_of(path), type=ScaleRecord)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise RecordError(f"{path} is no scaling that this version wrote ({error}). Measure it again.") from None
