"""What is told of several runs: whose fastest row is the fastest, each row in each run, and all records in one table.

Times of different runs were taken at different moments, so a ratio between runs is of two medians resampled
independently: wider than a ratio within a turn, and blind to what the machine did meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice

from stepreports.comparison.sides import Side, cases_of
from stepreports.records.machines import machines_apart
from stepreports.records.stored import Case
from stepreports.statistics.intervals import Estimate, Verdict, ratio_between_runs, verdict
from stepreports.statistics.runs import Record
from stepreports.statistics.views import View
from stepreports.telling import text
from stepreports.telling.steadiness_told import time_of
from stepreports.telling.summary import where
from stepreports.telling.tables import Table, markdown, table

_MOST_LINES, _MOST_CLAIMS = 200, 20  # of a page that is to be read; table.csv has them all


def summary(sides: Sequence[Side], view: View, common: Sequence[Case]) -> str:
    """The runs, the claims and every row in each run, in Markdown."""
    parts = ["# Stepbench, compared", "\n".join(f"- **{side.label}**: {where(side.run)}" for side in sides)]
    parts += ["\n".join(f"- {line}" for line in [*other_machines(sides), *claims(sides, view, common)])]
    return "\n\n".join([*parts, markdown(against_first(sides, common))]) + "\n"


def other_machines(sides: Sequence[Side]) -> list[str]:
    """Of each run made on another machine than the first, A: in what that differs."""
    first, *others = sides
    apart = ((side.label, machines_apart(first.run.machine, side.run.machine)) for side in others)
    return [f"{label} is of another machine than {first.label}: {'; '.join(found)}." for label, found in apart if found]


def claims(sides: Sequence[Side], view: View, common: Sequence[Case]) -> list[str]:
    """For each common size of the view, or the largest: which run's fastest row is the fastest, and by how much."""
    return [_claim(sides, case) for case in cases_of(view, common)[-_MOST_CLAIMS:]]


def against_first(sides: Sequence[Side], common: Sequence[Case]) -> list[dict[str, str]]:
    """Every row at every common case: its time in each run, and how many times as fast as in the first, A."""
    first, *others = sides
    told = ((case, row) for case in common for row in dict.fromkeys(chain.from_iterable(s.at(case) for s in sides)))
    return [
        {"row": f"`{row}`", "op": case.op, "dtype": case.dtype, "size": case.size}
        | {side.label: _time(side.at(case).get(row), sides, case) for side in sides}
        | {f"{side.label} over A": _gain(first, side, case, row) for side in others}
        for case, row in islice(told, _MOST_LINES)
    ]


def joined(sides: Sequence[Side]) -> Table:
    """The tables of the runs below one another, with the name each goes by."""
    parts = [(side.label, table(side.run)) for side in sides]
    names = dict.fromkeys(chain.from_iterable(columns for _, columns in parts))
    found: Table = {"run": [label for label, columns in parts for _ in columns["row"]]}
    for name in names:
        found[name] = list(chain.from_iterable(columns[name] for _, columns in parts))
    return found


def _claim(sides: Sequence[Side], case: Case) -> str:
    best = [(side, min(side.at(case).values(), key=lambda record: record.seconds.value)) for side in sides]
    (first, fast), (second, slow), *_ = sorted(best, key=lambda pair: pair[1].seconds.value)
    gain = ratio_between_runs(slow.turns, fast.turns)
    told = _told(gain, (first, fast), (second, slow))
    doubt = "" if told == Verdict.FASTER else f": {told}"
    names = f"`{first.named(fast.row.name)}`", f"`{second.named(slow.row.name)}`"
    return f"At {case.size}, {names[0]} is {text.times(gain)} as fast as {names[1]}{doubt}."


def _time(record: Record | None, sides: Sequence[Side], case: Case) -> str:
    """Its time, and on how many threads where not every run had as many."""
    if record is None:
        return "–"
    budgets = {other.case.threads for side in sides for other in side.at(case).values()}
    threads = f", {text.counted(record.case.threads, 'thread')}" if len(budgets) > 1 else ""
    return f"{time_of(record)}{threads}"


def _gain(first: Side, side: Side, case: Case, row: str) -> str:
    before, after = first.at(case).get(row), side.at(case).get(row)
    if before is None or after is None:
        return "–"
    gain = ratio_between_runs(before.turns, after.turns)
    told = _told(gain, (first, before), (side, after))
    return text.times(gain) + (f", {told}" if told in {Verdict.SAME, Verdict.UNKNOWN} else "")


def _told(gain: Estimate, *measured: tuple[Side, Record]) -> Verdict:
    return verdict(gain.inverse(), max(side.run.margin_of(record.case) for side, record in measured))
