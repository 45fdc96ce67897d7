"""What the gate found, in lines for a terminal, as JSON and in Markdown: the slowest first, what is unknown folded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from stepreports.comparison.gate import UNKNOWABLE, Comparison, GateResult, Missing, Outcome
from stepreports.statistics.intervals import Estimate
from stepreports.telling import text
from stepreports.telling.bases import base_in_words
from stepreports.telling.tables import markdown

SCHEMA = 1
COUNTED = (Outcome.SLOWER, Outcome.WITHIN, Outcome.UNKNOWN)


def gate_lines(result: GateResult, width: float = math.inf) -> list[str]:
    """The counts, the control, every comparison that could be told; then what could not, and what is missing, folded.

    Where a table with intervals is wider than the screen it has none.
    """
    tables = [list(_table(result, told)) for told in (_over_the_base, _without_interval)]
    table = next((lines for lines in tables if max(map(len, lines), default=0) <= width), tables[-1])
    head = [_counts(result), _control(result), *_apart(result)]
    return [*head, *table, *_unknown(result), UNKNOWABLE, *_lost(result)]


def gate_as_json(result: GateResult) -> dict[str, Any]:
    """All of it, nothing folded."""
    return {
        "schema": SCHEMA,
        "allowed_percent": result.percent,
        "failed": result.failed,
        "note": UNKNOWABLE,
        "control": result.control,
        "machines_apart": list(result.apart),
        "control_moved": [case._asdict() | _estimate(moved) for case, moved in result.moved.items()],
        "comparisons": [
            {"row": each.row, **each.case._asdict(), **_estimate(each.ratio), "outcome": str(each.outcome)}
            for each in sorted(result.comparisons, key=lambda each: -each.ratio.value)
        ],
        "missing": [
            {"row": each.row, **each.case._asdict(), "reason": each.reason, "fault": each.fault}
            for each in result.missing
        ],
    }


def gate_in_markdown(result: GateResult) -> str:
    """A verdict, a table and the folded rest, for the summary of a CI step."""
    lines = [{"row": f"`{c.row}`", "case": c.case.in_words, "time over the base": _over_the_base(c),
              "": str(c.outcome)} for c in _told(result)]  # fmt: skip
    head = f"## Stepbench gate: {'failed' if result.failed else 'passed'}"
    notes = [
        _counts(result), _control(result), UNKNOWABLE, *_apart(result), *_unknown(result), *_lost(result),
    ]  # fmt: skip
    parts = [head, "\n".join(f"- {note}" for note in notes), markdown(lines) if lines else ""]
    return "\n\n".join(filter(None, parts)) + "\n"


def _counts(result: GateResult) -> str:
    counts = ", ".join(f"{outcome}: {len(result.of(outcome))}" for outcome in COUNTED)
    lost = f", missing: {len(result.missing)}" if result.missing else ""
    return f"{text.counted(len(result.comparisons), 'comparison')} with {result.percent:g} % allowed: {counts}{lost}."


def _control(result: GateResult) -> str:
    moved = sorted(result.moved.values(), key=lambda each: each.value)
    if not moved:
        return f"Every time is over that of the control, {result.control}."
    least, most = moved[0], moved[-1]
    span = text.times(least) if len(moved) == 1 else f"from {text.times(least)} to {text.times(most)}"
    return f"Every time is over that of the control, {result.control}, which itself took {span} its time of the base."


def _apart(result: GateResult) -> list[str]:
    return [f"The machines differ: {'; '.join(result.apart)}."] if result.apart else []


def _told(result: GateResult) -> list[Comparison]:
    return [*result.of(Outcome.SLOWER), *result.of(Outcome.WITHIN)]


def _table(result: GateResult, told: Callable[[Comparison], str]) -> Iterator[str]:
    """Columns, the slowest first; the word last, since most lines have the same."""
    words = {Outcome.SLOWER: "slower", Outcome.WITHIN: "within"}
    cells = [(c.row, c.case.in_words, told(c), words[c.outcome]) for c in _told(result)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for line in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()


def _over_the_base(found: Comparison) -> str:
    """The ratio, and what it is a ratio of."""
    return f"{text.times(found.ratio)} the {base_in_words(found.base)} of the base"


def _without_interval(found: Comparison) -> str:
    return f"{text.number(found.ratio.value, text.decimals(found.ratio))}×"


def _unknown(result: GateResult) -> Iterator[str]:
    """A line a row: how many of its cases, and the one that looks worst."""
    for row, found in _by_row(result.of(Outcome.UNKNOWN)):
        worst = max(found, key=lambda each: each.ratio.value)
        cases = text.counted(len(found), "case")
        yield f"cannot tell: {row}, {cases}; the worst {text.times(worst.ratio)}, {worst.case.in_words}"


def _lost(result: GateResult) -> Iterator[str]:
    """A line for each row at fault and its reason; of what is only missing, a line for each reason."""
    faults = sorted(result.faults, key=lambda each: (each.row, each.reason))
    for (row, reason), found in groupby(faults, key=lambda each: (each.row, each.reason)):
        yield f"failed: {row}, {_where(list(found))}: {reason.rstrip('.')}."
    others = sorted((each for each in result.missing if not each.fault), key=lambda each: each.reason)
    for reason, found in groupby(others, key=lambda each: each.reason):
        cases = list(found)
        rows = text.listed(dict.fromkeys(each.row for each in cases))
        yield f"missing: {_where(cases)} of {rows}: {reason.rstrip('.')}."


def _where(found: Sequence[Missing]) -> str:
    return found[0].case.in_words if len(found) == 1 else text.counted(len(found), "case")


def _by_row(found: Sequence[Comparison]) -> list[tuple[str, list[Comparison]]]:
    rows = dict.fromkeys(each.row for each in found)
    return [(row, [each for each in found if each.row == row]) for row in rows]


def _estimate(ratio: Estimate) -> dict[str, float]:
    return {"ratio": ratio.value, "ratio_low": ratio.low, "ratio_high": ratio.high, "confidence": ratio.confidence}
