"""Kernels of files on planted data, before `run` times anything: a fault that large data hide would be timed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stepbench.commands.terminal import errors, say

if TYPE_CHECKING:
    from stepkernels.interface import Implementation


def disagreeing(kernels: Sequence[Implementation], seed: int) -> dict[str, str]:
    """Why each kernel that computes something else must not be timed, by its name; and say what was found.

    One that fails in another way goes on into the run, which records how.
    """
    from stepbench.checking.schedule import Plan
    from stepbench.checking.supervise import judge_rows
    from stepbench.checking.verdicts import RowReport, Verdict

    began = time.monotonic()
    found: dict[str, str] = {}

    def finished(report: RowReport) -> None:
        took = f"{time.monotonic() - began:.1f} s"
        if report.verdict is Verdict.AGREES:
            say(
                f"{report.row} agrees on planted data ({report.trials} trials, {took}); `stepbench check` has them all."
            )
        elif report.verdict is Verdict.DISAGREES:
            found[report.row] = f"it disagrees on planted data, in {report.reason}"
            say(f"{report.row} disagrees on planted data ({took}), so it is not timed.", style="red", on=errors)

    if kernels:
        with errors.status("Checking your kernel on planted data"):
            judge_rows(kernels, Plan(seed=seed, planted=True), finished)
    return found
