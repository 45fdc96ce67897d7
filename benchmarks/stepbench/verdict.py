"""The exit status of a run: 0 when everything ran, 1 when a row failed or a required one is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from stepbench.plan import Plan
from stepkernels.problem import ProblemError


def exit_status(folder: Path, plan: Plan, required: Sequence[str]) -> tuple[int, list[str]]:
    """(status, the reasons for it in sentences). Raises `ProblemError` for a required row that does not exist."""
    failures = json.loads((folder / "failures.json").read_text(encoding="utf-8"))["failures"]
    faults = [failure for failure in failures if not failure["skipped"]]
    reasons = [f"{fault['row']} failed on {fault['case']}: {fault['reason']}" for fault in faults]
    present = {participant.row.name for participant in plan.participants}
    absent = {skip.row: skip.reason for skip in plan.skips if skip.case is None}
    for name in required:
        if name in absent:
            reasons.append(f"{name} was required and did not run: {absent[name]}.")
        elif name not in present:
            raise ProblemError(f"{name!r} was required, but no such row was asked for.")
    return (1 if reasons else 0), reasons
