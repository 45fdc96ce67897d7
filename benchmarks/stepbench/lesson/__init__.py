"""The lesson: why the step is what it is, as a page whose every number is computed by the suite itself.

`write_lesson` times the lesson's rows on this machine, as `stepbench run` would, and writes the page. Written into
the folder of a run under the name that its report looks for, the two link to each other.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from stepbench.lesson.lesson_page import lesson_page
from stepbench.lesson.techniques import ROWS, SIZE
from stepbench.lesson.wording import LANGUAGES
from stepbench.machine.measured import measured_limits
from stepbench.machine.threads import default_budget
from stepbench.run import session
from stepbench.run.choices import Choices, plan_run, preset_named
from stepkernels.catalog import rows_named
from stepkernels.problem import ProblemError
from stepreports import write_report
from stepreports.page.report_page import LESSONS
from stepreports.records.files import write_whole
from stepreports.statistics.runs import Run, load_run

__all__ = ["lesson_page", "measured", "write_lesson"]


def write_lesson(path: Path, language: str, progress: session.ProgressFactory) -> Path:
    """Measure, then write the page in "en" or "zh". Raises `ProblemError` for another language or a bad path."""
    if language not in LANGUAGES:
        raise ProblemError(f"There is no lesson in {language!r}. Languages: {', '.join(LANGUAGES)}.")
    if path.is_dir():
        raise ProblemError(f"{path} is a folder; --out names the page itself.")
    with tempfile.TemporaryDirectory(prefix="stepbench-lesson-") as folder:
        run = measured(Path(folder), progress)
    beside_a_run = path.name in LESSONS and (path.parent / "benchmark.json").is_file()
    write_whole(path, lesson_page(run, language, report="report.html" if beside_a_run else None))
    if beside_a_run:
        write_report(path.parent)
    return path


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
