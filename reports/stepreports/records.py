"""The records of a run, read and validated once: the only place that knows how a run is stored.

A run is a folder with `benchmark.json` (pytest-benchmark's format, everything else in each entry's `extra_info`)
and `failures.json`; a journal and the harness's self-test may lie beside them. Rounds are reduced to the median of
each turn as they are read; the rounds stay in the file.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from stepreports.files import RecordError, read_object
from stepreports.intervals import Estimate, Turns, estimates, margin_of, self_comparison_spread
from stepreports.overhead import Overhead, overhead_of
from stepreports.self_test import self_test_of

__all__ = ["ITEM_BYTES", "SCHEMA", "Case", "Failure", "Record", "RecordError", "Row", "Run", "load_run"]

SCHEMA = 1
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
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
    device_turns: Turns
    device_state: Mapping[str, Any]
    pools: Mapping[str, int]
    rounds: int
    turns: Turns
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
        return margin_of((a.turns, b.turns) for a, b in self.control_pairs)

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


def load_run(folder: Path) -> Run:
    """The run stored in a folder. Raises `RecordError`."""
    stored = _read_json(folder / "benchmark.json")
    entries = _member(stored, "benchmarks", list, "benchmark.json")
    failures = _read_json(folder / "failures.json")
    _require_schema(failures, "failures.json")
    records = _records(entries)
    machine = stored.get("machine_info") or {}
    run_id = failures.get("run_id") or next((e["extra_info"]["run_id"] for e in entries), folder.name)
    return Run(
        folder=folder,
        run_id=str(run_id),
        when=str(stored.get("datetime", "")),
        machine=machine,
        commit=stored.get("commit_info") or {},
        records=records,
        failures=[_failure(entry) for entry in _member(failures, "failures", list, "failures.json")],
        overhead=overhead_of(folder),
        self_test=self_test_of(folder, machine),
    )


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise RecordError(f"{path} does not exist; a run's folder holds benchmark.json and failures.json.")
    return read_object(path)


def _member(stored: Mapping[str, Any], name: str, kind: type, where: str) -> Any:
    value = stored.get(name)
    if not isinstance(value, kind):
        raise RecordError(f"{where} has no {name!r}; it was not written by `stepbench run`.")
    return value


def _require_schema(stored: Mapping[str, Any], where: str) -> None:
    schema = stored.get("schema")
    if schema is None:
        raise RecordError(f"{where} names no schema; it was not written by `stepbench run`.")
    if schema != SCHEMA:
        advice = "run the benchmark again" if isinstance(schema, int) and schema < SCHEMA else "update stepbench"
        raise RecordError(f"{where} has schema {schema!r}; this report reads schema {SCHEMA}: {advice}.")


def _records(entries: Iterable[Mapping[str, Any]]) -> list[Record]:
    parsed = [_parse(entry) for entry in entries]
    found = estimates([fields["turns"] for fields in parsed])
    rows: dict[Row, Row] = {}  # one object for equal rows: fifty thousand records name a dozen
    return [
        Record(**{**fields, "row": rows.setdefault(fields["row"], fields["row"])}, seconds=seconds)
        for fields, seconds in zip(parsed, found, strict=True)
    ]


def _parse(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `Record` but its estimate, which is computed for all records at once."""
    if not isinstance(entry, dict):
        raise RecordError(f"benchmark.json has an entry that is a {type(entry).__name__}, not a record.")
    where = f"benchmark.json, {entry.get('fullname', 'an entry')}"
    info = _member(entry, "extra_info", dict, where)
    _require_schema(info, where)
    try:
        return _fields(info, entry["stats"]["data"])
    except KeyError as error:
        raise RecordError(f"{where} has no {error}; the file is not complete. Run again, or resume the run.") from error
    except (TypeError, ValueError) as error:
        raise RecordError(f"{where} cannot be read: {error}.") from error


def _fields(info: Mapping[str, Any], rounds: Sequence[float]) -> dict[str, Any]:
    case = Case(*(info[name] for name in Case._fields))
    if case.dtype not in ITEM_BYTES:
        raise ValueError(f"its dtype is {case.dtype!r}")
    return {
        "case": case,
        "row": Row(info["row"], info["library"], info["technique"], info["device"], info.get("summary", "")),
        "replica": info["replica"],
        "is_limit": info["role"] == "limit",
        "library_version": str(info["library_version"]),
        "train_as_steps": info["train_as_steps"],
        "passes_over_x": info["passes_over_x"],
        "bytes_needed": info["bytes"],
        "flops_needed": info["flops"],
        "implausible": info["implausible"],
        "agreement": {name: error for name, error in (info["agreement"] or {}).items() if error is not None},
        "device_turns": _turns(info, info["device_seconds"], case.steps) if info.get("device_seconds") else {},
        "device_state": info.get("device_state") or {},
        "pools": info["pools"] or {},
        "rounds": len(rounds),
        "turns": _turns(info, rounds, case.steps),
    } | {name: _one_a_generation(info.get(name)) for name in _START_COSTS}


_START_COSTS = ("import_seconds", "bind_seconds", "first_call_seconds", "copy_to_device_seconds")


def _one_a_generation(values: Sequence[float | None] | None) -> list[float]:
    return [value for value in values or () if value is not None]


def _turns(info: Mapping[str, Any], rounds: Sequence[float], steps: int) -> Turns:
    """The median seconds of a step in each (generation, turn), in their order."""
    if not rounds:
        raise ValueError("it has no rounds")
    for seconds in rounds:
        if not 0 < seconds < math.inf:
            raise ValueError(f"one of its rounds took {seconds!r} seconds")
    layout = _layout(tuple(info["generation"]), tuple(info["turn"]))
    if sum(map(len, layout.values())) != len(rounds):
        raise ValueError(f"it has {len(rounds)} rounds, but generations and turns of another number")
    return {
        turn: (rounds[places[0]] if len(places) == 1 else median([rounds[place] for place in places])) / steps
        for turn, places in layout.items()
    }


@lru_cache(maxsize=64)
def _layout(generations: tuple[int, ...], turns: tuple[int, ...]) -> dict[tuple[int, int], list[int]]:
    """The places of each turn's rounds. Most records of a run share one layout, and so the objects of its keys."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, turn in enumerate(zip(generations, turns, strict=True)):
        found[turn].append(place)
    return dict(sorted(found.items()))


def _failure(entry: Mapping[str, Any]) -> Failure:
    try:
        return Failure(
            row=entry["row"],
            kind=entry["kind"],
            skipped=bool(entry["skipped"]),
            reason=entry["reason"],
            **{name: entry.get(name) for name in ("case", "op", "dtype", "dataset", "m", "n", "generation")},
        )
    except (KeyError, TypeError) as error:
        raise RecordError(f"failures.json has an entry that cannot be read ({error}); it is not complete.") from error
