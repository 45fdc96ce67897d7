"""Files of data, each kind read into a `Table`.

What cannot be read is a `ProblemError` that names the file. Nothing is unpickled: a file of data must not be able to
run code.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepbench.cases.data_table import Frame, Matrix, Table
from stepkernels.problem import ProblemError

UNREADABLE = (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)


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


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
