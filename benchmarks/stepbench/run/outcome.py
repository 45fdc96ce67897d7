"""How a run ended: 0 when all that was asked for ran, 1 when something failed or is missing; and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stepbench.run.plan import TIME_BUDGET, Plan
from stepreports.records.files import read_object

Failure = Mapping[str, Any]
IMPLAUSIBLE = "implausible"
TOO_FAST = "it was faster than this machine reads X, a fault of the harness, and is not believed"


def exit_status(folder: Path, plan: Plan) -> tuple[int, list[str]]:
    """The status, and the reasons for it in sentences."""
    failures, timed = _failures(folder), _timed(folder)
    faults = [failure for failure in failures if not failure["skipped"]]
    reasons = [f"{fault['row']} failed {_where(fault)}: {fault['reason']}" for fault in faults]
    told = {fault["row"] for fault in faults}
    known = [*failures, *_beyond_the_limit(folder)]
    reasons += [sentence for row, sentence in _missing(plan, known, timed) if row not in told]
    return (1 if reasons else 0), reasons


def cannot_be_met(plan: Plan) -> list[str]:
    """Which rows that have to be timed will not be, whatever happens in the run, each with the reason."""
    skips = [{"row": each.row, "case": each.case, "kind": each.kind, "reason": each.reason} for each in plan.skips]
    timed = {(each.row.name, case.name) for case in plan.cases for each in plan.taking_part(case) if not each.storage}
    return [sentence for _, sentence in _missing(plan, skips, timed)]


def _where(fault: Failure) -> str:
    return f"on {fault['case']}" if fault["case"] else "before anything was timed"


def _missing(plan: Plan, failures: Sequence[Failure], timed: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The rows that had to have records and have not, each with its sentence.

    One asked for by its name has a record of every case; one required in another way, as all of a device are, of any.
    What --max-time left out was asked for as well.
    """
    for row in dict.fromkeys((*plan.named, *plan.required)):
        cases = [case.name for case in plan.cases]
        without = [case for case in cases if (row, case) not in timed and not _was_cut(failures, row, case)]
        if not without or (row not in plan.named and len(without) < len(cases)):
            continue
        asked = "was required" if row in plan.required else "was asked for by name"
        where = "" if len(without) == len(cases) else f" on {', '.join(without)}"
        about = [each for each in failures if each["row"] == row and each["case"] in (None, *without)]
        ran = any(each["kind"] == IMPLAUSIBLE for each in about)
        did = "has no time to be believed" if ran else "did not run"
        yield row, f"{row} {asked} and {did}{where}: {_why(about)}."


def _why(about: Sequence[Failure]) -> str:
    """The reasons on record, each once."""
    reasons = dict.fromkeys(str(failure["reason"]).rstrip(".") for failure in about)
    return "; ".join(reasons) or "nothing was recorded of it"


def _was_cut(failures: Sequence[Failure], row: str, case: str) -> bool:
    return any((failure["row"], failure["case"], failure["kind"]) == (row, case, TIME_BUDGET) for failure in failures)


def left_out(folder: Path, resume: str) -> str | None:
    """What --max-time left out, and the command to have it, in sentences; None when there was time for everything."""
    cut = dict.fromkeys(failure["case"] for failure in _failures(folder) if failure["kind"] == TIME_BUDGET)
    if not cut:
        return None
    return (
        f"The time given by --max-time was used up before these cases had all their generations: {', '.join(cut)}. "
        f"Time them with: {resume}"
    )


def never_timed(folder: Path) -> str | None:
    """The cases that --max-time left no time for at all, in a sentence; None when each was timed once at the least."""
    timed = {case for _, case in _timed(folder)}
    cut = dict.fromkeys(failure["case"] for failure in _failures(folder) if failure["kind"] == TIME_BUDGET)
    if not (never := [case for case in cut if case not in timed]):
        return None
    return f"The time given by --max-time was used up before these cases were compared at all: {', '.join(never)}."


def _timed(folder: Path) -> set[tuple[str, str]]:
    """The rows and cases that have records to be believed."""
    entries = read_object(folder / "benchmark.json")["benchmarks"]
    about = ("implausible", "storage")  # in another storage it is no record of what was asked for by name
    believed = (entry for entry in entries if not any(entry["extra_info"].get(name) for name in about))
    return {(entry["extra_info"]["row"], entry["params"]["case"]) for entry in believed}


def _beyond_the_limit(folder: Path) -> list[dict[str, Any]]:
    """The records that are not to be believed, as failures: no row reads X sooner than this machine can."""
    entries = read_object(folder / "benchmark.json")["benchmarks"]
    return [
        {"row": entry["extra_info"]["row"], "case": entry["params"]["case"], "kind": IMPLAUSIBLE, "reason": TOO_FAST}
        for entry in entries
        if entry["extra_info"].get("implausible")
    ]


def _failures(folder: Path) -> list[dict[str, Any]]:
    stored: list[dict[str, Any]] = read_object(folder / "failures.json")["failures"]
    return stored
