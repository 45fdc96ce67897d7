"""Tables to train on: named columns of numbers and a column of labels, wherever they come from.

What cannot be used is a `ProblemError` that names the table, the column and the row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from stepbench.cases.label_text import SPELLS_MISSING, Labels, checked_labels, few, kind_of
from stepkernels.problem import Array, ProblemError, two_classes

BLOCK_ELEMENTS = 2**21  # 16 MiB of float64
CACHED_ELEMENTS = 2**18  # 2 MiB: what is made of it stays in a cache until it has been computed with


class Table(ABC):
    """Named columns of so many rows, in the file's order.

    target        the column to learn unless another is named; None where that is not plain
    beside        columns that hold labels and nothing to learn from
    unfit         what stands beside and cannot be learned, each with the reason
    numbered      whether columns have numbers in place of names: they are told apart by their places alone
    counted_from  the index of the first column in the file, 0 or 1, where columns have indices
    notes         what is to be said of how it was read
    """

    name: str
    rows: int
    columns: tuple[str, ...]
    target: str | None
    beside: Mapping[str, Labels]
    unfit: Mapping[str, str]
    numbered: bool
    counted_from: int | None
    notes: Sequence[str]

    @abstractmethod
    def features(self, columns: Sequence[str]) -> Array:
        """These columns as a matrix (m, n)."""

    @abstractmethod
    def labels(self, column: str) -> Labels:
        """One column as labels (m,): text, or numbers."""


class Matrix(Table):
    """A table of one array X (m, n), perhaps a memory map, whose columns are numbered; labels may stand beside it."""

    def __init__(
        self,
        name: str,
        X: Array,
        beside: Mapping[str, Labels] | None = None,
        names: Sequence[str] | None = None,
        *,
        unfit: Mapping[str, str] | None = None,
        counted_from: int | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        require_matrix(name, X.shape, X.dtype)
        self.name, self.X, self.rows, self.beside, self.unfit = name, X, len(X), beside or {}, unfit or {}
        self.numbered, self.counted_from, self.notes = names is None, counted_from, notes
        self.numbers = {str(column): j for j, column in enumerate(range(X.shape[1]) if names is None else names)}
        self.columns = (*self.numbers, *self.beside)
        self.target = self.columns[-1] if self.columns else None

    def features(self, columns: Sequence[str]) -> Array:
        return self.X[:, self.places(columns)]

    def places(self, columns: Sequence[str]) -> slice | list[int]:
        """Which of X they are; side by side, a slice, with which they are a view: a memory map stays on disk."""
        places = [self.numbers[column] for column in columns]
        first, last = places[0], places[-1] + 1
        return slice(first, last) if places == list(range(first, last)) else places

    def labels(self, column: str) -> Labels:
        require_fit(self, column)
        values = self.beside.get(column)
        if values is None:
            values = np.array(self.X[:, self.numbers[column]])
        return checked_labels(values, self.name, column)


def require_matrix(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise `ProblemError` for an array that is no matrix of real numbers."""
    if len(shape) != 2 or dtype.kind not in "biuf":
        raise ProblemError(
            f"{name} holds {len(shape)} dimension(s) of {kind_of(dtype)}; it must hold a matrix of real numbers."
        )


def choose_target(table: Table, target: str | None) -> tuple[tuple[str, ...], str]:
    """The columns to learn from, and the one to learn: the table's own unless named. Raises `ProblemError`."""
    chosen = table.target if target is None else target
    if chosen is None:
        raise ProblemError(
            f"{table.name} has no array y, and which other is to be learned is not plain. Name it with --target: "
            f"{few((*table.columns, *table.unfit))}."
        )
    require_fit(table, chosen)
    if chosen not in table.columns:
        raise ProblemError(f"{table.name} has no column {chosen!r}. Columns: {few(table.columns)}.")
    features = tuple(column for column in table.columns if column != chosen and column not in table.beside)
    if not features:
        raise ProblemError(f"{table.name} has no column but the target {chosen!r}; there is nothing to learn from.")
    return features, chosen


def classes_of_target(labels: Labels, table: str, target: str) -> Labels:
    """The two classes among the labels, sorted. Raises `ProblemError` when there is another number of them."""

    def not_two(classes: Labels) -> str:
        found = f"{len(classes):,} classes" if len(classes) > 1 else "one class only"
        told = f"{table}: the target {target!r} has {found} ({few(classes)}); two are needed."
        spelt = [text for text in map(str, classes) if text.strip().lower() in SPELLS_MISSING]
        missing = f" If {spelt[0]!r} means that the value is missing, remove its rows." if spelt else ""
        return f"{told}{missing} Name the column to learn with --target."

    return two_classes(labels, not_two)


def require_fit(table: Table, column: str) -> None:
    """Raise `ProblemError` for what stands beside a table and cannot be learned."""
    if column in table.unfit:
        raise ProblemError(f"{table.name}: {column!r} {table.unfit[column]}.")


def require_finite(X: Array, columns: Sequence[str], table: str, before: int = 0) -> None:
    """Raise `ProblemError` for NaN or infinity, naming the column, the value and the row; so many are before X."""
    for part in blocks(X, cached_rows(X.shape[1])):
        wrong = ~np.isfinite(X[part])
        if wrong.any():
            row, j = np.argwhere(wrong)[0]
            place = f"the column {columns[j]!r} holds {X[part][row, j]} in row {before + part.start + row + 1}"
            raise ProblemError(f"{table}: X contains NaN or infinity; remove or impute those values first: {place}.")


def blocks(X: Array, rows: int | None = None) -> Iterator[slice]:
    """Consecutive parts of the rows of X, of so many rows or of 16 MiB: a memory map is never read whole."""
    m, n = X.shape
    size = max(1, BLOCK_ELEMENTS // n) if rows is None else rows
    return (slice(start, min(start + size, m)) for start in range(0, m, size))


def cached_rows(n: int) -> int:
    """How many rows of n columns stay in a cache with what is made of them."""
    return max(1, CACHED_ELEMENTS // n)
