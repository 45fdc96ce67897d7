"""svmlight (libsvm) files: sparse on disk, dense here, where they must fit in memory.

Indices count from 1 in one file and from 0 in another, and nothing in the file says which; it shows where a 0 occurs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from stepbench.cases.data_table import Matrix, Table
from stepbench.cases.file_names import shown_name
from stepbench.cases.free_memory import require_memory
from stepbench.cases.reading import Reading
from stepkernels.problem import ProblemError

LARGEST_INDEX = 2**31 - 1  # of SciPy's sparse matrices, as scikit-learn reads them


def read_svmlight(path: Path, width: int, reading: Reading) -> Table:
    """The features, filled up with zeros to at least `width` of them, and y."""
    from sklearn.datasets import load_svmlight_file

    try:
        X, y = load_svmlight_file(str(path), zero_based=True)
    except (OverflowError, ValueError):
        require_small_indices(path)
        raise
    if not len(X.indices):
        raise ProblemError(f"{shown_name(path)} is empty: it holds no values.")
    base, notes = base_of(shown_name(path), X, width, reading.zero_based)
    columns = max(width, X.shape[1] - base)
    require_memory(shown_name(path), X.shape[0], columns, reading.copies)
    return Matrix(shown_name(path), dense(X, base, columns), {"y": y}, counted_from=base, notes=notes)


def base_of(name: str, X: Any, width: int, zero_based: bool | None) -> tuple[int, list[str]]:
    """The first column's index, 0 or 1, and what to say of it. Raises `ProblemError` for a 0 where 1 is first."""
    lowest, highest = X.indices.min(), X.indices.max()
    if lowest == 0:
        if zero_based is False:
            row = int(np.searchsorted(X.indptr, (X.indices == 0).argmax(), side="right"))
            raise ProblemError(
                f"{name}: the index 0 occurs in row {row}, though indices are to count from 1, as was said or as they "
                "did in the data learned from. If they count from 0 here, say --zero-based yes."
            )
        return 0, []
    if zero_based is not None:
        return int(not zero_based), []
    if highest == width:
        return 1, []  # counted from 0, it would lie beyond the last column
    guess = "no index is 0, so they were taken to count from 1; the file does not say"
    return 1, [f"{name}: {guess}. If they count from 0, say --zero-based yes."]


def dense(X: Any, base: int, columns: int) -> Any:
    """X with its zeros, (m, columns), the first of them the one with the index `base`."""
    X.indices -= base
    X.resize((X.shape[0], columns))
    return X.toarray()


def require_small_indices(path: Path) -> None:
    """Raise `ProblemError` for an index that no matrix here could have, with its row."""
    with path.open("rb") as stream:
        for row, line in enumerate(stream, 1):
            for item in line.partition(b"#")[0].split()[1:]:
                index = item.partition(b":")[0]
                if index.isdigit() and int(index) > LARGEST_INDEX:
                    raise ProblemError(
                        f"{shown_name(path)}: row {row} has the index {int(index):,}; the largest that can be read is "
                        f"{LARGEST_INDEX:,}. Number the columns anew."
                    )
