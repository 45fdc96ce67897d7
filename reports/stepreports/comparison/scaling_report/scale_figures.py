"""A scaling drawn: the time of a step against the number of ranks, beside one process and the model."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from stepreports.comparison.scaling_report.scaled import Scaled, ScaledCase
from stepreports.figures.axes import LOOK, LineEnd, canvas, headline, label_line_ends, logarithmic
from stepreports.figures.style import COLOURS, INK
from stepreports.statistics.intervals import Estimate

_HEIGHT, _LEFT, _RIGHT = 3.6, 0.8, 1.85  # inches
_RANKS, _MODEL = COLOURS[2][0], COLOURS[7][0]
_ROOM = 1.25  # beyond the furthest end
_LABEL = 1.3  # how many times another a number must be, so that both can be read below the axis
_DASHED = (0, (3, 2))


@rc_context(LOOK)
def case_figure(case: ScaledCase) -> Figure:
    """Strong scaling: measured times with intervals, the single process, and the model with what it predicts."""
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    best, points = case.best_seconds, case.points
    axes.axhline(best.value, color=INK, linewidth=1)
    axes.axhspan(best.low, best.high, color=INK, alpha=0.12, linewidth=0)
    _draw_times(axes, [(point.ranks, point.seconds) for point in points])
    modelled = [(point.ranks, point.parts.model) for point in points if point.parts is not None]
    if modelled:
        axes.plot(*zip(*modelled, strict=True), color=_MODEL, linewidth=1.4, linestyle=_DASHED)
    ahead = [(each.ranks, each.seconds) for each in case.predicted]
    rings = [(each.ranks, each.seconds) for each in case.marked]
    if ahead:
        start = [(point.ranks, point.seconds.value) for point in points if point.ranks == ahead[0][0] - 1]
        axes.plot(*zip(*start, *ahead, strict=True), color=_MODEL, linewidth=1.4, linestyle=_DASHED)
        axes.plot(*zip(*rings, strict=True), color=_MODEL, linestyle="none", marker="o", markerfacecolor="none")
    furthest = max([point.ranks for point in points] + [place for place, _ in rings])
    _finish(axes, apart([point.ranks for point in points], [place for place, _ in rings]), furthest)
    headline(axes, f"Time of a step, {case.in_words}", "blue: measured; dashed: the model; rings: what it predicts")
    label_line_ends(axes, [LineEnd(axes.get_xlim()[1], best.value, case.best, INK)])
    return figure


@rc_context(LOOK)
def waiting_figure(found: Scaled) -> Figure | None:
    """The share of a step in which no rank computes, against the number of ranks: a line for each size."""
    lines = [
        (case, [(each.ranks, each.parts.exposed) for each in case.points if each.parts is not None])
        for case in found.cases
    ]
    drawn = [(case, points) for case, points in lines if points]
    if not drawn:
        return None
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    for place, (case, points) in enumerate(drawn):
        colour, values = COLOURS[place % len(COLOURS)][0], [100 * each.value for _, each in points]
        axes.plot([x for x, _ in points], values, color=colour, marker="o", label=case.in_words)
        for x, each in points:
            axes.plot([x, x], [100 * each.low, min(100.0, 100 * each.high)], color=colour, linewidth=1, alpha=0.6)
    ranks = sorted({x for _, points in drawn for x, _ in points})
    axes.set_ylim(0, 100)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %"))
    axes.set_ylabel("of a step", color=INK)
    _ranks_below(axes, ranks, ranks[-1])
    headline(axes, "Waiting for other ranks", "the part of a step in which no rank computes")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, labelcolor=INK)
    return figure


def apart(tried: Sequence[int], predicted: Sequence[int]) -> list[int]:
    """The numbers of ranks to label: those tried, and of those predicted the ones that are not written into another."""
    shown = list(tried)
    for count in predicted:
        if all(count >= _LABEL * other or other >= _LABEL * count for other in shown):
            shown.append(count)
    return sorted(shown)


def _draw_times(axes: Axes, points: Sequence[tuple[int, Estimate]]) -> None:
    axes.plot([x for x, _ in points], [each.value for _, each in points], color=_RANKS, marker="o", linewidth=1.6)
    for x, each in points:
        axes.plot([x, x], [each.low, each.high], color=_RANKS, linewidth=1, alpha=0.6)


def _finish(axes: Axes, ranks: Sequence[int], furthest: int) -> None:
    logarithmic(axes, "y", "seconds", "time of a step")
    low, high = axes.get_ylim()
    axes.set_ylim(low / _ROOM, high * _ROOM)
    _ranks_below(axes, ranks, furthest)


def _ranks_below(axes: Axes, ranks: Sequence[int], furthest: int) -> None:
    axes.set_xscale("log", base=2)
    axes.set_xlim(ranks[0] / _ROOM, furthest * _ROOM)
    axes.xaxis.set_major_locator(FixedLocator(list(ranks)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("ranks", color=INK)
