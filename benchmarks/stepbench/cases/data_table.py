"""Tables to train on: named columns of numbers and a column of labels, wherever they come from.

What cannot be used is a `ProblemError` that names the table, the column and the row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stepkernels.problem import Array, ProblemError, two_classes

if TYPE_CHECKING:
    import pandas as pd

Labels = NDArray[Any]

BLOCK_ELEMENTS = 2**21  # 16 MiB of float64
MOST_NAMES = 12  # in a sentence


class Table(Protocol):
    """Named columns of so many rows, in the file's order; the last is the target unless told otherwise.

    beside  columns that hold labels and nothing to learn from
    """

    name: str
    rows: int
    columns: tuple[str, ...]
    beside: Mapping[str, Labels]

    def features(self, columns: Sequence[str]) -> Array:
        """These columns as a matrix (m, n)."""

    def labels(self, column: str) -> Labels:
        """One column as labels (m,): text, or numbers."""


class Frame:
    """A table with a type for each column: CSV, Parquet."""

    def __init__(self, name: str, frame: pd.DataFrame) -> None:
        self.name, self.frame, self.rows = name, frame, len(frame)
        self.columns = tuple(map(str, frame.columns))
        self.beside: Mapping[str, Labels] = {}

    def features(self, columns: Sequence[str]) -> Array:
        for column in columns:
            self._require_numbers(column)
        matrix: Array = self.frame[list(columns)].to_numpy(np.float64)
        return matrix

    def labels(self, column: str) -> Labels:
        self._require_values(column)
        values: Labels = self.frame[column].to_numpy()
        return values if values.dtype.kind in "biuf" else values.astype(str)

    def _require_numbers(self, column: str) -> None:
        import pandas as pd

        values = self.frame[column]
        self._require_values(column)
        if not pd.api.types.is_numeric_dtype(values):
            wrong = pd.to_numeric(values.astype(str), errors="coerce").isna().to_numpy()
            row = int(wrong.argmax())
            raise ProblemError(
                f"{self.name}: the column {column!r} holds text ({str(values.iloc[row])!r} in row {row + 1}); every "
                "column but the target must hold numbers. Encode it as numbers, or leave it out."
            )

    def _require_values(self, column: str) -> None:
        missing = self.frame[column].isna().to_numpy()
        if not missing.any():
            return
        row, count = int(missing.argmax()) + 1, int(missing.sum())
        if count == 1 and row == len(missing):
            why = "the last row: the file seems to be cut off"
        else:
            why = f"row {row}" + (f" and {count - 1} more" if count > 1 else "")
        raise ProblemError(
            f"{self.name}: the column {column!r} has no value in {why}. Remove or fill in what is missing."
        )


class Matrix:
    """A table of one array X (m, n), perhaps a memory map, whose columns are numbered; labels may stand beside it."""

    def __init__(
        self, name: str, X: Array, beside: Mapping[str, Labels] | None = None, names: Sequence[str] | None = None
    ) -> None:
        if X.ndim != 2 or X.dtype.kind not in "biuf":
            raise ProblemError(
                f"{name} holds {X.ndim} dimension(s) of {X.dtype}; it must hold a matrix of real numbers."
            )
        self.name, self.X, self.rows, self.beside = name, X, len(X), beside or {}
        self.numbers = {str(column): j for j, column in enumerate(range(X.shape[1]) if names is None else names)}
        self.columns = (*self.numbers, *self.beside)
        for label, values in self.beside.items():
            if values.shape != X.shape[:1]:
                raise ProblemError(f"{name}: {label!r} has shape {values.shape}; X asks for ({self.rows},).")

    def features(self, columns: Sequence[str]) -> Array:
        places = [self.numbers[column] for column in columns]
        first, last = places[0], places[-1] + 1
        if places == list(range(first, last)):
            return self.X[:, first:last]  # a view: a memory map stays on disk
        return self.X[:, places]

    def labels(self, column: str) -> Labels:
        values = self.beside.get(column)
        if values is None:
            values = np.array(self.X[:, self.numbers[column]])
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ProblemError(f"{self.name}: the target {column!r} holds NaN or infinity.")
        return values


def choose_target(table: Table, target: str | None) -> tuple[tuple[str, ...], str]:
    """The columns to learn from, and the one to learn: the last unless named. Raises `ProblemError`."""
    chosen = table.columns[-1] if target is None else target
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
        return f"{told} Name the column to learn with --target."

    return two_classes(labels, not_two)


def require_finite(X: Array, columns: Sequence[str], table: str) -> None:
    """Raise `ProblemError` for NaN or infinity, naming the column."""
    for part in blocks(X):
        wrong = ~np.isfinite(X[part])
        if wrong.any():
            row, j = np.argwhere(wrong)[0]
            place = f"the column {columns[j]!r} holds {X[part][row, j]} in row {part.start + row + 1}"
            raise ProblemError(f"{table}: {place}; every value must be finite.")


def blocks(X: Array, rows: int | None = None) -> Iterator[slice]:
    """Consecutive parts of the rows of X, of so many rows or of 16 MiB: a memory map is never read whole."""
    m, n = X.shape
    size = max(1, BLOCK_ELEMENTS // n) if rows is None else rows
    return (slice(start, min(start + size, m)) for start in range(0, m, size))


def few(names: Sequence[object] | Labels) -> str:
    """The names in a sentence, the first dozen of them."""
    return ", ".join(map(str, names[:MOST_NAMES])) + (f", … ({len(names)})" if len(names) > MOST_NAMES else "")
