"""The tables of `python -m stepbench.evidence.peers`, from what it measured and stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepbench.evidence.declared import PEER_MARKS
from stepbench.evidence.marks import reached
from stepbench.evidence.peers.libraries import OURS
from stepbench.evidence.training_table import NEARLY, turns
from stepreports.statistics.intervals import Estimate, estimate, ratio
from stepreports.telling import text
from stepreports.telling.tables import markdown

COPY = 0.5  # of X, from which on what a fit holds beyond it is told as a copy
LEAST_BYTES = 10 * 2**20  # of an X whose twentieth stands out from what a process takes and gives back anyway
OF_PENALTY = 0.1  # of the gradient of b, that may differ from what a penalty of b would leave

Figures = Mapping[str, Any]


def tables(found: Figures) -> str:
    """What was measured, in Markdown: every fit, then the marks."""
    lines = [line(case, fit) for case in found["cases"] for fit in case["fits"]]
    marks = [mark for case in found["cases"] for mark in (speed(case), memory(case)) if mark]
    return "\n\n".join(filter(None, (markdown(lines), markdown(marks))))


def line(case: Figures, fit: Figures) -> dict[str, str]:
    """A fit beside ours."""
    return {
        "data": named(case),
        "trained by": fit["peer"] + (f" {fit['version']}" if fit["version"] else ""),
        "time": _time(fit),
        "ours is faster by": _gain(case, fit),
        "gradient left": f"{fit['gradient']:.1e}" if "gradient" in fit else "–",
        "tolerance": f"{fit['tol']:.0e}" if fit.get("tol") else "–",
        "iterations": str(fit["iterations"]) if fit.get("iterations") is not None else "–",
        "memory beyond X": _memory(case, fit),
        "notes": "; ".join(notes(case, fit)),
    }


def named(case: Figures) -> str:
    return f"{case['m']:,} × {case['n']:,}, {case['dtype']}"


def notes(case: Figures, fit: Figures) -> list[str]:
    """What it did that nobody asked for, and did not do that was asked for."""
    found = [fit["reason"]] if fit["reason"] else []
    if "gradient" not in fit:
        return found
    if not leaves_it(case, fit):
        found.append(f"does not reach {case['target']:.0e}")
    if penalizes_intercept(case, fit):
        found.append("penalizes the intercept")
    if fit["dtype"] != case["dtype"]:
        found.append(f"returns {fit['dtype']}")
    if (share := memory_share(case, fit)) is not None and share >= COPY:
        found.append(f"copies X: holds {text.significant(share)} times as much beside it")
    if is_timed(fit) and fit["seconds"] is None:
        found.append("timed once, in a process of its own")
    return found + [f"tells: {words}" for words in fit["told"] if "running accelerated" not in words]


def leaves_it(case: Figures, fit: Figures) -> bool:
    """Whether a fit leaves as small a gradient as was asked for."""
    return "gradient" in fit and bool(fit["gradient"] <= NEARLY * case["target"])


def penalizes_intercept(case: Figures, fit: Figures) -> bool:
    """Whether b is where a penalty would hold it: what is left of its gradient is −c·b, the most of the whole."""
    pull = abs(fit["gb"] + fit["l2"] * fit["b"])
    return not leaves_it(case, fit) and pull <= OF_PENALTY * abs(fit["gb"]) and abs(fit["gb"]) >= 0.9 * fit["gradient"]


def is_timed(fit: Figures) -> bool:
    """Whether there is a time of it: of turns, or of the one fit that was found out about."""
    return "once_seconds" in fit


def memory_share(case: Figures, fit: Figures) -> float | None:
    """What the process held beyond X during a fit, of the bytes of X; None where X is too small to tell."""
    held = fit.get("memory_bytes")
    return held / case["x_bytes"] if held is not None and case["x_bytes"] >= LEAST_BYTES else None


def ours_of(case: Figures) -> Figures:
    fit: Figures = next(fit for fit in case["fits"] if fit["peer"] == OURS)
    return fit


def faster_by(case: Figures, fit: Figures) -> Estimate | None:
    """How many times as fast ours is, within turns; None where the two share none."""
    ours = ours_of(case)
    if ours.get("seconds") is None or fit.get("seconds") is None:
        return None
    return ratio(turns(fit["seconds"]), turns(ours["seconds"]))


def once_faster_by(case: Figures, fit: Figures) -> float | None:
    """The same by the one fit that was found out about; None where ours took no turns, or there is no such fit."""
    ours = ours_of(case)
    return fit["once_seconds"] / _seconds(ours) if is_timed(fit) and ours.get("seconds") is not None else None


def fastest(case: Figures) -> Figures | None:
    """The fastest peer among those that leave the gradient."""
    able = [fit for fit in case["fits"] if fit["peer"] != OURS and leaves_it(case, fit)]
    return min(able, key=_seconds, default=None)


def speed(case: Figures) -> dict[str, str] | None:
    """The line of the mark of the time; None where there is no mark."""
    mark, peer = PEER_MARKS.times.get((case["m"], case["n"])), fastest(case)
    if mark is None:
        return None
    return {
        "data": named(case),
        "held to": f"{mark:g}× the fastest peer that leaves {case['target']:.0e}",
        "against": peer["peer"] if peer else "–",
        "measured": _gain(case, peer) if peer else "–",
        "": _standing(case, peer, mark) if peer else "not measured",
    }


def _standing(case: Figures, peer: Figures, mark: float) -> str:
    if not leaves_it(case, ours_of(case)):
        return "not equal"
    if measured := faster_by(case, peer):
        return reached(measured, mark)
    once = once_faster_by(case, peer)
    return "not measured" if once is None else f"{'reached' if once >= mark else 'not reached'}, timed once"


def memory(case: Figures) -> dict[str, str] | None:
    """The line of the mark of the memory; None where X is too small to tell."""
    share = memory_share(case, ours_of(case))
    if share is None:
        return None
    most = PEER_MARKS.memory_share
    return {
        "data": named(case),
        "held to": f"peak memory beyond X, at most {text.percent(most)} of X",
        "against": "X",
        "measured": text.percent(share) if share else "0 %",
        "": "reached" if share <= most else "not reached",
    }


def _seconds(fit: Figures) -> float:
    """The median of its turns, or what one fit took."""
    once: float = fit["once_seconds"]
    return once if fit.get("seconds") is None else estimate(turns(fit["seconds"])).value


def _time(fit: Figures) -> str:
    if fit.get("seconds") is not None:
        return text.time(estimate(turns(fit["seconds"])))
    return text.plain_seconds(fit["once_seconds"]) if is_timed(fit) else "–"


def _gain(case: Figures, fit: Figures) -> str:
    if fit["peer"] == OURS:
        return ""
    if measured := faster_by(case, fit):
        return text.times(measured)
    once = once_faster_by(case, fit)
    return "–" if once is None else f"about {text.significant(once)}×"


def _memory(case: Figures, fit: Figures) -> str:
    held = fit.get("memory_bytes")
    if held is None:
        return "–"
    share = memory_share(case, fit)
    return f"{text.plain_bytes(held)}" + (f", {text.percent(share)} of X" if share else "")
