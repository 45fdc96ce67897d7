"""The report of several runs, written: a page, a summary, a table and a figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from stepreports.comparison.between_runs import counts_in_words, joined, summary
from stepreports.comparison.over_control import against_first
from stepreports.comparison.sides import Side, common_cases, labelled, shared_view
from stepreports.records.files import write_whole
from stepreports.render import no_collection, write_figures, written_or_told
from stepreports.statistics.runs import load_run
from stepreports.telling.tables import csv_text


def compare_report(folders: Sequence[Path], out: Path, tell: Callable[[str], None] | None = None) -> Path:
    """Write report.html, summary.md, table.csv and figures/ of several runs into `out`; the path of the page.

    The first run is what the others are compared with; `tell` is called with a sentence for each: how many of its rows
    are faster, slower, the same or unknown. Raises `RecordError` for runs that cannot be compared.
    """
    with no_collection():
        sides = labelled([load_run(folder) for folder in folders])
        with written_or_told(out):
            return _write(sides, out, tell)


def _write(sides: Sequence[Side], out: Path, tell: Callable[[str], None] | None) -> Path:
    from stepreports.comparison.changes_figure import changes_figure
    from stepreports.comparison.comparison_page import comparison_page

    common = common_cases(sides)
    view = shared_view(sides, common)
    columns = joined(sides)
    found = [against_first(sides[0], side, common) for side in sides[1:]]
    write_whole(out / "table.csv", csv_text(columns))
    write_whole(out / "summary.md", summary(sides, view, common, found))
    drawn = {
        f"{each.side.label}-beside-{each.first.label}": figure
        for each in found
        if (figure := changes_figure(each, view, common))
    }
    write_figures(out, drawn)
    if tell:
        for each in found:
            tell(counts_in_words(each))
    return write_whole(out / "report.html", comparison_page(sides, view, common, found, columns, drawn))
