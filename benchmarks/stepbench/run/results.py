"""From the journal to the records: `benchmark.json` in pytest-benchmark's own format, and `failures.json`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import pytest_benchmark
from pytest_benchmark.stats import Stats

from stepbench.cases.case import Case
from stepbench.run.participants import Participant, Role
from stepbench.run.plan import TIME_BUDGET, Plan
from stepkernels.interface import Op
from stepreports.records.files import write_json
from stepreports.records.journal import SCHEMA, Event
from stepreports.statistics import intervals

AGREEMENT_FIELDS = ("J", "gw", "gb", "w", "b")
FAULTS_REDONE = frozenset({"crash", "timeout", "error", "memory", "thread-pool", "disagreement", TIME_BUDGET})

Key = tuple[str, str]  # participant, case name


@dataclass(slots=True)
class Attempt:
    """The events of one (generation, case); `closed` when the runner was done with it."""

    events: list[Event] = field(default_factory=list)
    closed: bool = False

    @property
    def failures(self) -> list[Event]:
        return [event for event in self.events if event["event"] == "failure"]


def last_attempts(events: Iterable[Event]) -> dict[tuple[int, str], Attempt]:
    """The last closed attempt at each (generation, case name), in the order of the journal.

    An attempt that was cut off (no `closed` before the next one or the end) counts for nothing.
    """
    attempts: dict[tuple[int, str], Attempt] = {}
    current = Attempt()
    for event in events:
        if event["event"] in ("run", "resumed"):
            current = Attempt()
        elif event["event"] == "closed":
            current.closed = True
            attempts[event["generation"], event["case"]] = current
            current = Attempt()
        elif "case" in event:
            current.events.append(event)
    return attempts


def finished_pairs(events: Iterable[Event]) -> frozenset[tuple[int, str]]:
    """The (generation, case name) pairs a resumed run need not do again: closed, and without a fault."""
    return frozenset(
        pair
        for pair, attempt in last_attempts(events).items()
        if not any(failure["kind"] in FAULTS_REDONE for failure in attempt.failures)
    )


def write_results(folder: Path, events: list[Event]) -> None:
    """Write both files of records into the run's folder, each to a temporary name first."""
    header, plan = events[0], Plan.from_json(events[0]["plan"])
    attempts = last_attempts(events)
    benchmarks = list(_benchmarks(header, plan, attempts, events))
    document = {
        "machine_info": header["machine"],
        "commit_info": header["commit"],
        "benchmarks": benchmarks,
        "datetime": header["datetime"],
        "version": pytest_benchmark.__version__,
    }
    failures = {"schema": SCHEMA, "run_id": header["run_id"], "failures": list(_failures(plan, attempts))}
    write_json(folder / "benchmark.json", document)
    write_json(folder / "failures.json", failures)


def _benchmarks(
    header: Event, plan: Plan, attempts: dict[tuple[int, str], Attempt], events: list[Event]
) -> Iterator[dict[str, Any]]:
    started = {(event["participant"], event["generation"]): event for event in events if event["event"] == "started"}
    failed = {
        (generation, case, failure["participant"])
        for (generation, case), attempt in attempts.items()
        for failure in attempt.failures
    }
    by_key: dict[Key, list[Event]] = {}
    for (generation, case_name), attempt in sorted(attempts.items()):
        for event in attempt.events:
            if (generation, case_name, event["participant"]) not in failed:
                by_key.setdefault((event["participant"], case_name), []).append(event)
    limits = {
        (each.row.device, case): found
        for each in plan.participants
        for (key, case), found in by_key.items()
        if each.role is Role.LIMIT and each.key == key
    }
    for case in plan.cases:
        for participant in plan.participants:
            found = by_key.get((participant.key, case.name), [])
            if any(event["event"] == "round" for event in found):
                starts = [started[participant.key, g] for g in _generations(found) if (participant.key, g) in started]
                limit = limits.get((participant.row.device, case.name), [])
                yield _benchmark(header, plan, participant, case, found, starts, limit)


def _benchmark(
    header: Event,
    plan: Plan,
    participant: Participant,
    case: Case,
    events: list[Event],
    starts: list[Event],
    limit: list[Event],
) -> dict[str, Any]:
    row = participant.row
    bound = [event for event in events if event["event"] == "bound"]
    rounds = [event for event in events if event["event"] == "round"]
    stats = Stats()
    for seconds in _all_seconds(events):
        stats.update(seconds)
    name = f"{case.op}[{participant.key}-{case.name}]"
    return {
        "group": case.name,
        "name": name,
        "fullname": f"stepbench/suite::{name}",
        "params": {"row": participant.key, "case": case.name},
        "param": f"{participant.key}-{case.name}",
        "extra_info": {
            "schema": SCHEMA,
            "run_id": header["run_id"],
            "role": str(participant.role),
            "row": row.name,
            "replica": participant.replica,
            "library": row.library,
            "library_version": starts[-1]["library_version"] if starts else "unknown",
            "technique": row.technique,
            "summary": row.summary,
            "device": row.device,
            **case.to_json(),
            "train_as_steps": case.op == Op.TRAIN and Op.TRAIN not in row.ops,
            "pools": bound[-1]["pools"],
            "generation": [event["generation"] for event in rounds],
            "turn": [event["turn"] for event in rounds],
            "order": [event["order"] for event in rounds],
            "seed": plan.seed,
            "passes_over_x": row.passes_over_x,
            "bytes": case.bytes,
            "flops": case.flops,
            "limit_seconds": median(_all_seconds(limit)) if _all_seconds(limit) else None,
            "agreement": _worst_agreement(events),
            "import_seconds": [event["import_seconds"] for event in starts],
            "bind_seconds": [event["bind_seconds"] for event in bound],
            "first_call_seconds": [event["first_call_seconds"] for event in bound],
            "copy_to_device_seconds": _copies(bound),
            "device_seconds": _device_seconds(rounds),
            "device_state": next((event["device_state"] for event in events if event.get("device_state")), None),
            "peak_memory_bytes": max(
                (event["peak_memory_bytes"] for event in events if event["event"] == "judged"), default=None
            ),
            "implausible": participant.role is Role.ROW and _beats(events, limit),
        },
        "options": {"timer": "stepbench.worker.measure.Clock", "disable_gc": True},
        "stats": {**stats.as_dict(), "data": stats.data, "iterations": bound[-1]["iterations"]},
    }


def _failures(plan: Plan, attempts: dict[tuple[int, str], Attempt]) -> Iterator[dict[str, Any]]:
    """Announced skips first, then what went wrong, in the order it did."""
    cases = {case.name: case for case in plan.cases}
    for skip in plan.skips:
        yield _failure(skip.row, cases.get(skip.case or ""), None, skip.kind, skip.reason, skipped=True)
    for (generation, case_name), attempt in attempts.items():
        for event in attempt.failures:
            yield _failure(
                event["participant"],
                cases[case_name],
                generation,
                event["kind"],
                event["reason"],
                skipped=event["skipped"],
            )


def _failure(
    row: str, case: Case | None, generation: int | None, kind: str, reason: str, *, skipped: bool
) -> dict[str, Any]:
    return {
        "row": row,
        "case": case.name if case else None,
        "op": case.op if case else None,
        "dtype": case.dtype if case else None,
        "m": case.m if case else None,
        "n": case.n if case else None,
        "dataset": case.dataset if case else None,
        "generation": generation,
        "kind": kind,
        "reason": reason,
        "skipped": skipped,
    }


def _all_seconds(events: Iterable[Event]) -> list[float]:
    return [event["seconds"] for event in events if event["event"] == "round"]


def _beats(events: list[Event], limit: list[Event]) -> bool:
    """Whether the row is faster than the limit over the whole interval of the within-turn ratio: it cannot be."""
    ratio = intervals.ratio(turns_of(events), turns_of(limit))
    return ratio is not None and ratio.high < 1.0


def turns_of(events: Iterable[Event]) -> dict[tuple[int, int], float]:
    """The seconds of each (generation, turn) among the events of one participant and case."""
    return {(event["generation"], event["turn"]): event["seconds"] for event in events if event["event"] == "round"}


def _copies(bound: list[Event]) -> list[float] | None:
    """Seconds of copying X to a GPU, one a generation; None for a CPU row, which reads X where it lies."""
    copies = [event["copy_to_device_seconds"] for event in bound]
    return None if None in copies else copies


def _device_seconds(rounds: list[Event]) -> list[float] | None:
    """Seconds by the device's own clock, one a round; None where it has none."""
    seconds = [event["device_seconds"] for event in rounds]
    return None if None in seconds else seconds


def _generations(events: list[Event]) -> list[int]:
    return sorted({event["generation"] for event in events})


def _worst_agreement(events: list[Event]) -> dict[str, float | None]:
    """The worst error of each field over every check of the case, in units of its bound; None where not computed."""
    checks = [event["agreement"] for event in events if event.get("agreement")]
    return {name: max((check[name] for check in checks if name in check), default=None) for name in AGREEMENT_FIELDS}
