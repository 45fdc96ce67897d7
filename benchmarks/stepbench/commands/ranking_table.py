"""The ranking of a run on a terminal: as many columns as it has room for, a line a row, nothing folded or cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import TYPE_CHECKING

from rich.text import Text

from stepbench.commands.terminal import between_words

if TYPE_CHECKING:
    from stepreports.statistics.runs import Record
    from stepreports.telling.ranking import Place, Ranking

GAP = "  "
MOST_TOLD_APART = 6  # of a screen that is to be read
Columns = Sequence[tuple[str, Callable[["Ranking", "Place"], str]]]


def ranking_lines(rankings: Sequence[Ranking], width: float) -> Iterator[Text]:
    """The fastest first, under a line for each case; what all cases of a view share stands above them."""
    from stepreports.telling import steadiness_told
    from stepreports.telling.narrowed import in_a_sentence
    from stepreports.telling.ranking import LEGEND

    columns = _chosen(rankings, width)
    tables = {ranking.case: _cells(ranking, columns) for ranking in rankings}
    widths = _widths(tables.values())
    for title, view in groupby(rankings, key=lambda ranking: ranking.view.title):
        yield from _folded(title[:1].upper() + title[1:], "bold", width)
        for ranking in view:
            yield Text(f"\n{ranking.case.size}", style="bold")
            yield from _table(ranking, tables[ranking.case], widths)
            yield from chain.from_iterable(_folded(in_a_sentence(each), "", width) for each in ranking.narrow)
        yield Text()
    if rankings:
        own = any(place.record.row.own for ranking in rankings for place in ranking.places)
        unsteady = [p.record for ranking in rankings for p in ranking.places if not steadiness_told.is_steady(p.record)]
        legends = [LEGEND, *(["*: a kernel of yours."] if own else []), *([steadiness_told.LEGEND] if unsteady else [])]
        yield from _folded(" ".join(legends), "dim", width)
        yield from _told_apart(unsteady, width)


def _told_apart(unsteady: Sequence[Record], width: float) -> Iterator[Text]:
    """A sentence for each record whose median does not tell its turns, or for a few of them."""
    from stepreports.telling import steadiness_told

    for record in unsteady[:MOST_TOLD_APART]:
        sentence = f"{steadiness_told.MARK} {steadiness_told.sentence(record)}".replace("`", "")
        yield from _folded(sentence, "yellow", width)
    more = len(unsteady) - MOST_TOLD_APART
    if more > 0:
        yield from _folded(f"{steadiness_told.MARK} {more} more, in summary.md and table.csv.", "yellow", width)


def _chosen(rankings: Sequence[Ranking], width: float) -> Columns:
    """With all intervals, with those of times, or with none: the first that fits, or the narrowest."""
    forms = [_columns(intervals) for intervals in (2, 1, 0)]
    return next((form for form in forms if _width(rankings, form) <= width), forms[-1])


def _columns(intervals: int) -> Columns:
    from stepreports.telling import text

    def time(_: Ranking, place: Place) -> str:
        return (text.time if intervals else text.seconds)(place.record.seconds)

    def gap(ranking: Ranking, place: Place) -> str:
        if place is ranking.places[0]:
            return ranking.fastest
        return place.gap if intervals == 2 else place.short_gap

    def share(_: Ranking, place: Place) -> str:
        if place.share is None:
            return "–"
        return text.percentage(place.share) if intervals == 2 else text.percent(place.share.value)

    heads = ("time", "× the fastest", "of the limit") if intervals else ("", "× fastest", "of limit")
    return list(zip(("  row", *heads), (_name, time, gap, share), strict=True))


def _name(_: Ranking, place: Place) -> str:
    from stepreports.telling import steadiness_told

    mark = "" if steadiness_told.is_steady(place.record) else f" {steadiness_told.MARK}"
    return f"{'*' if place.record.row.own else ' '} {place.record.row.name}{mark}"


def _cells(ranking: Ranking, columns: Columns) -> list[list[str]]:
    """A line of headings, and one for each row."""
    name, time, *heads = (head for head, _ in columns)
    unit = ranking.view.one
    return [
        [name, f"{time} of {unit}" if time else unit, *heads],
        *([told(ranking, place) for _, told in columns] for place in ranking.places),
    ]


def _widths(tables: Iterable[Sequence[Sequence[str]]]) -> list[int]:
    """Of each column over all tables, which so stand below one another."""
    return [max(map(len, column)) for column in zip(*chain.from_iterable(tables), strict=True)]


def _width(rankings: Sequence[Ranking], columns: Columns) -> int:
    return sum(_widths(_cells(ranking, columns) for ranking in rankings)) + len(GAP) * (len(columns) - 1)


def _folded(sentence: str, style: str, width: float) -> Iterator[Text]:
    """Words on as many lines as they need."""
    return (Text(line, style=style) for line in between_words(sentence, width).split("\n"))


def _table(ranking: Ranking, lines: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[Text]:
    styles = ["dim", *("bold green" if place.tied else "" for place in ranking.places)]
    for style, cells in zip(styles, lines, strict=True):
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        yield Text(GAP.join(padded).rstrip(), style=style)
