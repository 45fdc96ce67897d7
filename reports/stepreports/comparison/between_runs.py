"""What is told of several runs: how many rows are faster, slower or the same; each row over the control; all records.

Times of different runs were taken at different moments, so a ratio between runs is of two medians resampled
independently: wider than a ratio within a turn, and blind to what the machine did meanwhile, but for what the control
shows of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, islice

from stepreports.comparison.over_control import AgainstFirst, Change
from stepreports.comparison.sides import Side, cases_of
from stepreports.records.machines import machines_apart
from stepreports.records.stored import Case
from stepreports.statistics.intervals import Verdict, ratio_between_runs, verdict
from stepreports.statistics.runs import Record
from stepreports.statistics.views import View
from stepreports.telling import text
from stepreports.telling.steadiness_told import time_of
from stepreports.telling.summary import where
from stepreports.telling.tables import Table, markdown, table

_MOST_LINES, _MOST_CLAIMS = 200, 20  # of a page that is to be read; table.csv has them all
_COUNTED = {
    Verdict.FASTER: "faster", Verdict.SLOWER: "slower", Verdict.SAME: "the same", Verdict.UNKNOWN: "unknown",
}  # fmt: skip


def summary(sides: Sequence[Side], view: View, common: Sequence[Case], found: Sequence[AgainstFirst]) -> str:
    """The counts, the runs, the claims and every row in each run, in Markdown."""
    parts = ["# Stepbench, compared", "\n\n".join(f"**{line}**" for line in map(counts_in_words, found))]
    parts += ["\n".join(f"- **{side.label}**: {where(side.run)}" for side in sides)]
    told = [*map(control_in_words, found), *other_machines(sides), *claims(sides, view, common)]
    parts += ["\n".join(f"- {line}" for line in told)]
    return "\n\n".join([*parts, markdown(row_by_row(sides, common, found))]) + "\n"


def counts_in_words(found: AgainstFirst) -> str:
    """`B beside A: 12 faster, 3 slower, 20 the same, 4 unknown.`"""
    counts = ", ".join(f"{found.counts[told]} {words}" for told, words in _COUNTED.items())
    return f"{found.side.label} beside {found.first.label}: {counts}."


def control_in_words(found: AgainstFirst) -> str:
    """What every ratio is over, and how much faster that is itself; or that there is nothing, and what follows."""
    first, side = found.first.label, found.side.label
    if found.control is None:
        return (
            f"{side} and {first} timed no row twice that both have: their times are compared as they are, and what the "
            "machines did meanwhile cannot be told from what the rows did."
        )
    moved = sorted(found.moved.values(), key=lambda each: each.value)
    if not moved:
        return f"Each row of {side} and {first} is over the control, `{found.control}`."
    least, most = text.times(moved[0]), text.times(moved[-1])
    span = least if len(moved) == 1 else f"from {least} to {most}"
    return (
        f"Each row of {side} and {first} is over the control, `{found.control}`, turn by turn; that itself is {span} "
        f"as fast in {side} as in {first}."
    )


def other_machines(sides: Sequence[Side]) -> list[str]:
    """Of each run made on another machine than the first, A: in what that differs."""
    first, *others = sides
    apart = ((side.label, machines_apart(first.run.machine, side.run.machine)) for side in others)
    return [f"{label} is of another machine than {first.label}: {'; '.join(found)}." for label, found in apart if found]


def claims(sides: Sequence[Side], view: View, common: Sequence[Case]) -> list[str]:
    """For each common size of the view, or the largest: which run's fastest row is the fastest, and by how much."""
    return [_claim(sides, case) for case in cases_of(view, common)[-_MOST_CLAIMS:]]


def row_by_row(sides: Sequence[Side], common: Sequence[Case], found: Sequence[AgainstFirst]) -> list[dict[str, str]]:
    """Every row at every common case: its time in each run, and how many times as fast as in the first, A."""
    told = ((case, row) for case in common for row in dict.fromkeys(chain.from_iterable(s.at(case) for s in sides)))
    return [
        {"row": f"`{row}`", "op": case.op, "dtype": case.dtype, "size": case.size}
        | {side.label: _time(side.at(case).get(row), sides, case) for side in sides}
        | {_head(each): _gain(each, case, row) for each in found}
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


def change_in_words(change: Change) -> str:
    """`1.8× [1.7, 1.9], faster`."""
    return f"{text.times(change.gain)}, {_COUNTED[change.told]}"


def _claim(sides: Sequence[Side], case: Case) -> str:
    best = [(side, min(side.at(case).values(), key=lambda record: record.seconds.value)) for side in sides]
    (first, fast), (second, slow), *_ = sorted(best, key=lambda pair: pair[1].seconds.value)
    gain = ratio_between_runs(slow.turns, fast.turns)
    told = verdict(gain.inverse(), max(side.run.margin_of(r.case) for side, r in ((first, fast), (second, slow))))
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


def _head(found: AgainstFirst) -> str:
    over = f", both over {found.control}" if found.control else ""
    return f"{found.side.label} beside {found.first.label}{over}"


def _gain(found: AgainstFirst, case: Case, row: str) -> str:
    if row == found.control and case in found.moved:
        return f"the control, itself {text.times(found.moved[case])}"
    change = found.at.get((case, row))
    return change_in_words(change) if change else "–"
