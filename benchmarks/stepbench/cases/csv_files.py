"""Comma-separated files: looked at raw before pandas reads them, which repairs in silence what does not fit.

A row with more values than there are names would make an index of its first value and shift every name by one; a file
without a line of names would lose its first row to them; the text of a class would be taken for a missing value, and
01 for 1.
"""

from __future__ import annotations

import codecs
import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from stepbench.cases.data_frame import NAMELESS_FIRST, PANDAS_NAMELESS, Frame, is_nameless, require_names, without_index
from stepbench.cases.data_table import Table
from stepbench.cases.file_names import shown_name
from stepbench.cases.free_memory import require_memory
from stepbench.cases.label_text import SPELLS_MISSING, few
from stepbench.cases.reading import Reading
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    import pandas as pd

NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?\s*", re.IGNORECASE | re.ASCII)
SPELLS_VALUES = SPELLS_MISSING | {"true", "false", "inf", "-inf", "+inf", "infinity", "-infinity"}
SEPARATORS = ";\t|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a look at the raw rows tells.

    names    of the columns, as written or counted
    header   whether the first row holds them
    width    most values in a row, empty ones beyond the names included
    rows     below the header
    """

    names: list[str]
    header: bool
    width: int
    rows: int

    @property
    def columns(self) -> list[str]:
        """A name for each place."""
        return [PANDAS_NAMELESS.format(j) if self.nameless(j) else self.names[j] for j in range(self.width)]

    def nameless(self, j: int) -> bool:
        return j >= len(self.names) or not self.names[j].strip()


def read_csv(path: Path, reading: Reading) -> Table:
    """Comma-separated, with a line of column names unless told otherwise."""
    layout = layout_of(path, reading.header)
    require_memory(shown_name(path), layout.rows, layout.width, reading.copies)
    frame = parsed(path, layout, low_memory=False)
    places = {name: j for j, name in enumerate(layout.columns)}
    require_names(shown_name(path), layout.columns)
    void = [j for j in frame.columns if layout.nameless(j) and frame[j].isna().all()]
    frame = frame.drop(columns=void).rename(columns=dict(enumerate(layout.columns)))
    first = layout.columns[0]
    index = {first: NAMELESS_FIRST} if layout.header and first in frame and is_nameless(layout.names[0]) else {}
    frame, notes = without_index(frame, shown_name(path), index, reading.keep_index)
    return Frame(
        shown_name(path),
        frame,
        written=lambda column: written(path, layout, places[column]),
        numbered=not layout.header,
        notes=[*([f"{shown_name(path)}: a column without a name or a value was left out."] if void else []), *notes],
    )


def layout_of(path: Path, header: bool | None) -> Layout:
    """Look at every row. Raises `ProblemError` for one with more or fewer values than names, and for a bad header."""
    with opened(path) as stream:
        rows = filled_rows(stream)
        first = next(rows, [])
        if header is False:
            names, whose, rows = [str(j) for j in range(len(first))], "the first", itertools.chain([first], rows)
        else:
            names, whose = without_empty_end(first), "the header"
            require_header(shown_name(path), names, insisted=header is True)
        count, width, short = 0, len(names), None
        for count, values in enumerate(rows, 1):
            if short is not None:
                raise ProblemError(uneven(shown_name(path), count - 1, short, whose, len(names)))
            if any(value.strip() for value in values[len(names) :]):
                raise ProblemError(uneven(shown_name(path), count, len(values), whose, len(names)))
            width = max(width, len(values))
            short = len(values) if len(values) < len(names) else None
    if short is not None:
        raise ProblemError(
            f"{shown_name(path)}: the column {names[-1]!r} has no value in the last row: the file seems to be cut off. "
            "Remove that row, or fill it in."
        )
    return Layout(names=names, header=header is not False, width=width, rows=count)


def uneven(name: str, row: int, values: int, whose: str, names: int) -> str:
    called = "names" if whose == "the header" else "values"
    return (
        f"{name} cannot be read: row {row} has {values} values, {whose} {names} {called}. Every row needs as many; "
        "quote a value that holds a comma."
    )


def without_empty_end(names: list[str]) -> list[str]:
    """Names without empty ones behind the last comma."""
    return names[: max((j for j, name in enumerate(names, 1) if name.strip()), default=0)]


def require_header(name: str, names: list[str], *, insisted: bool) -> None:
    """Raise `ProblemError` for a first line that looks like values, or is separated by other signs than commas."""
    if len(names) == 1 and (separators := [sign for sign in SEPARATORS if sign in names[0]]):
        raise ProblemError(f"{name} is separated by {separators[0]!r}; separate its columns by commas.")
    if not insisted and (values := values_among(names)):
        what = "numbers" if all(map(NUMBER.fullmatch, values)) else "values"
        raise ProblemError(
            f"{name} begins with {what} ({few(values)}); its first line must name the columns. If it has no such "
            "line, say --no-header; if these are the names, --header."
        )


def values_among(names: Sequence[str]) -> list[str]:
    """Those that look like values: numbers; or, where they are half of all, what spells a truth or a missing value."""
    numbers = [text for text in names if NUMBER.fullmatch(text)]
    spelled = [text for text in names if text.strip().lower() in SPELLS_VALUES]
    return numbers or (spelled if 2 * len(spelled) >= len(names) else [])


def parsed(path: Path, layout: Layout, **settings: Any) -> pd.DataFrame:
    """The rows below the header as pandas reads them, columns called by their places."""
    import pandas as pd

    with opened(path) as stream:
        if layout.header:
            next(filled_rows(stream))
        return pd.read_csv(stream, header=None, names=range(layout.width), index_col=False, **settings)


def written(path: Path, layout: Layout, place: int) -> pd.Series[str]:
    """A column as text, as it is written; missing where nothing is."""
    column = parsed(path, layout, usecols=[place], dtype=str, na_filter=False)[place]
    return column.mask(column.str.strip() == "")


def opened(path: Path) -> TextIO:
    """In UTF-8, or in UTF-16 where the first bytes say so, as what a spreadsheet calls Unicode text."""
    with path.open("rb") as file:
        marks_utf16 = file.read(2) in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    return path.open(encoding="utf-16" if marks_utf16 else "utf-8-sig", newline="")


def filled_rows(stream: TextIO) -> Iterator[list[str]]:
    """The rows that are more than a blank line, which pandas passes over as well."""
    return (row for row in csv.reader(stream) if len(row) > 1 or (row and row[0].strip()))
