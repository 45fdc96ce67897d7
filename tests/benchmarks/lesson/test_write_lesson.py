"""The lesson as written: beside a run or alone, and what cannot be written is a sentence."""

from __future__ import annotations

import io
import shutil
from functools import partial

import pytest
from rich.console import Console

from runs import stepbench
from stepbench.lesson import (
    write_lesson,
)
from stepbench.run.progress import TerminalProgress
from stepreports import write_report


@pytest.mark.parametrize(("folder", "name", "linked"), [
    ("run", "stepbench-lesson-en.html", True), ("run", "other.html", False), (".", "stepbench-lesson-en.html", False),
])  # fmt: skip
def test_a_lesson_written_into_a_run_and_its_report_link_to_each_other(run, tmp_path, folder, name, linked):
    write_report(shutil.copytree(run.folder, tmp_path / "run"))
    told = io.StringIO()
    writing = partial(TerminalProgress, "Writing", console=Console(file=told))
    path = write_lesson(tmp_path / folder / name, "en", None, writing, lambda _folder, _progress: run)
    assert told.getvalue().endswith("about 0 s left\n")
    assert ('href="report.html"' in path.read_text("utf-8")) == linked
    assert (f'href="{name}"' in (tmp_path / "run/report.html").read_text("utf-8")) == linked


def test_an_unknown_language_and_a_folder_are_sentences(tmp_path):
    for arguments, sentence in ((("--lang", "de"), "no lesson in 'de'"), (("--out", tmp_path), "is a folder")):
        finished = stepbench("learn", *arguments)
        assert finished.returncode == 2
        assert sentence in finished.stderr


@pytest.mark.slow
def test_learn_measures_and_writes_the_page(tmp_path):
    finished = stepbench("learn", "--lang", "zh", "--out", tmp_path / "lesson.html")
    assert finished.returncode == 0, finished.stderr
    assert '<table id="costs"' in (tmp_path / "lesson.html").read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["lesson.html"]
