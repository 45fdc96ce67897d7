"""The page and the figure of a comparison: a row keeps its colour and marker, the run decides the line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from matplotlib import rc_context
from matplotlib.figure import Figure

from stepreports.comparison.between_runs import against_first, claims, other_machines
from stepreports.comparison.sides import Side, cases_of
from stepreports.figures.axes import LOOK, LineEnd, canvas, headline, label_line_ends, logarithmic
from stepreports.figures.by_size import draw_line
from stepreports.figures.style import Dashes, styles
from stepreports.page.page_data import looks, page_data
from stepreports.page.report_page import inlined, rendered
from stepreports.records.stored import Case
from stepreports.statistics.runs import Run
from stepreports.statistics.views import DEVICES, View, baselines, views
from stepreports.telling.findings import standings
from stepreports.telling.summary import where
from stepreports.telling.tables import Table

_DASHES: Sequence[tuple[Dashes, str]] = (
    ("-", "solid"), ((0, (5, 2)), "dash"), ((0, (1, 1.5)), "dot"), ((0, (6, 2, 1, 2)), "dashdot"),
)  # fmt: skip
_HEIGHT, _LEFT, _RIGHT = 4.4, 0.8, 2.0  # inches; the right margin holds the names of rows and runs


@rc_context(LOOK)
def comparison_figure(sides: Sequence[Side], view: View, common: Sequence[Case]) -> Figure:
    """The time of one operation against size: in each run, the baselines and whatever leads somewhere."""
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    cases = cases_of(view, common)
    styled = styles(merged(sides).rows)
    ends = []
    for place, side in enumerate(sides):
        for row in _worth_drawing(side):
            points = [record for case in cases if (record := side.at(case).get(row))]
            if points:
                look = replace(styled[side.named(row)], dashes=_DASHES[place % len(_DASHES)][0])
                draw_line(axes, look, [record.case.x_bytes for record in points], [r.seconds for r in points])
                last = points[-1]
                ends.append(LineEnd(last.case.x_bytes, last.seconds.value, side.named(row), look.colour))
    logarithmic(axes, "y", "seconds", f"time of one {view.unit}")
    logarithmic(axes, "x", "bytes", "size of X")
    headline(axes, f"Time of one {view.unit}", f"{view.op}, {view.dtype}, {view.optimizer}, {view.cache} cache")
    label_line_ends(axes, ends)
    return figure


def comparison_page(sides: Sequence[Side], view: View, common: Sequence[Case], columns: Table, figure: Figure) -> str:
    """The page of several runs."""
    together = merged(sides)
    return rendered(
        "comparison.html.j2",
        page_data(together, _named(columns, sides)) | {"rows": _looks(sides, together)},
        sides=[(side.label, where(side.run)) for side in sides],
        view=view,
        claims=[*other_machines(sides), *claims(sides, view, common)],
        lines=against_first(sides, common),
        figure=inlined(figure, "time"),
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


def _worth_drawing(side: Side) -> list[str]:
    main = views(side.run)[0]
    leaders = {standing.fastest.row.name for device in DEVICES for standing in standings(main, frozenset({device}))}
    chosen = leaders | {row.name for row in baselines(side.run)}
    return [row.name for row in side.run.rows if row.name in chosen]


def _named(columns: Table, sides: Sequence[Side]) -> Table:
    by_label = {side.label: side for side in sides}
    names = [by_label[str(label)].named(str(row)) for label, row in zip(columns["run"], columns["row"], strict=True)]
    return columns | {"row": list(names)}


def _looks(sides: Sequence[Side], together: Run) -> dict[str, dict[str, str]]:
    found = looks(together)
    for place, side in enumerate(sides):
        for row in side.run.rows:
            found[side.named(row.name)]["dash"] = _DASHES[place % len(_DASHES)][1]
    return found
