"""A run at the lesson's size, and the page of it in each language."""

from __future__ import annotations

import pytest

from stepbench.lesson.lesson_page import lesson_page
from stepbench.lesson.wording import LANGUAGES
from stepreports.statistics.runs import load_run
from synthetic_runs import LESSON_ROWS, entries, write_run

SIZES = ((569, 30, "breast-cancer"), (20_000, 50, "synthetic"))


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    return load_run(write_run(tmp_path_factory.mktemp("lesson"), entries(LESSON_ROWS, sizes=SIZES)))


@pytest.fixture(scope="session")
def busy_run(tmp_path_factory):
    """The same on a machine that was busy."""
    return load_run(write_run(tmp_path_factory.mktemp("busy"), entries(LESSON_ROWS, sizes=SIZES[1:], noise=0.8)))


@pytest.fixture(scope="session")
def pages(run):
    return {language: lesson_page(run, language) for language in LANGUAGES}
