"""What the page needs measured: the lesson's rows on this machine, as any run does, and the machine's limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stepbench.lesson.shown import ROWS, SIZE
from stepbench.machine.measured import measured_limits
from stepbench.machine.threads import default_budget
from stepbench.run import session
from stepbench.run.choices import Choices, plan_run, preset_named
from stepkernels.catalog import rows_named
from stepkernels.problem import ProblemError
from stepreports.statistics.runs import Run, load_run


def measured(folder: Path, progress: session.ProgressFactory) -> Run:
    """A run of the lesson's rows at its size: checked, then timed in turns, each in a process of its own.

    The machine's limits are measured to the end: a run asks only for those of its own sizes, the page for memory's.
    Raises `ProblemError` when a row gave no number: the page compares them all.
    """
    choices = Choices(preset=preset_named("quick"), rows=rows_named(ROWS), named=True, sizes=["{}x{}".format(*SIZE)])
    session.start(plan_run(choices), folder, progress)
    run = load_run(folder)
    for failure in run.failures:
        raise ProblemError(f"The lesson needs {failure.row}, which was not timed: {failure.reason}.")
    return replace(run, machine={**run.machine, "limits": measured_limits(default_budget())})
