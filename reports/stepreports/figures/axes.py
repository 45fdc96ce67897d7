"""What the figures share: logarithmic axes with units, labels at line ends that do not overlap, deterministic files."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from matplotlib.transforms import ScaledTranslation

from stepreports.figures.style import FAINT, GRID, INK, PAPER
from stepreports.telling import text

FONT_POINTS = 8.5
WIDTH = 7.0  # inches
_TOP, _BOTTOM = 0.62, 0.55  # inches around the panels: the headline above, the axis and its label below
_LONGEST_LABEL = 26

# For `mpl.rc_context`, around drawing and around saving: the files depend on the records, not on a matplotlibrc.
LOOK: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same letters
    "font.size": FONT_POINTS,
    "svg.hashsalt": "stepbench",
    "text.parse_math": False,  # a record's names are names, whatever signs are in them
    "text.usetex": False,
}


@dataclass(frozen=True, slots=True)
class LineEnd:
    """A label wanted at the end of a line, in data coordinates."""

    x: float
    y: float
    label: str
    colour: str
    left: bool = False


def canvas(height: float, left: float, right: float, panels: int = 1, gap: float = 0.0) -> tuple[Figure, list[Axes]]:
    """A figure with panels side by side, without pyplot: its height, margins and the gap between panels in inches.

    The margins are fixed, not fitted: figures of one kind line up, and nothing is laid out twice.
    """
    figure = Figure(figsize=(WIDTH, height), facecolor="none")
    width = (WIDTH - left - right - gap * (panels - 1)) / panels
    figure.subplots_adjust(
        left=left / WIDTH, right=1 - right / WIDTH, top=1 - _TOP / height, bottom=_BOTTOM / height, wspace=gap / width
    )
    found = list(figure.subplots(1, panels, squeeze=False).flat)
    for axes in found:
        axes.set_facecolor("none")
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(FAINT)
        axes.tick_params(colors=FAINT, which="both", labelcolor=INK)
        axes.grid(visible=True, color=GRID, linewidth=0.6)
        axes.set_axisbelow(True)
    return figure, found


def headline(axes: Axes, title: str, subtitle: str = "") -> None:
    """A title in ink with a fainter line below it, both flush left."""
    size = FONT_POINTS + 2
    place: Any = {"xy": (0, 1), "xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(title, xytext=(0, 22), color=INK, fontsize=size, fontweight="bold", **place)
    axes.annotate(subtitle, xytext=(0, 9), color=FAINT, **place)


def logarithmic(axes: Axes, which: str, kind: str, label: str) -> None:
    """Make the x or y axis logarithmic: decades, or parts of few, in "seconds", "bytes", "times" or "plain" numbers."""
    getattr(axes, f"set_{which}scale")("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=_EVERY_DECADE if high > 200 * low else _BETWEEN_DECADES, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _TICKS[kind](value)))
    axis.set_minor_locator(NullLocator())
    axis.set_label_text(label, color=INK)


_TICKS = {
    "seconds": lambda value: text.plain_seconds(value, 1),
    "bytes": lambda value: text.plain_bytes(value, 1),
    "times": lambda value: f"{text.significant(value, 1)}×",
    "plain": lambda value: text.significant(value, 1),
}


_EVERY_DECADE, _BETWEEN_DECADES = (1.0,), (1.0, 2.0, 5.0)


def label_line_ends(axes: Axes, ends: Sequence[LineEnd]) -> None:
    """Write each label beside its line's end, moved up or down just enough not to overlap another.

    Labels of lines that end together share a column and are spread apart; call it once the limits are set.
    """
    low, high = np.log10(axes.get_ylim())
    points = axes.bbox.height / axes.get_figure(root=True).dpi * 72  # type: ignore[union-attr]
    for place in {(end.x, end.left) for end in ends}:
        column = sorted((end for end in ends if (end.x, end.left) == place), key=lambda end: end.y)
        wanted = [(math.log10(end.y) - low) / (high - low) for end in column]
        placed = spread_apart(wanted, 1.3 * FONT_POINTS / points, 0.0, 1.0)
        for end, at, moved in zip(column, wanted, placed, strict=True):
            _label(axes, end, rise=(moved - at) * points)


def _label(axes: Axes, end: LineEnd, rise: float) -> None:
    """A label 20 points beside its line's end and `rise` above it, joined to it by a thin line.

    The line is an artist of its own: for an annotation's arrow, matplotlib searches for the point where it leaves the
    label, which takes a fifth of the time of a whole figure.
    """
    beside = -20 if end.left else 20
    away = np.array([beside, rise]) / math.hypot(beside, rise)
    from_end = np.array([4 * away, (beside, rise) - 2.5 * away]) / 72
    figure: Any = axes.get_figure(root=True)
    data: Any = axes.transData
    inches = figure.dpi_scale_trans + ScaledTranslation(end.x, end.y, data)
    axes.add_artist(Line2D(*from_end.T, transform=inches, color=end.colour, linewidth=0.8, zorder=3, clip_on=False))
    axes.annotate(
        shortened(end.label), (end.x, end.y), xytext=(beside, rise), textcoords="offset points", color=INK,
        va="center", ha="right" if end.left else "left", annotation_clip=False,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip


def shortened(label: str) -> str:
    """A label that fits the margin, its end cut off if need be."""
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def spread_apart(wanted: Sequence[float], gap: float, low: float = -math.inf, high: float = math.inf) -> list[float]:
    """Positions in the same order, at least `gap` apart, as near as can be to the wanted ones (least squares).

    Subtracting i·gap turns the constraint into "not decreasing": isotonic regression by pooling violators, which
    bounds only clip. Where there is no room between `low` and `high`, they hang from `high`.
    """
    pools: list[tuple[float, int]] = []
    for index, position in enumerate(wanted):
        mean, count = position - index * gap, 1
        while pools and pools[-1][0] > mean:
            before, members = pools.pop()
            mean, count = (before * members + mean * count) / (members + count), members + count
        pools.append((mean, count))
    flat = np.repeat([mean for mean, _ in pools], [count for _, count in pools])
    room = high - gap * (len(wanted) - 1)
    return [float(value) for value in np.clip(flat, min(low, room), room) + gap * np.arange(len(wanted))]


def svg(figure: Figure, *, letters_as_paths: bool) -> str:
    """The figure as SVG: paths on paper look the same everywhere, text takes the font and the ground of a page."""
    with mpl.rc_context(LOOK | {"svg.fonttype": "path" if letters_as_paths else "none"}), any_letters():
        stream = io.StringIO()
        ground = PAPER if letters_as_paths else "none"
        figure.savefig(stream, format="svg", facecolor=ground, metadata={"Date": None, "Creator": None})
        return stream.getvalue()


@contextmanager
def any_letters() -> Iterator[None]:
    """A name in letters that the font lacks is drawn in boxes, and told in full wherever it is text."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield


def png(figure: Figure) -> bytes:
    """The figure as PNG on white, 160 pixels an inch."""
    with mpl.rc_context(LOOK), any_letters():
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=160, facecolor=PAPER, metadata={"Software": None})
        return stream.getvalue()
