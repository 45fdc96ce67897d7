"""The roofline of the machine: what its memory and its arithmetic allow, as measured, and where each row stands.

A step does some four operations for each element of X. How many that makes a byte is decided by the dtype and by how
often a technique reads X, not by its skill; so rows stand in columns, and only the roof above a column can be reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from stepreports.figures.axes import FONT_POINTS, LOOK, LineEnd, canvas, headline, label_line_ends, logarithmic
from stepreports.figures.style import FAINT, INK, styles
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import View
from stepreports.telling import text

_HEIGHT, _LEFT, _RIGHT = 4.2, 0.8, 0.4  # inches
_ROOM_LEFT, _ROOM_RIGHT = 9.0, 3.0  # times the outermost intensity: room for the labels of a column


@dataclass(frozen=True, slots=True)
class Roofs:
    """What a machine was measured to do: reading at its best and at the most bytes, and multiply-adds by dtype."""

    best_gb_per_s: float
    best_bytes: int
    most_gb_per_s: float
    most_bytes: int
    fma_gflops: dict[str, float]


def roofs_of(run: Run) -> Roofs | None:
    """The roofs that the run's machine was measured to have; None where they were not."""
    limits = run.machine.get("limits") or {}
    if not (limits.get("read_gb_per_s") and limits.get("fma_gflops")):
        return None
    size, best = max(limits["read_gb_per_s"], key=lambda point: point[1])
    most, rate = limits["read_gb_per_s"][-1]
    return Roofs(best, size, rate, most, limits["fma_gflops"])


def roof_lines(run: Run) -> list[dict[str, str]]:
    """Every limit that was measured before the run, as a table."""
    roofs, limits = roofs_of(run), run.machine.get("limits") or {}
    if roofs is None:
        return []
    found = {
        f"reading {text.plain_bytes(roofs.best_bytes)}, the best of all sizes": _rate(roofs.best_gb_per_s),
        f"reading {text.plain_bytes(roofs.most_bytes)}, the largest": _rate(roofs.most_gb_per_s),
        "reading and writing beyond the caches (triad)": _rate(limits.get("triad_gb_per_s")),
        **{f"multiply-adds in {dtype}": f"{rate:.3g} GFLOP/s" for dtype, rate in roofs.fma_gflops.items()},
        "an empty compiled call": _time(limits.get("empty_call_seconds")),
        "waking the thread pool": _time(limits.get("pool_wake_seconds")),
        "the clock's resolution": _time(limits.get("clock_resolution_seconds")),
    }
    return [{"limit": limit, "measured": measured} for limit, measured in found.items() if measured]


@rc_context(LOOK)
def roofline_figure(view: View) -> Figure | None:
    """Operations a second against operations a byte: the CPU's rows at the largest size, under the CPU's roofs."""
    roofs = roofs_of(view.run)
    records = [r for r in view.run.cases[view.cases[-1]].values() if r.row.device == "cpu"] if view.cases else []
    records = [record for record in records if record.flops_needed]
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
            under, under * rate, color=INK, linewidth=1.4, linestyle=dashes, label=f"reading {name}: {_rate(rate)}"
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


def _rate(gb_per_s: float | None) -> str:
    return f"{gb_per_s:.3g} GB/s" if gb_per_s else ""


def _time(seconds: float | None) -> str:
    return text.plain_seconds(seconds) if seconds else ""
