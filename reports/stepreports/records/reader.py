"""The records of a run, read and validated once: the only place that knows how a run is stored.

A run is a folder with `benchmark.json` (pytest-benchmark's format, everything else in each entry's `extra_info`)
and `failures.json`; a journal and the harness's self-test may lie beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from stepreports.records.beside_times import Energy
from stepreports.records.files import RecordError, content_of, read_object
from stepreports.records.journal import journal_for_report
from stepreports.records.machine_schema import Machine
from stepreports.records.overhead import overhead_in
from stepreports.records.schema import SCHEMA, BenchmarkFile, Entry, FailureEntry, FailuresFile, Info
from stepreports.records.self_test_figures import self_test_of
from stepreports.records.stored import Case, Failure, Row, StoredRecord, StoredRun
from stepreports.records.turns import Floats, Layout, Measurement, layout_of
from stepreports.records.validation import held_to, one_line, visible

Places = NDArray[np.intp]

# What the statistics can be had of; a run has some hundred turns in a handful of generations.
_MOST_ROUNDS, _MOST_GENERATIONS = 10_000, 64
_LEAST_SECONDS, _MOST_SECONDS = 1e-15, 1e9
_MOST_ELEMENTS = 2**60
_DEEPEST = 12  # levels of what is told of the machine


def read_run(folder: Path) -> StoredRun:
    """The run stored in a folder. Raises `RecordError`."""
    stored = _benchmarks(_present(folder / "benchmark.json"))
    failures = _failures(_present(folder / "failures.json"))
    machine = _machine(stored.machine_info or {})
    journal = journal_for_report(folder)
    records = [_parse(entry) for entry in stored.benchmarks]
    run_id = failures.run_id or next((entry.extra_info.run_id for entry in stored.benchmarks), folder.name)
    return StoredRun(
        folder=folder,
        run_id=visible(run_id),
        when=one_line(stored.datetime, 60),
        machine=machine,
        commit=_legible(stored.commit_info or {}, "benchmark.json, commit_info"),
        records=[record for record in records if record.storage is None],
        narrow=[record for record in records if record.storage is not None],
        failures=list(map(_failure, failures.failures)),
        overhead=overhead_in(journal.events),
        self_test=self_test_of(folder, machine),
        losses=journal.losses,
    )


def _present(path: Path) -> Path:
    if not path.is_file():
        raise RecordError(f"{path} does not exist; a run's folder holds benchmark.json and failures.json.")
    return path


def _benchmarks(path: Path) -> BenchmarkFile:
    """Fast where everything is as it must be; where it is not, read once more to tell the first thing that is wrong."""
    try:
        stored = msgspec.json.decode(content_of(path), type=BenchmarkFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        stored = _told_apart(read_object(path))
    for entry in stored.benchmarks:
        if entry.extra_info.schema != SCHEMA:
            _require_schema({"schema": entry.extra_info.schema}, "benchmark.json")
    return stored


def _told_apart(stored: Mapping[str, Any]) -> BenchmarkFile:
    """Held to the schema entry by entry, so that the entry is named. Raises `RecordError`."""
    entries = stored.get("benchmarks")
    for place, entry in enumerate(entries if isinstance(entries, list) else ()):
        name = entry.get("fullname") if isinstance(entry, dict) else None
        where = f"benchmark.json, {one_line(name, 200) if isinstance(name, str) else f'benchmarks[{place}]'}"
        if isinstance(entry, dict) and isinstance(entry.get("extra_info"), dict):
            _require_schema(entry["extra_info"], where)
        held_to(Entry, entry, where)
    return held_to(BenchmarkFile, stored, "benchmark.json")


def _failures(path: Path) -> FailuresFile:
    stored = read_object(path)
    _require_schema(stored, "failures.json")
    return held_to(FailuresFile, stored, "failures.json")


def _require_schema(stored: Mapping[str, Any], where: str) -> None:
    schema = stored.get("schema")
    if schema is None:
        raise RecordError(f"{where} names no schema; it was not written by `stepbench run`.")
    if schema != SCHEMA:
        advice = "run the benchmark again" if isinstance(schema, int) and schema < SCHEMA else "update stepbench"
        raise RecordError(f"{where} has schema {schema!r}; this report reads schema {SCHEMA}: {advice}.")


def _machine(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of the machine: everything, legible, of which what is computed with is as it must be."""
    held_to(Machine, told, "benchmark.json, machine_info")
    return _legible(told, "benchmark.json, machine_info")


def _legible(told: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Names and text made visible, whatever is told. Raises `RecordError` for what is nested without end."""

    def legible(value: Any, levels: int) -> Any:
        if not levels:
            raise RecordError(f"{where} cannot be read: it is nested more than {_DEEPEST} levels deep.")
        match value:
            case str():
                return visible(value)
            case dict():
                return {visible(name): legible(inside, levels - 1) for name, inside in value.items()}
            case list():
                return [legible(inside, levels - 1) for inside in value]
        return value

    return {visible(name): legible(value, _DEEPEST) for name, value in told.items()}


def _parse(entry: Entry) -> StoredRecord:
    try:
        return _record(entry.extra_info, entry.stats.data)
    except ValueError as error:
        raise RecordError(f"benchmark.json, {one_line(entry.fullname, 200)} cannot be read: {error}.") from None


def _record(info: Info, rounds: Sequence[float]) -> StoredRecord:
    case = _case(*_CASE(info))
    layout, seconds = _turns(info, rounds, case.steps, "stats.data")
    return StoredRecord(
        case=case,
        row=_row(info.row, info.library, info.technique, info.device, info.summary, info.own_kernel),
        replica=info.replica,
        is_limit=info.role == "limit",
        library_version=_visible_name(info.library_version),
        train_as_steps=info.train_as_steps,
        passes_over_x=info.passes_over_x,
        bytes_needed=info.bytes,
        flops_needed=info.flops,
        implausible=info.implausible,
        agreement={name: error for name, error in (info.agreement or {}).items() if error is not None},
        import_seconds=_known(info.import_seconds),
        bind_seconds=_known(info.bind_seconds),
        first_call_seconds=_known(info.first_call_seconds),
        copy_to_device_seconds=_known(info.copy_to_device_seconds),
        device_seconds=_typical_on_device(info, case.steps),
        device_state=info.device_state or {},
        pools=info.pools or {},
        plans=list(dict.fromkeys(visible(plan) for plan in info.plan or [] if plan)),
        processors_used=info.processors_used,
        peak_memory_bytes=info.peak_memory_bytes,
        memory=info.memory,
        energy=_of_one_step(info.energy, case.steps),
        snapshot_seconds=info.snapshot_seconds,
        rounds=len(rounds),
        turns=Measurement(layout, seconds),
        storage=info.storage,
        distance=info.distance,
    )


_CASE = attrgetter(*Case._fields)
_visible_name = lru_cache(maxsize=2**12)(visible)


@lru_cache(maxsize=2**16)
def _case(*values: Any) -> Case:
    """One object for equal cases, which are what everything is looked up by."""
    case = Case(*values)._replace(dataset=visible(Case(*values).dataset))
    if case.m * case.n > _MOST_ELEMENTS:
        raise ValueError(f"its m and n are {case.m:,} and {case.n:,}, more than any machine holds")
    return case


@lru_cache(maxsize=256)
def _row(name: str, library: str, technique: str, device: str, summary: str, own: bool) -> Row:
    """One object for equal rows: fifty thousand records name a dozen."""
    return Row(visible(name), visible(library), visible(technique), device, one_line(summary), own)


def _known(one_a_generation: Sequence[float | None] | None) -> list[float]:
    return [value for value in one_a_generation or () if value is not None]


def _typical_on_device(info: Info, steps: int) -> float | None:
    """The median seconds of a step by the device's own clock; None without one."""
    rounds = info.device_seconds
    return float(np.median(_turns(info, rounds, steps, "device_seconds")[1])) if rounds else None


def _turns(info: Info, rounds: Sequence[float], steps: int, field: str) -> tuple[Layout, Floats]:
    """The seconds of a step in each turn."""
    seconds = _seconds(rounds, field)
    for name in ("generation", "turn"):
        if len(getattr(info, name)) != len(seconds):
            raise ValueError(f"it has {len(seconds)} rounds in {field}, and {len(getattr(info, name))} in {name}")
    layout, order = _order(tuple(info.generation), tuple(info.turn))
    return layout, seconds[order] / steps


def _of_one_step(energy: Energy | None, steps: int) -> Energy | None:
    return structs.replace(energy, joules=energy.joules / steps) if energy else None


def _seconds(rounds: Sequence[float], field: str) -> Floats:
    seconds = np.array(rounds, dtype=float)
    if not len(seconds):
        raise ValueError(f"it has no rounds in {field}")
    if len(seconds) > _MOST_ROUNDS:
        raise ValueError(f"it has {len(seconds):,} rounds in {field}, and {_MOST_ROUNDS:,} at most can be told of")
    possible = (seconds >= _LEAST_SECONDS) & (seconds <= _MOST_SECONDS)
    if not possible.all():
        raise ValueError(f"one of its rounds took {seconds[~possible][0]} seconds (in {field})")
    return seconds


@lru_cache(maxsize=64)
def _order(generations: tuple[int, ...], turns: tuple[int, ...]) -> tuple[Layout, Places]:
    """The turns in their order, and the place of each one's round. Most records of a run share one."""
    found = list(zip(generations, turns, strict=True))
    if len(set(generations)) > _MOST_GENERATIONS:
        raise ValueError(f"it has {len(set(generations)):,} generations, and {_MOST_GENERATIONS} at most are told of")
    layout = layout_of(tuple(sorted(set(found))))
    if len(layout.turns) < len(found):
        raise ValueError("two of its rounds are of one turn, as earlier versions had it: run the benchmark again")
    return layout, np.array(sorted(range(len(found)), key=found.__getitem__))


def _failure(entry: FailureEntry) -> Failure:
    return Failure(
        row=one_line(entry.row),
        kind=one_line(entry.kind),
        skipped=entry.skipped,
        reason=one_line(entry.reason),
        case=_line_or_none(entry.case),
        op=_line_or_none(entry.op),
        dtype=_line_or_none(entry.dtype),
        dataset=_line_or_none(entry.dataset),
        m=entry.m,
        n=entry.n,
        generation=entry.generation,
    )


def _line_or_none(text: str | None) -> str | None:
    return None if text is None else one_line(text)
