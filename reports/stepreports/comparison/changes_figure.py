"""The figure of a comparison: each row at each size as a dot with its interval, the fastest beside the first run above.

A full dot is faster or slower beyond doubt, a hollow one is the same, or cannot be told.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepreports.comparison.over_control import AgainstFirst, Change
from stepreports.comparison.sides import cases_of
from stepreports.figures.axes import LOOK, canvas, headline, logarithmic, shortened
from stepreports.figures.style import COLOURS, FAINT, INK
from stepreports.records.stored import Case
from stepreports.statistics.intervals import Verdict
from stepreports.statistics.views import View
from stepreports.telling import text

MOST_LINES = 60
_LEFT, _RIGHT, _AROUND, _LINE = 2.9, 0.4, 1.25, 0.19  # inches
_FASTER, _SLOWER = COLOURS[6][0], COLOURS[1][0]


@rc_context(LOOK)
def changes_figure(found: AgainstFirst, view: View, common: Sequence[Case]) -> Figure | None:
    """Every row of a view beside the first run; of very many the largest changes. None where there is none."""
    cases = set(cases_of(view, common))
    mine = [change for change in found.changes if change.case in cases]
    largest = sorted(mine, key=lambda change: max(change.gain.value, 1 / change.gain.value))[-MOST_LINES:]
    if not largest:
        return None
    ordered = sorted(largest, key=lambda change: -change.gain.value)
    figure, (axes,) = canvas(_AROUND + _LINE * len(ordered), _LEFT, _RIGHT)
    for place, change in enumerate(ordered):
        _draw(axes, place, change)
    labels = [f"{shortened(each.row)}  {each.case.m:,} × {each.case.n:,}" for each in ordered]
    axes.set(ylim=(len(ordered) - 0.5, -0.5), yticks=range(len(ordered)), yticklabels=labels)
    axes.axvline(1.0, color=INK, linewidth=0.9)
    over = f", both over {found.control}" if found.control else ""
    logarithmic(axes, "x", "times", f"times as fast as in {found.first.label}{over}")
    more = len(mine) - len(ordered)
    left_out = f"; {text.counted(more, 'smaller change')} not drawn" if more else ""
    of_what = f"{view.op}, {view.dtype}, {view.optimizer}{left_out}"
    headline(axes, f"{found.side.label} beside {found.first.label}", of_what)
    return figure


def _draw(axes: Axes, place: int, change: Change) -> None:
    colour = {Verdict.FASTER: _FASTER, Verdict.SLOWER: _SLOWER}.get(change.told, FAINT)
    inside = colour if change.told in {Verdict.FASTER, Verdict.SLOWER} else "none"
    axes.plot((change.gain.low, change.gain.high), (place, place), color=colour, linewidth=1.4)
    axes.plot(change.gain.value, place, "o", color=colour, markersize=4.5, markerfacecolor=inside)
