"""The page of several runs: the counts first, then each row beside the first run, then all records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from matplotlib.figure import Figure

from stepreports.comparison.between_runs import claims, control_in_words, counts_in_words, other_machines, row_by_row
from stepreports.comparison.over_control import AgainstFirst
from stepreports.comparison.sides import Side
from stepreports.page.page_data import page_data
from stepreports.page.report_page import inlined, rendered
from stepreports.records.stored import Case
from stepreports.statistics.runs import Run
from stepreports.statistics.views import View
from stepreports.telling.summary import where
from stepreports.telling.tables import Table


def comparison_page(
    sides: Sequence[Side],
    view: View,
    common: Sequence[Case],
    found: Sequence[AgainstFirst],
    columns: Table,
    drawn: Mapping[str, Figure],
) -> str:
    """The page of several runs."""
    together = merged(sides)
    return rendered(
        "comparison.html.j2",
        page_data(together, _named(columns, sides)),
        has_chart=False,
        sides=[(side.label, where(side.run)) for side in sides],
        view=view,
        counts=list(map(counts_in_words, found)),
        claims=[*map(control_in_words, found), *other_machines(sides), *claims(sides, view, common)],
        lines=row_by_row(sides, common, found),
        figures=[inlined(figure, name) for name, figure in drawn.items()],
        records=together.records,
    )


def merged(sides: Sequence[Side]) -> Run:
    """All records as if of one run, each row under its name and its run's; for drawing, never for dividing."""
    records = [
        replace(record, row=replace(record.row, name=side.named(record.row.name)))
        for side in sides
        for record in side.run.records
    ]
    return replace(sides[0].run, records=records, failures=[], machine={})


def _named(columns: Table, sides: Sequence[Side]) -> Table:
    by_label = {side.label: side for side in sides}
    names = [by_label[str(label)].named(str(row)) for label, row in zip(columns["run"], columns["row"], strict=True)]
    return columns | {"row": list(names)}
