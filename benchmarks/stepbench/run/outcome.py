"""How a run ended: 0 when all that was asked for ran, 1 when something failed or is missing; and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stepbench.run.plan import TIME_BUDGET, Plan
from stepreports.records.files import read_object

Failure = Mapping[str, Any]


def exit_status(folder: Path, plan: Plan) -> tuple[int, list[str]]:
    """The status, and the reasons for it in sentences."""
    failures, timed = _failures(folder), _timed(folder)
    faults = [failure for failure in failures if not failure["skipped"]]
    reasons = [f"{fault['row']} failed {_where(fault)}: {fault['reason']}" for fault in faults]
    told = {fault["row"] for fault in faults}
    reasons += [sentence for row, sentence in _missing(plan, failures, timed) if row not in told]
    return (1 if reasons else 0), reasons


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
        yield row, f"{row} {asked} and did not run{where}: {_why(failures, row, without)}."


def _why(failures: Sequence[Failure], row: str, cases: Sequence[str]) -> str:
    """The reasons on record, each once."""
    about = [failure for failure in failures if failure["row"] == row and failure["case"] in (None, *cases)]
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


def _timed(folder: Path) -> set[tuple[str, str]]:
    """The rows and cases that have records."""
    entries = read_object(folder / "benchmark.json")["benchmarks"]
    return {(entry["extra_info"]["row"], entry["params"]["case"]) for entry in entries}


def _failures(folder: Path) -> list[dict[str, Any]]:
    stored: list[dict[str, Any]] = read_object(folder / "failures.json")["failures"]
    return stored
