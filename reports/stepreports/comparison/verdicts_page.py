"""The page of a comparison of versions: a sentence for each case, and all intervals in one figure."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

from stepreports.comparison import version_lines
from stepreports.comparison.compared import Answered, Compared, kind_of
from stepreports.comparison.versions import Allowed
from stepreports.figures.axes import LOOK, canvas, headline, shortened
from stepreports.figures.style import COLOURS, FAINT, GRID, INK
from stepreports.page.report_page import inlined, rendered
from stepreports.statistics.intervals import Verdict

_COLOURS = {
    str(Allowed.BEYOND): COLOURS[1][0],
    str(Verdict.SLOWER): COLOURS[1][0],
    str(Verdict.FASTER): COLOURS[6][0],
    str(Verdict.SAME): COLOURS[2][0],
    str(Verdict.UNKNOWN): COLOURS[7][0],
}
_LINE, _LEFT, _RIGHT = 0.38, 3.1, 0.4  # inches: of a case, and for the names at the left
_MOST_CASES = 60  # in the figure; the table has them all
_ROOM = 1.02  # beyond the furthest end
_FAR = 6.0  # an axis that reaches so many times as far is told in 1, 2 and 5 of each decade


def verdicts_page(found: Compared) -> str:
    """The whole page, one file that needs no network."""
    figure = verdicts_figure(found)
    return rendered(
        "verdicts.html.j2",
        None,
        found=found,
        told=version_lines,
        figure=figure and inlined(figure, "intervals of each case"),
    )


@rc_context(LOOK)
def verdicts_figure(found: Compared) -> Figure | None:
    """The time of each version over the base's with its interval, case by case; None where nothing has an answer."""
    answered = found.answered[:_MOST_CASES]
    if not answered:
        return None
    figure, (axes,) = canvas(1.2 + _LINE * len(answered), _LEFT, _RIGHT)
    for place, each in enumerate(answered):
        ratio, colour = each.answer.ratio, _COLOURS[kind_of(each.answer)]
        axes.plot([ratio.low, ratio.high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot(ratio.value, place, color=colour, marker="o", markersize=5)
    axes.axvline(1, color=INK, linewidth=0.8)
    allowed = 1 + found.question.allowance
    axes.axvline(allowed, color=COLOURS[1][0], linewidth=1, linestyle=(0, (3, 2)))
    axes.set(ylim=(len(answered) - 0.5, -0.5), yticks=range(len(answered)))
    axes.set_yticklabels([_named(each) for each in answered])
    axes.grid(visible=False, axis="y")
    _scale(axes, answered, allowed)
    headline(axes, "Time over the base's", "99 % intervals; left of 1 is faster; dashed is what is allowed")
    return figure


def _named(each: Answered) -> str:
    """The row and the case, in a line each."""
    return f"{shortened(each.finding.other_row)}\n{each.finding.case.in_words}"


def _scale(axes: Axes, answered: Sequence[Answered], allowed: float) -> None:
    """Logarithmic, so that twice as fast lies as far away as twice as slow; one and what is allowed are in sight."""
    low = min(1 / allowed, *(each.answer.ratio.low for each in answered)) / _ROOM
    high = max(allowed, *(each.answer.ratio.high for each in answered)) * _ROOM
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    far = LogLocator(subs=(1.0, 2.0, 5.0), numticks=12)
    near = FixedLocator(list(MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high)))
    axes.xaxis.set_major_locator(far if high > _FAR * low else near)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}×"))
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.spines["left"].set_color(GRID)
    axes.spines["bottom"].set_color(FAINT)
