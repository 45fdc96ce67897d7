"""The ladder of techniques as a tree: on which rung each row stands, so that its factor says what it alone adds.

The order of the records is that of the catalogue, in which the rows of a library go from the plain to the refined. So a
row stands on the one before it of its library and its device, or on its own technique on the other device; the first of
a library on the first of its device, which on the CPU is the matrix form; that on the loop. A kernel of the user's
stands on the matrix form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from stepreports.records.stored import Case, Row
from stepreports.statistics.runs import Record, Run
from stepreports.statistics.views import LOOP, MATRIX_FORM


@lru_cache(maxsize=8)
def rungs_below(run: Run) -> Mapping[str, Row | None]:
    """The row on which each stands, by name; None for one that stands on nothing."""
    loop, matrix = (run.row_of_technique(technique) for technique in (LOOP, MATRIX_FORM))
    ours = [row for row in run.rows if not row.own]
    found: dict[str, Row | None] = {}
    for row in run.rows:
        before = ours[: ours.index(row)] if row in ours else []
        if row == loop:
            found[row.name] = None
        elif row == matrix or not before:
            found[row.name] = loop if row == matrix else matrix
        else:
            found[row.name] = _in_library(row, before) or _first_of_device(row, before, matrix) or matrix or loop
    return found


def _in_library(row: Row, before: Sequence[Row]) -> Row | None:
    """The last row before it of its library: on its own device, or else of its own technique, or else at all."""
    mine = [each for each in reversed(before) if each.library == row.library]
    alike = [each for each in mine if each.device == row.device] or [e for e in mine if e.technique == row.technique]
    return next(iter(alike or mine), None)


def _first_of_device(row: Row, before: Sequence[Row], matrix: Row | None) -> Row | None:
    if matrix and matrix.device == row.device:
        return matrix
    return next((each for each in before if each.device == row.device), None)


def rung_below(run: Run, record: Record) -> Record | None:
    """The record, at the same case, of the nearest row that a record's row stands on."""
    at_case, below = run.cases.get(record.case, {}), rungs_below(run)
    row = below.get(record.row.name)
    while row is not None and row.name not in at_case:
        row = below.get(row.name)
    return at_case[row.name] if row else None


def climbed(run: Run, case: Case) -> Iterator[tuple[int, Record, Record | None]]:
    """The rows of a case as a tree, each before those that stand on it: its depth, it, and what it stands on."""
    standing: dict[str | None, list[Record]] = {}
    for record in run.cases[case].values():
        below = rung_below(run, record)
        standing.setdefault(below.row.name if below else None, []).append(record)

    def climb(name: str | None, below: Record | None, depth: int) -> Iterator[tuple[int, Record, Record | None]]:
        for record in standing.get(name, ()):
            yield depth, record, below
            yield from climb(record.row.name, record, depth + 1)

    yield from climb(None, None, 0)
