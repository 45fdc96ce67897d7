"""The tables of the classifier's marks, from what `python -m stepbench.evidence.training_marks` measured and stored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stepbench.evidence.marks import reached
from stepreports.records.machines import in_full
from stepreports.records.turns import Turns
from stepreports.statistics.intervals import estimate, ratio
from stepreports.telling import text
from stepreports.telling.tables import markdown

SCHEMA = 1
STORED = "reports/published/*/training.json"
NEARLY = 1.01  # a gradient so much larger than another still is as small

Figures = dict[str, Any]


def training_block(root: Path) -> str:
    """The tables of every machine's stored figures, for the page."""
    parts = []
    for path in sorted(root.glob(STORED)):
        found = json.loads(path.read_text(encoding="utf-8"))
        parts += [tables(found), f"[{where(found)}](../{path.relative_to(root).as_posix()})"]
    return "\n\n".join(parts) or "Nothing has been published yet."


def where(found: Figures) -> str:
    """The machine, the threads, the day and the commit, in a line."""
    commit = str(found["commit"].get("id") or "unknown")[:10]
    dirty = " with uncommitted changes" if found["commit"].get("dirty") else ""
    cpu = in_full(found["machine"]["cpu"], found["machine"])
    return f"{cpu} · {found['threads']} threads · {found['datetime'][:10]} · commit {commit}{dirty}"


def tables(found: Figures) -> str:
    """What was measured, in Markdown: the times of the fits, then the optima."""
    return "\n\n".join(markdown(list(map(line, found[kind]))) for kind, line in (("fits", fit), ("optima", optimum)))


def fit(found: Figures) -> dict[str, str]:
    """A line of the times: how often ours goes into the opponent's, within turns. Of a pair the first is ours."""
    ours, theirs = turns(found["seconds"]), turns(found["opponent_seconds"])
    measured = ratio(theirs, ours)
    if measured is None:
        raise ValueError(f"{found['training']}: the fits share no turn.")
    equal, comes_to = outcome(found)
    return {
        "training": found["training"],
        "against": found["against"],
        "both come to": comes_to,
        "times": f"{text.seconds(estimate(ours))}, {text.seconds(estimate(theirs))}",
        "mark": f"{found['mark']:g}×",
        "measured": text.times(measured),
        "row": f"`{found['row']}`",
        "": reached(measured, found["mark"]) if equal else "not equal",
    }


def turns(seconds: Sequence[Sequence[float]]) -> Turns:
    """As `stepreports.statistics.intervals` takes them, from a list for each generation."""
    return {(g, t): value for g, generation in enumerate(seconds) for t, value in enumerate(generation)}


def outcome(found: Figures) -> tuple[bool, str]:
    """Whether ours comes to as good an end as the opponent's, and what they come to."""
    if "accuracy" in found:
        ours, theirs = found["accuracy"]
        return ours == theirs, f"accuracy {ours:.1%}, {theirs:.1%}"
    (ours, theirs), (iterations, opponents) = found["gradient"], found["iterations"]
    return ours <= NEARLY * theirs, f"gradient {ours:.1e}, {theirs:.1e}; iterations {iterations}, {opponents}"


def optimum(found: Figures) -> dict[str, str]:
    """A line of the distances."""
    return {
        "optimum of": f"{found['data']}, {found['dtype']}",
        "from scikit-learn's Newton solver": f"{found['from_newton']:.1e}",
        "from its default solver": f"{found['from_default']:.1e}",
        "these two apart": f"{found['apart']:.1e}",
        "mark": f"{found['mark']:.0e}",
        "": "reached" if found["from_newton"] <= found["mark"] else "not reached",
    }
