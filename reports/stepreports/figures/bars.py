"""The figures made of bars: the phases of a step, and what a row costs before its first step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from statistics import median

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from stepreports.figures.axes import LOOK, canvas, headline, shortened
from stepreports.figures.style import FAINT, INK, styles
from stepreports.statistics.costs import PHASES, cold_start, phases, start_costs
from stepreports.statistics.runs import Run
from stepreports.telling import text

_SHADES = (1.0, 0.6, 0.3)
_LEFT, _RIGHT, _GAP, _BAR = 1.75, 0.65, 0.85, 0.25  # inches
_MOST_PANELS = 2
_FLATTENING = 10  # a row so many times slower than the median would flatten every other bar


@rc_context(LOOK)
def phases_figure(run: Run) -> Figure | None:
    """Forward, backward and update of each row that has them, stacked, for the largest sizes."""
    panels = list(phases(run).items())[-_MOST_PANELS:]
    if not panels:
        return None
    names = list(dict.fromkeys(chain.from_iterable(rows for _, rows in panels)))
    figure, all_axes = canvas(1.2 + _BAR * len(names), _LEFT, _RIGHT, len(panels), _GAP)
    for axes, (case, rows) in zip(all_axes, panels, strict=True):
        parts = {name: [at[phase].seconds.value for phase in PHASES] for name, at in rows.items()}
        _stack(axes, run, names, parts)
        headline(axes, f"{case.size}, {case.dtype}")
    all_axes[0].set_yticks(range(len(names)), [shortened(name) for name in names])
    _key(all_axes[0], PHASES)
    return figure


@rc_context(LOOK)
def start_figure(run: Run) -> Figure | None:
    """What a row costs before its first step: import, bind, and the first call, cold."""
    starts = {row.name: record for row in run.rows if (record := cold_start(run, row.name))}
    if not starts:
        return None
    figure, (axes,) = canvas(1.2 + _BAR * len(starts), _LEFT, _RIGHT)
    _stack(axes, run, list(starts), {name: start_costs(record)[::-1] for name, record in starts.items()})
    axes.set_yticks(range(len(starts)), [shortened(name) for name in starts])
    headline(axes, "Before the first step")
    _key(axes, ("first call, nothing compiled yet", "bind", "import"))
    return figure


def _key(axes: Axes, parts: Sequence[str]) -> None:
    """What the shades of a bar are, below the headline."""
    shades = [Patch(facecolor=INK, alpha=shade, linewidth=0) for shade in _SHADES]
    axes.legend(shades, parts, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(parts), frameon=False,
                labelcolor=FAINT, borderaxespad=0, borderpad=0.5, handlelength=1, columnspacing=1.2)  # fmt: skip


def _stack(axes: Axes, run: Run, names: Sequence[str], parts: Mapping[str, Sequence[float]]) -> None:
    """A bar a row, in the order of the names, its parts one after the other, the total written at its end.

    A row that would flatten the others is cut off at the edge; its total tells.
    """
    looks = styles(run.rows)
    edge = _edge([sum(widths) for widths in parts.values()])
    for name, widths in parts.items():
        place, left = names.index(name), 0.0
        for width, shade in zip(widths, _SHADES, strict=True):
            axes.barh(place, width, left=left, color=looks[name].colour, alpha=shade, height=0.72, linewidth=0)
            left += width
        arrow = " →" if left > edge else ""
        axes.annotate(f"{text.plain_seconds(left)}{arrow}", (min(left, edge), place), xytext=(4, 0),
                      textcoords="offset points", va="center", color=INK, annotation_clip=False)  # fmt: skip
    axes.set(xlim=(0, edge), ylim=(len(names) - 0.5, -0.5), yticks=[])
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(lambda value, _: text.tick_seconds(value))


def _edge(totals: Sequence[float]) -> float:
    """The longest bar that does not flatten half of the others; a second where there is none to flatten."""
    return max(total for total in totals if total <= _FLATTENING * median(totals)) or 1.0
