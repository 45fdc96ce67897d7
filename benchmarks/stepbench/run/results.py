"""From the journal to the records: `benchmark.json` in pytest-benchmark's own format, and `failures.json`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest_benchmark

from stepbench.cases.case import Case
from stepbench.proof.distances import EVENT as DISTANCE
from stepbench.run.after_turns import EVENT as ALONE
from stepbench.run.attempts import Key, Timing, timings
from stepbench.run.benchmark_entry import BenchmarkEntry
from stepbench.run.participants import Role
from stepbench.run.plan import Plan
from stepreports.records.files import read_object, write_json
from stepreports.records.journal import SCHEMA, Event
from stepreports.records.last_attempts import Attempt, Pair, last_attempts

LIMITS = "limits.json"  # of the machine, as they were measured at the beginning: once for a run, however often resumed


def write_results(folder: Path, events: list[Event]) -> None:
    """Write both files of records into the run's folder, each to a temporary name first."""
    header, plan = events[0], Plan.from_json(events[0]["plan"])
    attempts = last_attempts(events)
    timed = timings(attempts)
    not_believed = implausible(plan, timed)
    believed = {key: timing for key, timing in timed.items() if key[0] not in {row for row, _ in not_believed}}
    benchmarks = [entry.to_json() for entry in _entries(header["run_id"], plan, events, believed)]
    document = {
        "machine_info": machine_of(folder, events),
        "commit_info": header["commit"],
        "benchmarks": benchmarks,
        "datetime": header["datetime"],
        "version": pytest_benchmark.__version__,
    }
    failures = {"schema": SCHEMA, "run_id": header["run_id"], "failures": list(_failures(plan, attempts, not_believed))}
    write_json(folder / "benchmark.json", document)
    write_json(folder / "failures.json", failures)


def machine_of(folder: Path, events: Sequence[Event]) -> dict[str, Any]:
    """The machine with its limits, and what there was to say of the run on it.

    other_runs      the most other runs that timed at the same time; None where that could not be known
    resumed_anyway  in what it differed from how the run was begun when it was resumed all the same
    """
    limits = folder / LIMITS
    others = [event["other_runs"] for event in events if event.get("other_runs") is not None]
    anyway = [words for event in events for words in event.get("anyway", ())]
    return {
        **events[0]["machine"],
        **({"limits": read_object(limits)} if limits.is_file() else {}),
        "other_runs": max(others, default=None),
        "resumed_anyway": list(dict.fromkeys(anyway)),
    }


def implausible(plan: Plan, timed: Mapping[Key, Timing]) -> dict[Key, str]:
    """The participants and cases whose time is not to be believed for what their process did, each with the reason.

    Such a row is believed nowhere: what it hides at one size may not show at another.
    """
    cases = {case.name: case for case in plan.cases}
    on_host = {each.key: each.row.device == "cpu" for each in plan.participants if each.role is Role.ROW}
    found = {
        (row, name): timing.conduct(cases[name].threads, on_host=on_host[row]).findings()
        for (row, name), timing in timed.items()
        if row in on_host
    }
    return {key: "; ".join(findings) for key, findings in found.items() if findings}


def _entries(run_id: str, plan: Plan, events: list[Event], timed: Mapping[Key, Timing]) -> Iterator[BenchmarkEntry]:
    """One for each participant and case with a round."""
    started = {(event["participant"], event["generation"]): event for event in events if event["event"] == "started"}
    limits = {(each.row.device, each.storage): each.key for each in plan.participants if each.role is Role.LIMIT}
    told = (event for event in events if event["event"] == DISTANCE)
    distances = {(event["at"], event["storage"]): event["distance"] for event in told}
    alone = {(event["participant"], event["at"]): event for event in events if event["event"] == ALONE}
    nothing = Timing()
    for case in plan.cases:
        for participant in plan.participants:
            key = participant.key
            limit = limits.get((participant.row.device, participant.storage), "")
            timing = timed.get((key, case.name), nothing)
            if timing.rounds:
                yield BenchmarkEntry(
                    run_id=run_id,
                    seed=plan.seed,
                    participant=participant,
                    case=case,
                    timing=timing,
                    starts=[started[key, g] for g in timing.generations if (key, g) in started],
                    alone=alone.get((key, case.name), {}),
                    limit=timed.get((limit, case.name), nothing),
                    distance=distances.get((case.name, participant.storage or ""), {}),
                )


def _failures(
    plan: Plan, attempts: Mapping[Pair, Attempt], not_believed: Mapping[Key, str]
) -> Iterator[dict[str, Any]]:
    """Announced skips first, then what went wrong, in the order it did, then what is not believed."""
    cases = {case.name: case for case in plan.cases}
    for skip in plan.skips:
        about = _case_fields(cases.get(skip.case or ""))
        yield {"row": skip.row, **about, "generation": None, "kind": skip.kind, "reason": skip.reason} | {
            "skipped": not skip.fault
        }
    for (generation, case_name), attempt in attempts.items():
        for event in attempt.failures:
            told = {name: event[name] for name in ("kind", "reason", "skipped")}
            yield {"row": event["participant"], **_case_fields(cases[case_name]), "generation": generation, **told}
    for (row, case_name), reason in not_believed.items():
        told = {"kind": "implausible", "reason": reason, "skipped": False}
        yield {"row": row, **_case_fields(cases[case_name]), "generation": None, **told}


def _case_fields(case: Case | None) -> dict[str, Any]:
    return {
        "case": case.name if case else None,
        "op": case.op if case else None,
        "dtype": case.dtype if case else None,
        "m": case.m if case else None,
        "n": case.n if case else None,
        "dataset": case.dataset if case else None,
    }
