"""How the control row drifted through a run: what the machine did while nothing changed."""

from __future__ import annotations

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from stepreports.figures.axes import LOOK, canvas, headline, logarithmic
from stepreports.figures.style import FAINT, INK, styles
from stepreports.statistics.control_drift import drift_of
from stepreports.statistics.runs import Run

_HEIGHT, _LEFT, _RIGHT = 2.5, 0.8, 0.3  # inches
_LEAST_RANGE = 1.2  # of the axis, up and down: a quiet run is to look quiet


@rc_context(LOOK)
def drift_figure(run: Run) -> Figure | None:
    """The control's time over its own median, case after case and generation after generation; None without one."""
    found = drift_of(run)
    if found is None:
        return None
    look = styles(run.rows)[found.row.name]
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    places = np.arange(1, len(found.stretches) + 1)
    lows, middles, highs = np.array([(s.low, s.middle, s.high) for s in found.stretches]).T
    axes.fill_between(places, lows, highs, color=look.colour, alpha=0.2, linewidth=0)
    axes.plot(places, middles, color=look.colour, linewidth=1.5, marker="o", markersize=2.5)
    axes.axhline(1, color=INK, linewidth=0.8)
    starts = [0, *np.flatnonzero(np.diff([s.generation for s in found.stretches])) + 1]
    for start, end in zip(starts, [*starts[1:], len(places)], strict=True):
        if start:
            axes.axvline(start + 0.5, color=FAINT, linewidth=0.8, linestyle=(0, (1, 2)))
        name = f"generation {found.stretches[start].generation}"
        axes.annotate(name, ((start + end + 1) / 2, 0), xycoords=("data", "axes fraction"), xytext=(0, 4),
                      textcoords="offset points", ha="center", color=FAINT)  # fmt: skip
    reach = max(_LEAST_RANGE, 1.05 * highs.max(), 1.05 / lows.min())
    axes.set(xlim=(0.5, len(places) + 0.5), ylim=(1 / reach, reach), xticks=[])
    logarithmic(axes, "y", "times", "over its own median")
    axes.set_xlabel("cases, in the order of the run", color=INK)
    headline(axes, f"{found.row.name} through the run", "line: the median turn; band: nine in ten of the turns")
    return figure
