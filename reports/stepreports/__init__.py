"""The report of a run, from its records alone: a page, a summary, a table and figures.

Knows neither the kernels nor the harness, so it renders on any machine that the folder was copied to.
"""

from __future__ import annotations

from pathlib import Path

from stepreports.comparison.comparison_report import compare_report
from stepreports.comparison.gate import GateResult, gate
from stepreports.records.files import RecordError
from stepreports.records.overhead import overhead_of
from stepreports.render import write_report
from stepreports.statistics.runs import load_run
from stepreports.telling.findings import answer, headline
from stepreports.telling.summary import winners
from stepreports.telling.trust import overhead_in_words

__all__ = [
    "GateResult",
    "RecordError",
    "answer_lines",
    "answer_table",
    "compare_report",
    "gate",
    "overhead_sentence",
    "write_report",
]


def answer_lines(run_folder: Path) -> list[str]:
    """The answer in sentences, for a terminal; row names stand between backticks."""
    run = load_run(run_folder)
    return [*headline(run), *answer(run)]


def answer_table(run_folder: Path) -> list[dict[str, str]]:
    """The fastest row at each size, for a terminal: one dict a line, the same keys in each."""
    return winners(load_run(run_folder))


def overhead_sentence(run_folder: Path) -> str | None:
    """What a run's time went to, for a terminal; None where it has no journal."""
    overhead = overhead_of(run_folder)
    return overhead_in_words(overhead) if overhead else None
