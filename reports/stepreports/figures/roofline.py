"""The roofline of the machine: what its memory and its arithmetic allow, as measured, and where each row stands.

A step does some four operations for each element of X. How many that makes a byte is decided by the dtype and by how
often a technique reads X, not by its skill; so rows stand in columns, and only the roof above a column can be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepreports.figures.axes import FONT_POINTS, LOOK, LineEnd, canvas, headline, label_line_ends, logarithmic
from stepreports.figures.style import FAINT, INK, styles
from stepreports.statistics.roofs import Roofs, roofs_of
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import View
from stepreports.telling import text

_HEIGHT, _LEFT, _RIGHT = 4.2, 0.8, 0.4  # inches
_ROOM_LEFT, _ROOM_RIGHT = 9.0, 3.0  # times the outermost intensity: room for the labels of a column


@rc_context(LOOK)
def roofline_figure(view: View) -> Figure | None:
    """Operations a second against operations a byte: the CPU's rows at the largest size, under the CPU's roofs."""
    roofs = roofs_of(view.run)
    records = [r for r in view.run.cases[view.cases[-1]].values() if r.row.device == "cpu"] if view.cases else []
    records = [record for record in records if record.flops_needed and record.bytes_needed]
    if roofs is None or view.dtype not in roofs.fma_gflops or not records:
        return None
    case, peak = records[0].case, roofs.fma_gflops[view.dtype]
    figure, (axes,) = canvas(_HEIGHT, _LEFT, _RIGHT)
    x = np.geomspace(min(map(_intensity, records)) / _ROOM_LEFT, _ROOM_RIGHT * peak / roofs.most_gb_per_s, 400)
    _draw_roofs(axes, x, peak, _slopes(view.run, records[0], roofs), view.dtype)
    ends = _draw_records(axes, view.run, records)
    axes.set(xlim=(x[0], x[-1]), ylim=(min(end.y for end in ends) / 4, 2 * peak))
    logarithmic(axes, "x", "plain", "operations for each byte of X that is read")
    logarithmic(axes, "y", "plain", "10⁹ operations a second")
    headline(axes, "Under the roofs of this machine", f"{view.title}; {case.size}")
    label_line_ends(axes, ends)
    return figure


def _slopes(run: Run, record: Record, roofs: Roofs) -> dict[str, tuple[float, Any]]:
    """The reading roofs, GB/s and line style by name: at best, at the most bytes, and this X in turns with the rows."""
    found: dict[str, tuple[float, Any]] = {
        text.plain_bytes(roofs.best_bytes): (roofs.best_gb_per_s, (0, (1, 2))),
        text.plain_bytes(roofs.most_bytes): (roofs.most_gb_per_s, (0, (5, 2))),
    }
    if limit := run.limits.get((record.case, record.row.device)):
        found["this X, in turns"] = (record.bytes_needed / limit.seconds.value / 1e9, "-")
    return found


def _draw_roofs(axes: Axes, x: Any, peak: float, slopes: dict[str, tuple[float, Any]], dtype: str) -> None:
    highest = max(rate for rate, _ in slopes.values())
    for name, (rate, dashes) in slopes.items():
        under = x[x * rate <= peak]
        axes.plot(
            under,
            under * rate,
            color=INK,
            linewidth=1.4,
            linestyle=dashes,
            label=f"reading {name}: {text.gb_per_s(rate)}",
        )
    flat = x[x * highest >= peak]
    arithmetic = f"multiply-adds, {dtype}: {peak:.3g} GFLOP/s"
    axes.plot(flat, np.full(len(flat), peak), color=FAINT, linewidth=2.6, label=arithmetic)
    axes.legend(loc="lower right", frameon=False, labelcolor=INK, fontsize=FONT_POINTS)


def _draw_records(axes: Axes, run: Run, records: Sequence[Record]) -> list[LineEnd]:
    """A marker a row with its interval; its label left of a row that reads X more often than the leanest."""
    looks = styles(run.rows)
    fewest = min(record.passes_over_x for record in records)
    ends = []
    for record in records:
        look, x = looks[record.row.name], _intensity(record)
        rate = record.seconds.inverse().scaled(record.flops_needed / record.case.steps / 1e9)
        axes.vlines(x, rate.low, rate.high, color=look.colour, linewidth=1)
        axes.plot(x, rate.value, color=look.colour, marker=look.marker, markersize=6, linestyle="none")
        ends.append(LineEnd(x, rate.value, record.row.name, look.colour, left=record.passes_over_x > fewest))
    return ends


def _intensity(record: Record) -> float:
    """Operations for each byte, of a row that reads X as often as it says."""
    return record.flops_needed / (record.passes_over_x * record.bytes_needed)
