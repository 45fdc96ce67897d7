"""The machine of a run in words: the limits that were measured of it, and everything else that was recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepreports.statistics.roofs import roofs_of
from stepreports.statistics.runs import Run
from stepreports.telling import text

_MOST_BYTES = 2**63  # beyond it is no size of anything


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


def machine_lines(run: Run) -> list[tuple[str, str]]:
    """The machine, the versions and the run as they were recorded, a name and a value a line."""
    machine = {name: value for name, value in run.machine.items() if name != "limits"}  # they have a table of their own
    told: dict[str, Any] = {"run": run.run_id, "when": run.when, "commit": run.commit, **machine}
    return facts_of(told)


def facts_of(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Whatever is told of a machine, nested or not, a name in words and a value a line."""
    return [(name.replace("_", " "), value) for name, value in _flattened(told)]


def _flattened(told: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for name, value in told.items():
        match value:
            case dict():
                lines += _flattened(value, f"{prefix}{name} ")
            case list() if value and all(isinstance(item, dict) for item in value):
                for number, item in enumerate(value):
                    lines += _flattened(item, f"{prefix}{name.rstrip('s')} {number} ")
            case None | [] | "":
                lines.append((f"{prefix}{name}", "not known"))
            case list() if all(isinstance(item, str) for item in value):
                lines.append((f"{prefix}{name}", ", ".join(value)))
            case bool():
                lines.append((f"{prefix}{name}", "yes" if value else "no"))
            case int() if 0 <= value < _MOST_BYTES and (name.endswith("bytes") or prefix == "caches "):
                lines.append((f"{prefix}{name.removesuffix('_bytes')}", text.plain_bytes(value, 3)))
            case float():
                lines.append((f"{prefix}{name}", f"{value:.5g}"))
            case _:
                lines.append((f"{prefix}{name}", str(value)))
    return lines


def _rate(gb_per_s: float | None) -> str:
    return text.gb_per_s(gb_per_s) if gb_per_s else ""


def _time(seconds: float | None) -> str:
    return text.plain_seconds(seconds) if seconds else ""
