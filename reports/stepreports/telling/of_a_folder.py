"""A run's folder in words: its answer, its ranking, what its time went to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stepreports.records.overhead import overhead_of
from stepreports.statistics.runs import load_run
from stepreports.telling.findings import answer, headline
from stepreports.telling.own_kernels import own_kernel_lines
from stepreports.telling.ranking import Ranking, rankings
from stepreports.telling.run_in_short import document, in_markdown
from stepreports.telling.trust import overhead_in_words


def answer_lines(run_folder: Path) -> list[str]:
    """The answer in sentences, for a terminal; row names stand between backticks."""
    run = load_run(run_folder)
    return [*own_kernel_lines(run), *headline(run), *answer(run)]


def ranking(run_folder: Path) -> list[Ranking]:
    """Every row of every case, the fastest first, for a terminal."""
    return rankings(load_run(run_folder))


def run_as_json(run_folder: Path) -> dict[str, Any]:
    """The answer, the ranking and what was not timed, for a program."""
    return document(load_run(run_folder))


def run_in_markdown(run_folder: Path) -> str:
    """The same as tables, for the summary of a CI step."""
    return in_markdown(load_run(run_folder))


def overhead_sentence(run_folder: Path) -> str | None:
    """What a run's time went to, for a terminal; None where it has no journal."""
    overhead = overhead_of(run_folder)
    return overhead_in_words(overhead) if overhead else None
