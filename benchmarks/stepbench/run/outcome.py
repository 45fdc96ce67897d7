"""How a run ended: 0 when everything ran, 1 when a row failed or a required one is missing; and what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stepbench.run.plan import TIME_BUDGET, Plan
from stepreports.records.files import read_object


def exit_status(folder: Path, plan: Plan, required: Sequence[str]) -> tuple[int, list[str]]:
    """The status, and the reasons for it in sentences."""
    faults = [failure for failure in _failures(folder) if not failure["skipped"]]
    reasons = [f"{fault['row']} failed on {fault['case']}: {fault['reason']}" for fault in faults]
    absent = {skip.row: skip.reason for skip in plan.skips if skip.case is None}
    reasons += [f"{name} was required and did not run: {absent[name]}." for name in required if name in absent]
    return (1 if reasons else 0), reasons


def left_out(folder: Path) -> str | None:
    """What --max-time left out, and how to have it, in sentences; None when there was time for everything."""
    cut = dict.fromkeys(failure["case"] for failure in _failures(folder) if failure["kind"] == TIME_BUDGET)
    if not cut:
        return None
    return (
        f"The time given by --max-time was used up before these cases had all their generations: {', '.join(cut)}. "
        f"Time them with: stepbench run --resume {folder}"
    )


def _failures(folder: Path) -> list[dict[str, Any]]:
    stored: list[dict[str, Any]] = read_object(folder / "failures.json")["failures"]
    return stored
