"""A table with a type for each column, as CSV and Parquet files have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stepbench.cases.data_table import Table
from stepbench.cases.label_text import Labels, checked_labels, require_no_gaps
from stepkernels.problem import Array, ProblemError

if TYPE_CHECKING:
    import pandas as pd

PANDAS_NAMELESS = "Unnamed: {}"  # what pandas calls a column without a name, also when it writes it again
NAMELESS_FIRST = "the first column, which has no name,"


class Frame(Table):
    """Columns of a pandas frame.

    written  a column's values as they are written, where the file is text
    """

    def __init__(
        self,
        name: str,
        frame: pd.DataFrame,
        *,
        written: Callable[[str], pd.Series[str]] | None = None,
        numbered: bool = False,
        notes: Sequence[str] = (),
    ) -> None:
        self.name, self.frame, self.rows = name, frame, len(frame)
        self.written = written
        self.columns = tuple(map(str, frame.columns))
        self.target = self.columns[-1] if self.columns else None
        self.beside: Mapping[str, Labels] = {}
        self.unfit: Mapping[str, str] = {}
        self.numbered, self.counted_from, self.notes = numbered, None, notes

    def features(self, columns: Sequence[str]) -> Array:
        return np.column_stack([self._numbers(column) for column in columns])

    def labels(self, column: str) -> Labels:
        values = self.frame[column] if self.written is None else self.written(column)
        require_no_gaps(values.isna().to_numpy(), self.name, column)
        labels: Labels = values.to_numpy()
        return checked_labels(labels if labels.dtype.kind in "biuf" else labels.astype(str), self.name, column)

    def _numbers(self, column: str) -> Array:
        """A column as float64 (m,). Raises `ProblemError` for a value that is missing or no number, with its row."""
        import pandas as pd

        values = self.frame[column]
        require_no_gaps(values.isna().to_numpy(), self.name, column)
        if not pd.api.types.is_numeric_dtype(values):
            written = values.astype(str)
            numbers = pd.to_numeric(written, errors="coerce")
            # Digits that a typed file keeps as text are text.
            wrong = numbers.isna().to_numpy() | (self.written is None)
            if wrong.any():
                raise ProblemError(self._not_a_number(column, int(wrong.argmax())))
            values = written.map(float)  # whole numbers beyond 64 bits, which pandas before 3.1 rounds a bit off
        converted: Array = values.to_numpy(np.float64)
        return converted

    def _not_a_number(self, column: str, row: int) -> str:
        value = self.frame[column].iloc[row]
        kind = "text" if isinstance(value, str) else type(value).__name__
        return (
            f"{self.name}: the column {column!r} holds {kind} ({str(value)!r} in row {row + 1}); every column but the "
            "target must hold numbers. Encode it as numbers, or leave it out."
        )


def require_names(name: str, columns: Sequence[str]) -> None:
    """Raise `ProblemError` for two columns of one name: which is meant could not be told."""
    column, count = Counter(columns).most_common(1)[0] if columns else ("", 0)
    if count > 1:
        raise ProblemError(f"{name} has {count} columns called {column!r}; give each a name of its own.")


def is_nameless(name: str) -> bool:
    """Whether a first column is one without a name, or was one before pandas wrote it again."""
    return name.strip() in ("", PANDAS_NAMELESS.format(0))


def without_index(
    frame: pd.DataFrame, name: str, index: Mapping[str, str], keep: bool | None
) -> tuple[pd.DataFrame, list[str]]:
    """A frame without the index columns that only count its rows, or with all or none of them; and what was decided.

    index  what a column is called in a sentence; a column of data may be called by a name
    keep   as `Reading.keep_index`
    """
    notes = []
    for column, told in index.items():
        nameless = told != named_index(column)
        left_out = nameless and counts_rows(frame[column]) if keep is None else not keep
        if left_out:
            frame = frame.drop(columns=column)
        if keep is None:
            said = "numbers the rows and was left out" if left_out else f"became the column {column!r}"
            otherwise = "--keep-index keeps it" if left_out else "--drop-index leaves it out"
            notes.append(f"{name}: {told} {said} ({otherwise}).")
    return frame, notes


def named_index(column: str) -> str:
    """An index with a name was a column once: it holds data, whatever they look like."""
    return f"the pandas index {column!r}"


def counts_rows(values: pd.Series[float]) -> bool:
    """Whether values are whole numbers, none of them twice: the rows' numbers, perhaps shuffled or some left out."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(values) or values.isna().any():
        return False
    whole = bool((values == values.round()).all()) and not pd.api.types.is_bool_dtype(values)
    return whole and bool(values.is_unique)
