"""A run with what is computed of it: an estimate for each record, and the views of them that reports need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any

from stepreports.records.machines import gpu_models, in_full
from stepreports.records.reader import read_run
from stepreports.records.stored import Case, Row, StoredRecord, StoredRun
from stepreports.statistics.intervals import Estimate, estimates, spreads
from stepreports.statistics.margins import Margins, Place, margins_of, place_of_case
from stepreports.statistics.steadiness import NOT_LOOKED_AT, Steadiness, steadiness

_MOST_CACHE_BYTES = 2**40


@dataclass(slots=True, eq=False)
class Record(StoredRecord):
    """A stored record with its estimate, in seconds of one step: the median of its turns, and its interval.

    steadiness  whether its turns are of one kind that stays where it is
    """

    seconds: Estimate
    steadiness: Steadiness = NOT_LOOKED_AT


@dataclass(frozen=True, eq=False)
class Run(StoredRun):
    """A finished run. `records` holds everything; the properties are the views that reports need."""

    records: Sequence[Record]
    narrow: Sequence[Record] = ()

    @cached_property
    def rows(self) -> list[Row]:
        """Every row that was timed, in the order of the records."""
        return list({r.row.name: r.row for r in self.records if not r.is_limit}.values())

    @cached_property
    def cases(self) -> dict[Case, dict[str, Record]]:
        """The records of each case that stand for their rows, by row name."""
        found: dict[Case, dict[str, Record]] = defaultdict(dict)
        for record in self.records:
            if record.stands_for_its_row:
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
    def margins(self) -> Margins:
        """How far this run's control row lay from itself, by the place in which its cases find X."""
        return margins_of((self.place_of(a.case), a.turns, b.turns) for a, b in self.control_pairs)

    def place_of(self, case: Case) -> Place:
        """Where a case finds X on the run's machine."""
        return place_of_case(case, self.cache_bytes)

    def margin_of(self, case: Case) -> float:
        """The difference below which nothing at this case is called different, as a fraction."""
        return self.margins.at(self.place_of(case))

    @cached_property
    def spreads(self) -> list[float]:
        """How much each record varies from turn to turn, in the order of the records."""
        return spreads(record.turns for record in self.records)

    @property
    def machine_name(self) -> str:
        """The CPU and, where there is one, the GPU."""
        names = (self.machine.get("cpu"), *gpu_models(self.machine)[:1])
        return " + ".join(str(name) for name in names if name) or "unknown machine"

    @property
    def machine_in_full(self) -> str:
        """The name with what tells processors of that name apart."""
        return in_full(self.machine_name, self.machine)

    @property
    def cache_bytes(self) -> dict[str, int]:
        """The caches of the CPU by name, as reported (in a virtual machine the last level may be the host's)."""
        caches = self.machine.get("caches") or {}
        return {name: size for name, size in caches.items() if isinstance(size, int) and 0 < size < _MOST_CACHE_BYTES}

    def row_of_technique(self, technique: str) -> Row | None:
        """The first row of a technique, such as the baselines "interpreted loop" and "matrix form"."""
        return next((row for row in self.rows if row.technique == technique), None)


def load_run(folder: Path) -> Run:
    """The run stored in a folder. Raises `RecordError`."""
    stored = read_run(folder)
    estimated = {"records": _estimated(stored.records), "narrow": _estimated(stored.narrow)}
    run = Run(**{each.name: getattr(stored, each.name) for each in fields(stored)} | estimated)
    everything = [*run.records, *run.narrow]
    margins = [run.margin_of(record.case) for record in everything]
    for record, turns in zip(everything, steadiness((each.turns for each in everything), margins), strict=True):
        record.steadiness = turns
    return run


def _estimated(records: Sequence[StoredRecord]) -> list[Record]:
    found = estimates(record.turns for record in records)
    return [Record(*(*_stored(record), seconds)) for record, seconds in zip(records, found, strict=True)]


_stored: Callable[[StoredRecord], tuple[Any, ...]] = attrgetter(*(each.name for each in fields(StoredRecord)))
