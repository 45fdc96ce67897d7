"""Files of data, each kind read into a `Table`. What cannot be read is a `ProblemError` that names the file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from stepbench.cases.archives import Declared, declared_arrays, mapped_array, unpacked
from stepbench.cases.csv_files import read_csv
from stepbench.cases.data_table import Matrix, Table, require_matrix
from stepbench.cases.file_names import shown_name
from stepbench.cases.free_memory import memory_in_sentences, require_memory
from stepbench.cases.parquet_files import read_parquet
from stepbench.cases.reading import AS_IT_LOOKS, Reading
from stepbench.cases.svmlight_files import read_svmlight
from stepkernels.problem import ProblemError

TARGET = "y"  # of an .npz


def read_table(path: Path, width: int = 0, reading: Reading = AS_IT_LOOKS) -> Table:
    """The table in a file; svmlight, which does not write zeros, is filled up to `width` features."""
    if not path.exists():
        raise ProblemError(f"There is no file {path}.")
    if path.suffix.lower() not in READERS:
        raise ProblemError(f"{shown_name(path)} is of no kind that can be read: {', '.join(READERS)}.")
    if path.is_dir() or path.stat().st_size == 0:
        raise ProblemError(f"{shown_name(path)} is {'a folder, not a file' if path.is_dir() else 'empty'}.")
    try:
        with memory_in_sentences(shown_name(path)):
            table = READERS[path.suffix.lower()](path, width, reading)
    except ProblemError:
        raise
    except Exception as error:  # of whichever library reads it: damaged bytes can make it raise anything
        why = f"it may be cut off or of another kind ({told(error)})"
        raise ProblemError(f"{shown_name(path)} cannot be read; {why}.") from error
    if table.rows == 0 or not table.columns:
        raise ProblemError(f"{shown_name(path)} is empty: it holds no rows.")
    return table


def told(error: Exception) -> str:
    """The first line of what a library says."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def read_npy(path: Path) -> Table:
    return Matrix(shown_name(path), mapped_array(path))


def read_npz(path: Path, reading: Reading) -> Table:
    """An array X and, beside it, y: what is to be learned. Without a y, it is the only other array of so many rows."""
    with zipfile.ZipFile(path) as archive:
        declared = declared_arrays(archive)
        if "X" not in declared:
            raise ProblemError(f"{shown_name(path)} has no array X. Its arrays: {', '.join(declared) or 'none'}.")
        X = declared.pop("X")
        require_matrix(shown_name(path), X.shape, X.dtype)
        rows, columns = X.shape
        unfit = {name: reason for name, array in declared.items() if (reason := no_labels(array, rows))}
        fit = [name for name in declared if name not in unfit]
        held = X.bytes + sum(declared[name].bytes for name in fit)
        require_memory(shown_name(path), rows, columns, reading.copies, held)
        arrays = unpacked(archive, ["X", *fit])
    table = Matrix(shown_name(path), arrays["X"], {name: arrays[name].reshape(-1) for name in fit}, unfit=unfit)
    table.target = target_among(declared, rows)
    return table


def no_labels(array: Declared, rows: int) -> str | None:
    """Why an array cannot hold the labels of so many rows, or None."""
    if array.shape not in ((rows,), (rows, 1)):
        return f"has shape {array.shape}; X asks for ({rows},)"
    if array.dtype.hasobject:
        return "holds Python objects, which are not unpickled; save it as numbers or text, as with y.astype(str)"
    return None


def target_among(beside: dict[str, Declared], rows: int) -> str | None:
    """y, or the only array with a value for each row; None where there is no such, or several."""
    candidates = [name for name, array in beside.items() if array.shape[:1] == (rows,)]
    return TARGET if TARGET in beside else candidates[0] if len(candidates) == 1 else None


READERS: dict[str, Callable[[Path, int, Reading], Table]] = {
    ".csv": lambda path, _, reading: read_csv(path, reading),
    ".parquet": lambda path, _, reading: read_parquet(path, reading),
    ".npy": lambda path, *_: read_npy(path),
    ".npz": lambda path, _, reading: read_npz(path, reading),
    ".svmlight": read_svmlight,
    ".libsvm": read_svmlight,
    ".svm": read_svmlight,
}
