"""What to doubt: of single records, to stand beside their numbers, and of a run that was disturbed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from stepreports.statistics.intervals import LOUD_SPREAD, NOISY_SPREAD
from stepreports.statistics.out_of_line import out_of_line, per_element
from stepreports.statistics.runs import Record, Run
from stepreports.telling import text

_MOST_OUT_OF_LINE = 12


def with_doubt(told: str, run: Run, record: Record) -> str:
    """What is told of a record, with what makes it doubtful: `98 µs [90, 106], restless`."""
    return ", ".join(filter(None, (told, *doubts_of(run, record))))


def doubts_of(run: Run, record: Record) -> list[str]:
    """`restless`, where it varied by more than a quarter from turn to turn, and `out of line`."""
    restless, odd = _doubtful(run)
    return ["restless"] * (id(record) in restless) + ["out of line"] * (id(record) in odd)


@lru_cache(maxsize=8)
def _doubtful(run: Run) -> tuple[frozenset[int], frozenset[int]]:
    """The restless records and those out of line, by identity."""
    spreads = zip(run.records, run.spreads, strict=True)
    restless = frozenset(id(record) for record, spread in spreads if spread > LOUD_SPREAD)
    return restless, frozenset(id(record) for _, record, _ in out_of_line(run))


def circumstances(machine: Mapping[str, Any]) -> list[str]:
    """What disturbed the run, or went another way than it was begun."""
    others, anyway = machine.get("other_runs"), machine.get("resumed_anyway")
    told = []
    if isinstance(others, int) and others > 0:
        count = text.counted(others, "other run")
        told.append(f"{count} timed on this machine at the same time: expect wide intervals, and time again alone.")
    if isinstance(anyway, list) and anyway:
        told.append(f"It was resumed although it was begun otherwise: {'; '.join(map(str, anyway))}.")
    return told


def varying_lines(run: Run) -> list[str]:
    """How many records varied from turn to turn, of how many; much, between double asterisks, and less."""
    spreads = [pair for pair in zip(run.spreads, run.records, strict=True) if not pair[1].is_limit]
    loud = [pair for pair in spreads if pair[0] > LOUD_SPREAD]
    noisy = [pair for pair in spreads if NOISY_SPREAD < pair[0] <= LOUD_SPREAD]
    notes = []
    if loud:
        notes.append(f"**{_varying(loud, spreads, LOUD_SPREAD)}: this machine was busy.** {_worst(loud)}")
    if noisy:
        notes.append(f"{_varying(noisy, spreads, NOISY_SPREAD)}. {_worst(noisy)}")
    return notes


def out_of_line_lines(run: Run) -> list[str]:
    """A sentence for each record that costs far more than the same row does at the next sizes, at most a dozen."""
    found = [_out_of_line(*each) for each in out_of_line(run)]
    more = len(found) - _MOST_OUT_OF_LINE
    rest = [f"{text.counted(more, 'record')} more are as far out of line."] if more > 0 else []
    return found[:_MOST_OUT_OF_LINE] + rest


def _out_of_line(before: Record, record: Record, after: Record) -> str:
    cost, *neighbours = (text.plain_seconds(per_element(each).value) for each in (record, before, after))
    at = text.listed(f"{told} at {each.case.size}" for told, each in zip(neighbours, (before, after), strict=True))
    return (
        f"`{record.row.name}`, {record.case.in_words}, is out of line: an element of X takes {cost}, against {at}. "
        "Something is special to this size or shape."
    )


def _varying(pairs: Sequence[tuple[float, Record]], of: Sequence[object], bound: float) -> str:
    varied = f"{len(pairs):,} of {text.counted(len(of), 'record')}"
    return f"{varied} varied by more than {text.percent(bound)} from turn to turn"


def _worst(pairs: Sequence[tuple[float, Record]]) -> str:
    amount, record = max(pairs, key=lambda pair: pair[0])
    return f"The worst is `{record.row.name}`, {record.case.in_words}: {text.percent(amount)}."
