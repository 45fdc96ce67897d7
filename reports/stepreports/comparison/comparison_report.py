"""The report of several runs, written: a page, a summary, a table and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stepreports.comparison.between_runs import joined, summary
from stepreports.comparison.sides import Side, common_cases, labelled, shared_view
from stepreports.records.files import write_whole
from stepreports.render import no_collection, write_figures, written_or_told
from stepreports.statistics.runs import load_run
from stepreports.telling.tables import csv_text


def compare_report(folders: Sequence[Path], out: Path) -> Path:
    """Write report.html, summary.md, table.csv and figures/ of several runs into `out`; the path of the page.

    The first run is what the others are compared with. Raises `RecordError` for runs that cannot be compared.
    """
    with no_collection():
        sides = labelled([load_run(folder) for folder in folders])
        with written_or_told(out):
            return _write(sides, out)


def _write(sides: Sequence[Side], out: Path) -> Path:
    from stepreports.comparison.comparison_page import comparison_figure, comparison_page

    common = common_cases(sides)
    view = shared_view(sides, common)
    columns = joined(sides)
    write_whole(out / "table.csv", csv_text(columns))
    write_whole(out / "summary.md", summary(sides, view, common))
    figure = comparison_figure(sides, view, common)
    write_figures(out, {"time": figure})
    return write_whole(out / "report.html", comparison_page(sides, view, common, columns, figure))
