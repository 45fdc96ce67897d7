"""The exit status of a run: 0 when everything ran, 1 when a row failed or a required one is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from stepbench.plan import Plan


def exit_status(folder: Path, plan: Plan, required: Sequence[str]) -> tuple[int, list[str]]:
    """The status, and the reasons for it in sentences."""
    failures = json.loads((folder / "failures.json").read_text(encoding="utf-8"))["failures"]
    faults = [failure for failure in failures if not failure["skipped"]]
    reasons = [f"{fault['row']} failed on {fault['case']}: {fault['reason']}" for fault in faults]
    absent = {skip.row: skip.reason for skip in plan.skips if skip.case is None}
    reasons += [f"{name} was required and did not run: {absent[name]}." for name in required if name in absent]
    return (1 if reasons else 0), reasons
