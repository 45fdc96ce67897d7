"""What a submission consists of: the records, what they were made of, and what the harness found of itself."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from stepreports.records.bounded import Count, Name, Ordinal, Told
from stepreports.records.files import RecordError, content_of, read_object
from stepreports.records.journal import NAME as JOURNAL
from stepreports.records.journal import Event, journal_in
from stepreports.records.last_attempts import Attempt, Pair, last_attempts
from stepreports.records.self_test_figures import self_test_file
from stepreports.records.validation import held_to
from stepreports.statistics.runs import Run, load_run

PACKED_JOURNAL = f"{JOURNAL}.gz"
TABLE = "table.csv"
_MOST_BYTES = 10**9  # of a journal that is unpacked


class PlannedRow(Struct):
    """A row of the plan."""

    name: Name


class Planned(Struct):
    """A participant of the plan; `key` is the name by which the journal knows it."""

    row: PlannedRow
    replica: Ordinal
    role: str
    storage: str | None = None

    @property
    def key(self) -> str:
        return key_of(self.row.name, self.replica, self.storage)


class PlannedSkip(Struct):
    """A row that was not to be timed, at a case or at all."""

    row: str
    case: str | None = None


class PlanOfRun(Struct):
    """What a run was to do, as far as it is checked."""

    participants: list[Planned]
    skips: list[PlannedSkip]
    cases: list[Told]
    generations: Count
    turns: Count
    seed: int
    kernels: list[Told] = []
    data: list[Told] = []


def key_of(row: str, replica: int, storage: str | None) -> str:
    """The name by which a journal knows a row, its second copy, or it with X in a storage."""
    return "#".join(map(str, filter(None, (row, replica, storage))))


@dataclass(frozen=True, eq=False)
class Submission:
    """A run with what it was made of.

    benchmarks  the entries of benchmark.json, as they are stored
    events      what of the journal can be believed; empty where there is none, as of runs that were published before
    losses      a sentence for whatever of the journal cannot
    """

    run: Run
    benchmarks: Sequence[Mapping[str, Any]]
    machine: Mapping[str, Any]
    commit: Mapping[str, Any]
    when: str
    events: Sequence[Event]
    losses: Sequence[str]

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.run.folder

    @property
    def header(self) -> Event:
        """The first line of the journal."""
        return self.events[0]

    @cached_property
    def plan(self) -> PlanOfRun:
        """What the run was to do. Raises `RecordError` for a journal that does not say."""
        return held_to(PlanOfRun, self.header.get("plan") or {}, f"{JOURNAL}, line 1, plan")

    @cached_property
    def attempts(self) -> dict[Pair, Attempt]:
        """What counts of the journal."""
        return last_attempts(self.events)

    @cached_property
    def told_times(self) -> list[tuple[str, str]]:
        """Of each line of table.csv the row and the time it tells; empty where there is no table."""
        path = self.folder / TABLE
        if not path.is_file():
            return []
        lines = csv.DictReader(io.StringIO(content_of(path).decode("utf-8", "replace")))
        return [(line.get("row") or "", line.get("seconds_per_step") or "") for line in lines]


def read_submission(folder: Path) -> Submission:
    """The submission in a folder: a run, or one that is published. Raises `RecordError`."""
    run, stored = load_run(folder), read_object(folder / "benchmark.json")
    content = journal_content(folder)
    journal = journal_in(content, folder / JOURNAL) if content is not None else None
    return Submission(
        run=run,
        benchmarks=stored["benchmarks"],
        machine=stored.get("machine_info") or {},
        commit=stored.get("commit_info") or {},
        when=str(stored.get("datetime")),
        events=journal.events if journal else [],
        losses=journal.losses if journal else [],
    )


def journal_content(folder: Path) -> bytes | None:
    """The journal of a run, packed or not; None without one. Raises `RecordError` for one that is no such file."""
    if (folder / JOURNAL).is_file():
        return content_of(folder / JOURNAL)
    packed = folder / PACKED_JOURNAL
    if not packed.is_file():
        return None
    try:
        with gzip.open(packed) as stream:
            content = stream.read(_MOST_BYTES + 1)
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise RecordError(f"{packed} cannot be unpacked ({error}).") from None
    if len(content) > _MOST_BYTES:
        raise RecordError(f"{packed} unpacks to more than {_MOST_BYTES / 1e9:.0f} GB, and is no journal of a run's.")
    return content


def self_test_path(submission: Submission) -> Path | None:
    """The harness's own test of the same machine, beside the run or one folder up."""
    return self_test_file(submission.folder, submission.run.machine)
