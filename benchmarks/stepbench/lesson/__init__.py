"""The lesson: why the step is what it is, as a page whose every number the suite computes. Imports `run` and below."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from stepbench.lesson import cell_outputs
from stepbench.lesson.lesson_page import lesson_page
from stepbench.lesson.measuring import measured
from stepbench.lesson.wording import LANGUAGES
from stepbench.run.session import ProgressFactory
from stepkernels.problem import ProblemError
from stepreports import write_report
from stepreports.page.report_page import LESSONS
from stepreports.records.files import write_whole
from stepreports.statistics.runs import Run

__all__ = ["write_lesson"]

Measure = Callable[[Path, ProgressFactory], Run]


def write_lesson(
    path: Path, language: str, timing: ProgressFactory, writing: ProgressFactory, measure: Measure = measured
) -> Path:
    """Measure, then write the page in "en" or "zh". Raises `ProblemError` for another language or a bad path.

    `timing` and `writing` make the progress of the two.

    Written into the folder of a run under the name that its report looks for, the two link to each other.
    """
    if language not in LANGUAGES:
        raise ProblemError(f"There is no lesson in {language!r}. Languages: {', '.join(LANGUAGES)}.")
    if path.is_dir():
        raise ProblemError(f"{path} is a folder; --out names the page itself.")
    with tempfile.TemporaryDirectory(prefix="stepbench-lesson-") as folder:
        run = measure(Path(folder), timing)
    beside_a_run = path.name in LESSONS and (path.parent / "benchmark.json").is_file()
    with writing(len(list(cell_outputs.files())) + 1) as bar:
        bar.describe("the cells")
        for cell in cell_outputs.each_cell():
            bar.describe(f"{cell.file} has run")
            bar.advance()
        bar.describe("figures and words")
        write_whole(path, lesson_page(run, language, report="report.html" if beside_a_run else None))
        bar.advance()
    if beside_a_run:
        write_report(path.parent)
    return path
