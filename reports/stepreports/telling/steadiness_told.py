"""A median that stands for turns of two kinds, or for turns that drift, in words: with both levels and their shares."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from stepreports.records.stored import Case
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.steadiness import Drift, Kinds
from stepreports.telling import text

MARK = "~"  # beside a row's name, where there is no room for more
LEGEND = f"{MARK}: turns of two kinds, or that drift; the median alone does not tell them."
_MOST_LINES = 12
_LEAST_ROWS = 3  # of a case, from which on most of them are more than a row's own affair


def time_of(record: Record) -> str:
    """A time with its interval; of two kinds of turn, `9.0 µs [8.1, 12.6] (60 % at 8.1 µs and 40 % at 12.6 µs)`."""
    told = _beside(record)
    return text.time(record.seconds) + (f" ({told})" if told else "")


def seconds_of(record: Record) -> str:
    """The same without the interval, as part of a list in words: `9.0 µs, 60 % at 8.1 µs and 40 % at 12.6 µs`."""
    told = _beside(record)
    return text.seconds(record.seconds) + (f", {told}" if told else "")


def is_steady(record: Record) -> bool:
    """Whether nothing was found that a median does not tell."""
    return not (record.steadiness.kinds or record.steadiness.drift)


def sentence(record: Record) -> str:
    """What was found of a record's turns, with its row and case; of one that is not steady."""
    found, told = record.steadiness, []
    if found.kinds:
        told.append(_kinds_in_words(found.kinds, record))
    if found.drift:
        told.append(_drift_in_words(found.drift))
    copy = " (second copy)" if record.replica else f" with X in {record.storage}" if record.storage else ""
    return f"`{record.row.name}`{copy}, {record.case.in_words}: {'; '.join(told)}."


def steadiness_lines(run: Run) -> list[str]:
    """How many records are not steady, the cases at which most rows are not, and a sentence for each other, or a dozen.

    Empty where all are.
    """
    looked_at = [*run.records, *run.narrow]
    found = [record for record in looked_at if not is_steady(record)]
    if not found:
        return []
    alike = _cases_at_large(run)
    others = sorted((each for each in found if each.case not in alike), key=_how_far, reverse=True)
    more = len(others) - _MOST_LINES
    return [
        _counts(len(looked_at), found),
        *(_at_large(case, *counts) for case, counts in alike.items()),
        *map(sentence, others[:_MOST_LINES]),
        *([f"{text.counted(more, 'record')} more: the column `turns_are` of table.csv."] if more > 0 else []),
    ]


def _beside(record: Record) -> str:
    kinds = record.steadiness.kinds
    return _levels(kinds) if kinds else "drifting" if record.steadiness.drift else ""


def _levels(kinds: Kinds) -> str:
    shares = (1 - kinds.slow_share, kinds.slow_share)
    levels = zip(shares, (kinds.fast, kinds.slow), strict=True)
    return " and ".join(f"{text.percent(share)} at {text.plain_seconds(seconds, 3)}" for share, seconds in levels)


def _kinds_in_words(kinds: Kinds, record: Record) -> str:
    by_process = (
        "in each process"
        if kinds.slow_processes is None or kinds.processes == 1
        else f"the latter in {kinds.slow_processes} of {text.counted(kinds.processes, 'process', 'es')}"
    )
    return (
        f"turns of two kinds, {_levels(kinds)}, {by_process}; "
        f"the median, {text.seconds(record.seconds)}, does not tell them"
    )


def _drift_in_words(drift: Drift) -> str:
    by, less = drift.over_generation, drift.over_generation < 0
    return (
        f"a turn takes {text.percent(abs(by))} {'less' if less else 'more'} at the end of a process than at its start"
    )


def _counts(looked_at: int, found: Sequence[Record]) -> str:
    kinds = sum(record.steadiness.kinds is not None for record in found)
    drifting = sum(record.steadiness.drift is not None for record in found)
    told = [
        f"{count:,} {claim}"
        for count, claim in ((kinds, "with turns of two kinds"), (drifting, "with turns that drift"))
        if count
    ]
    return (
        f"Of {text.counted(looked_at, 'record')}, {text.listed(told)} (Hartigan's dip for kinds, Mann and "
        "Kendall's test for drifts; of a hundred runs with neither, 99 would name none)."
    )


def _cases_at_large(run: Run) -> dict[Case, tuple[int, int]]:
    """The cases at which most of what took turns has two kinds of them: how many, of how many."""
    at: dict[Case, list[bool]] = defaultdict(list)
    for record in run.records:
        at[record.case].append(record.steadiness.kinds is not None)
    return {
        case: (sum(kinds), len(kinds))
        for case, kinds in at.items()
        if len(kinds) >= _LEAST_ROWS and 2 * sum(kinds) > len(kinds)
    }


def _at_large(case: Case, of_two_kinds: int, records: int) -> str:
    return (
        f"{case.in_words[:1].upper()}{case.in_words[1:]}: {of_two_kinds} of {records} records have turns of two kinds, "
        "so it is this machine that has two speeds there, rather than a row."
    )


def _how_far(record: Record) -> float:
    kinds, drift = record.steadiness.kinds, record.steadiness.drift
    return max(kinds.slow / kinds.fast if kinds else 1.0, 1 + abs(drift.over_generation) if drift else 1.0)
