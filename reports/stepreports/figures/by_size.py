"""The figures against size, one function each from records to a matplotlib Figure; no global state, no pyplot.

A function returns None where the records hold nothing for it to draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepreports.figures.axes import LOOK, LineEnd, canvas, headline, label_line_ends, logarithmic
from stepreports.figures.bars import phases_figure, start_figure
from stepreports.figures.drift_line import drift_figure
from stepreports.figures.roofline import roofline_figure
from stepreports.figures.style import DASHES, FAINT, INK, Style, styles
from stepreports.records.files import name_of_file
from stepreports.records.stored import Row
from stepreports.statistics.intervals import Estimate
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import DEVICES, View, baselines, step_views

MOST_VIEWS = 6  # dtypes × optimizers × cache states that get files of their own; the page shows every other

_HEIGHT, _LEFT, _RIGHT = 4.2, 0.8, 1.85  # inches; the right margin holds the labels
Series = Mapping[Row, Sequence[tuple[Record, Estimate]]]


def figures(run: Run) -> dict[str, Figure]:
    """Every figure that the records can fill, by file name."""
    found: dict[str, Figure | None] = {}
    for view in step_views(run)[:MOST_VIEWS]:
        found[f"time-{view.slug}"] = time_figure(view)
        found[f"limit-{view.slug}"] = limit_figure(view)
        found[f"roofline-{view.slug}"] = roofline_figure(view)
        for baseline in baselines(run):
            found[f"speedup-over-{name_of_file(baseline.name)}-{view.slug}"] = speedup_figure(view, baseline)
    found["phases"] = phases_figure(run)
    found["start"] = start_figure(run)
    found["drift"] = drift_figure(run)
    return {name: figure for name, figure in found.items() if figure is not None}


@rc_context(LOOK)
def time_figure(view: View) -> Figure | None:
    """The time of one operation against the size of X, and the time the measured limits allow."""
    if not view.cases:
        return None
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    ends = _draw_rows(axes, view, {row: [(r, r.seconds) for r in view.points(row)] for row in view.rows})
    ends += [end for device in DASHES for end in _draw_limit(axes, view, device)]
    logarithmic(axes, "y", "seconds", f"time of one {view.unit}")
    headline(axes, f"Time of one {view.unit}", view.title)
    _finish(axes, view, ends)
    return figure


@rc_context(LOOK)
def speedup_figure(view: View, baseline: Row) -> Figure | None:
    """How many times as fast as the baseline each row is; it ends at the largest size the baseline ran."""
    series = {row: view.speedups(row, baseline) for row in view.rows if row.name != baseline.name}
    if not any(series.values()):
        return None
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    ends = _draw_rows(axes, view, series)
    axes.axhline(1, color=INK, linewidth=1)
    logarithmic(axes, "y", "times", f"times as fast as {baseline.name}")
    headline(axes, f"Speed-up over {baseline.name}", view.title)
    _finish(axes, view, ends)
    return figure


@rc_context(LOOK)
def limit_figure(view: View) -> Figure | None:
    """The rate at which each row gets through X once, against its size, under the rate measured.

    What separates sizes is the level of the memory that holds X; the roofline shows what separates techniques.
    """
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    ends = [end for device in DASHES for end in _draw_roof(axes, view, device)]
    if not ends:
        return None
    ends += _draw_rows(axes, view, {row: _rates(view.points(row)) for row in view.rows})
    logarithmic(axes, "y", "plain", f"size of X / time of one {view.unit} (GB/s)")
    headline(axes, "How near the limit", f"{view.title}; dotted: the limit of two passes over X")
    _finish(axes, view, ends)
    return figure


def _rates(records: Iterable[Record]) -> list[tuple[Record, Estimate]]:
    return [(record, record.seconds.inverse().scaled(record.case.x_bytes / 1e9)) for record in records]


def _draw_rows(axes: Axes, view: View, series: Series) -> list[LineEnd]:
    """A line a row with its interval as a band; where each wants its label."""
    looks = styles(view.run.rows)
    ends = []
    for row, points in series.items():
        if points:
            draw_line(axes, looks[row.name], [record.case.x_bytes for record, _ in points], [e for _, e in points])
            record, last = points[-1]
            ends.append(LineEnd(record.case.x_bytes, last.value, row.name, looks[row.name].colour))
    return ends


def draw_line(axes: Axes, look: Style, x: Sequence[int], estimates: Sequence[Estimate]) -> None:
    """A line with its markers, its intervals as a band and as bars. Of sizes with equal bytes it meets the last."""
    joined = dict(zip(x, estimates, strict=True))
    lows, highs = ([getattr(e, name) for e in joined.values()] for name in ("low", "high"))
    axes.fill_between(list(joined), lows, highs, color=look.colour, alpha=0.2, linewidth=0)
    axes.plot(list(joined), [e.value for e in joined.values()], color=look.colour, linestyle=look.dashes, linewidth=1.5)
    axes.vlines(x, [e.low for e in estimates], [e.high for e in estimates], color=look.colour, linewidth=1)
    axes.plot(x, [e.value for e in estimates], color=look.colour, marker=look.marker, linestyle="none", markersize=4.5)


def _draw_limit(axes: Axes, view: View, device: str) -> list[LineEnd]:
    """The time that a device's read kernel took at each size."""
    points = list({limit.case.x_bytes: limit.seconds.value for limit in _limits(view, device)}.items())
    if not points:
        return []
    axes.plot(*zip(*points, strict=True), color=INK, linewidth=1.6, linestyle=DASHES[device])
    return [LineEnd(*points[-1], f"{DEVICES[device]} limit", INK)]


def _draw_roof(axes: Axes, view: View, device: str) -> list[LineEnd]:
    """The measured limit of a device as a rate, and half of it: what two passes over X can reach."""
    limits = {limit.case.x_bytes: limit.seconds.value for limit in _limits(view, device)}
    if not limits:
        return []
    sizes = list(limits)
    rates = np.array([size / seconds / 1e9 for size, seconds in limits.items()])
    axes.plot(sizes, rates, color=INK, linewidth=2.2, linestyle=DASHES[device], zorder=4)
    axes.plot(sizes, rates / 2, color=FAINT, linewidth=1, linestyle=(0, (1, 2)))
    return [LineEnd(sizes[-1], float(rates[-1]), f"{DEVICES[device]} limit", INK)]


def _limits(view: View, device: str) -> list[Record]:
    """The read kernel of a device at each size drawn, smallest first."""
    return [view.run.limits[case, device] for case in view.drawn_cases if (case, device) in view.run.limits]


def _finish(axes: Axes, view: View, ends: Sequence[LineEnd]) -> None:
    """The size axis, the caches, and the labels."""
    logarithmic(axes, "x", "bytes", "size of X")
    low, high = axes.get_xlim()
    for name, size in view.run.cache_bytes.items():
        if low < size < high:
            _mark_cache(axes, name, size)
    label_line_ends(axes, ends)


def _mark_cache(axes: Axes, name: str, size: int) -> None:
    place: Any = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    axes.axvline(size, color=FAINT, linewidth=0.8, linestyle=(0, (1, 3)))
    axes.annotate(name, (size, 1), xytext=(3, -7), color=FAINT, fontsize=7, **place)
