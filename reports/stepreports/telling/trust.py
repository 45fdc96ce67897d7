"""Whether a run can be trusted, in words: what its time went to, and how the harness did in its own test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepreports.records.overhead import Overhead
from stepreports.statistics.control_drift import drift_of
from stepreports.statistics.runs import Run
from stepreports.telling import text


def overhead_in_words(overhead: Overhead) -> str:
    """The share of a run that is no timed round."""
    return (
        f"Of the {text.duration(overhead.elapsed_seconds)} that the run took, {text.percent(overhead.share)} went to "
        "what is not a timed round: starting processes, compiling, binding, proving agreement, warming up."
    )


def drift_in_words(run: Run) -> str | None:
    """How far the control row moved through the run; None where it cannot be told."""
    found = drift_of(run)
    if found is None:
        return None
    least, most = found.range
    return (
        f"`{found.row.name}` at one case after the other, over its own median there: its medians lay between "
        f"{least:.2f}× and {most:.2f}×. Ratios are taken within a turn, so drift is not in them; times have it."
    )


def self_test_lines(figures: Mapping[str, Any]) -> list[dict[str, str]]:
    """The figures as a table. The bias is that of the median with an empty step added, which known steps hide."""
    slower = text.percent(figures["slower"], 1)
    told = {
        "an empty step": text.plain_seconds(figures["empty_seconds"]),
        **{_bias_of_a_step(float(seconds)): _signed_percent(bias) for seconds, bias in figures["bias"].items()},
        "a row against itself, called different": f"{figures['false_alarms']} of {figures['same']} times",
        f"a row made {slower} slower, seen where it could be": f"{figures['seen']} of {figures['able']} times",
        f"too noisy to see {slower}": f"{figures['slowed'] - figures['able']} of {figures['slowed']} times",
        **_margins(figures),
        **_versions(figures),
        **_layouts(figures),
    }
    return [{"asked": asked, "found": found} for asked, found in told.items()]


def _margins(figures: Mapping[str, Any]) -> dict[str, str]:
    """The margin of the cases of each place; a test of an earlier version has one for all."""
    if not figures.get("places"):
        return {"the margin: nothing closer was called different": text.percent(figures["margin"])}
    slower = text.percent(figures["slower"], 1)
    return {
        f"cases {at['place']}": f"margin {text.percent(at['margin'])}, called different {at['false_alarms']} of "
        f"{at['same']} times, {slower} seen {at['seen']} of {at['able']} times"
        for at in figures["places"]
    }


def _versions(figures: Mapping[str, Any]) -> dict[str, str]:
    """What a comparison of versions would have said of the same pairs; a test of an earlier version was not asked."""
    found = figures.get("versions")
    if not found:
        return {}
    slower = text.percent(found["slower"], 1)
    alarms = f"{found['false_alarms']} of {found['same']} times"
    return {
        "identical versions, called different by `stepbench compare`": alarms,
        f"a version {slower} slower, seen by it where it could be": f"{found['seen']} of {found['able']} times",
    }


def _layouts(figures: Mapping[str, Any]) -> dict[str, str]:
    """What a process's memory does to small cases; a test of an earlier version has none."""
    found = (figures.get("layout") or {}).items()
    return {f"processes of one row, {kind}, differed by": text.percent(amount) for kind, amount in found if amount}


def _bias_of_a_step(seconds: float) -> str:
    return f"bias of the median of a step of {text.plain_seconds(seconds, 1)}"


def _signed_percent(fraction: float) -> str:
    return f"{100 * fraction:+.2f} %".replace("-", "\N{MINUS SIGN}")
