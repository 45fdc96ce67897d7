"""Tables to train on: columns of numbers and a column of labels, from whatever file they come in.

A reader turns a file into a `Table`; what it cannot use is a `ProblemError` that names the file, the column and the
row. Nothing is unpickled: a file of data must not be able to run code.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stepkernels.problem import Array, ProblemError

if TYPE_CHECKING:
    import pandas as pd

Labels = NDArray[Any]

UNREADABLE = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)
BLOCK_ELEMENTS = 2**21  # 16 MiB of float64
MOST_NAMES = 12  # in a sentence


class Table(Protocol):
    """Named columns of so many rows, in the file's order; the last is the target unless told otherwise."""

    name: str
    rows: int
    columns: tuple[str, ...]

    def features(self, columns: Sequence[str]) -> Array:
        """These columns as a matrix (m, n)."""

    def labels(self, column: str) -> Labels:
        """One column as labels (m,): text, or numbers."""


class Frame:
    """A table with a type for each column: CSV, Parquet."""

    def __init__(self, name: str, frame: pd.DataFrame) -> None:
        self.name, self.frame, self.rows = name, frame, len(frame)
        self.columns = tuple(map(str, frame.columns))

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
        self, name: str, X: Array, beside: dict[str, Labels] | None = None, names: Sequence[str] | None = None
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


def read_table(path: Path, width: int = 0) -> Table:
    """The table in a file; svmlight, which does not write zeros, is filled up to `width` features."""
    if not path.exists():
        raise ProblemError(f"There is no file {path}.")
    if path.suffix.lower() not in READERS:
        raise ProblemError(f"{path.name} is of no kind that can be read: {', '.join(READERS)}.")
    if path.is_dir() or path.stat().st_size == 0:
        raise ProblemError(f"{path.name} is {'a folder, not a file' if path.is_dir() else 'empty'}.")
    try:
        table = READERS[path.suffix.lower()](path, width)
    except ProblemError:
        raise
    except UNREADABLE as error:
        reason = str(error).rstrip(".") or type(error).__name__
        raise ProblemError(f"{path.name} cannot be read; it may be cut off or of another kind ({reason}).") from None
    if table.rows == 0 or not table.columns:
        raise ProblemError(f"{path.name} is empty: it holds no rows.")
    return table


def read_csv(path: Path, _width: int) -> Table:
    """Comma-separated, with a line of column names."""
    import pandas as pd

    frame = pd.read_csv(path)
    if all(is_number(str(name)) for name in frame.columns):
        raise ProblemError(f"{path.name} begins with numbers; its first line must name the columns.")
    if len(frame.columns) == 1 and (separators := [sign for sign in ";\t|" if sign in str(frame.columns[0])]):
        raise ProblemError(f"{path.name} is separated by {separators[0]!r}; separate its columns by commas.")
    return Frame(path.name, frame)


def read_parquet(path: Path, _width: int) -> Table:
    import pandas as pd

    try:
        return Frame(path.name, pd.read_parquet(path, engine="pyarrow"))
    except ImportError:
        raise ProblemError("Parquet files are read with pyarrow; python -m pip install pyarrow") from None


def read_npy(path: Path, _width: int) -> Table:
    """A matrix, mapped and not read."""
    return Matrix(path.name, np.lib.format.open_memmap(path, mode="r"))


def read_npz(path: Path, _width: int) -> Table:
    """An array X, and any vectors as long beside it: the target is among them, usually y."""
    arrays = read_arrays(path)
    if "X" not in arrays:
        raise ProblemError(f"{path.name} has no array X. Its arrays: {', '.join(arrays) or 'none'}.")
    X = arrays.pop("X")
    return Matrix(path.name, X, {name: array for name, array in arrays.items() if array.ndim == 1})


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz by name, none of them pickled. Raises what is `UNREADABLE`."""
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise ValueError(f"{damaged} is damaged")
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def read_svmlight(path: Path, width: int) -> Table:
    """Sparse on disk; dense here, where it must fit in memory."""
    import psutil
    from sklearn.datasets import load_svmlight_file

    X, y = load_svmlight_file(str(path))
    X.resize(len(y), max(width, X.shape[1]))
    needed, available = 8 * X.shape[0] * X.shape[1], psutil.virtual_memory().available
    if needed > available / 2:
        raise ProblemError(
            f"{path.name} takes {needed / 2**30:.1f} GiB with its zeros; {available / 2**30:.1f} GiB are available."
        )
    return Matrix(path.name, X.toarray(), {"y": y})


READERS: dict[str, Callable[[Path, int], Table]] = {
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".npy": read_npy,
    ".npz": read_npz,
    ".svmlight": read_svmlight,
    ".libsvm": read_svmlight,
    ".svm": read_svmlight,
}


def choose_target(table: Table, target: str | None) -> tuple[tuple[str, ...], str]:
    """The columns to learn from, and the one to learn: the last unless named. Raises `ProblemError`."""
    chosen = table.columns[-1] if target is None else target
    if chosen not in table.columns:
        raise ProblemError(f"{table.name} has no column {chosen!r}. Columns: {few(table.columns)}.")
    beside = table.beside if isinstance(table, Matrix) else ()
    features = tuple(column for column in table.columns if column != chosen and column not in beside)
    if not features:
        raise ProblemError(f"{table.name} has no column but the target {chosen!r}; there is nothing to learn from.")
    return features, chosen


def two_classes(labels: Labels, table: str, target: str) -> Labels:
    """The two classes among the labels, sorted. Raises `ProblemError` when there is another number of them."""
    classes: Labels = np.unique(labels)
    if len(classes) != 2:
        found = f"{len(classes):,} classes" if len(classes) > 1 else "one class only"
        raise ProblemError(
            f"{table}: the target {target!r} has {found} ({few(classes)}); two are needed. "
            "Name the column to learn with --target."
        )
    return classes


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


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
