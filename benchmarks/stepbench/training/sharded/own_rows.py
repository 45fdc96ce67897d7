"""The rows of one rank: a part of an .npy file, which is mapped, or row groups of Parquet files.

What is held out does not depend on the number of ranks: the last rows of an .npy file, as in one process that leaves it
on disk, and the last rows of each row group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from stepbench.cases.data_table import Matrix, choose_target, require_finite
from stepbench.cases.datasets import open_table
from stepbench.cases.file_names import shown_name
from stepbench.cases.label_text import Labels
from stepbench.training.settings import Training
from stepbench.training.sharded.row_groups import of_row_groups, parquet_files
from stepbench.training.sharded.rows_of_rank import ArrayRows, OwnRows, stay_on_disk
from stepkernels.arrays.torch_ranks.sharded_step import share_of
from stepkernels.problem import Array, ProblemError

NPY = ".npy"
SAMPLED_ROWS = 64  # of an .npy file, by which ranks see that they have the same one


def own_rows(source: str, wanted: Training, rank: int, count: int) -> OwnRows:
    """The rows of a rank. Raises `ProblemError` for data that cannot be shared or learned, and for too few rows."""
    files = parquet_files(source)
    rows = of_row_groups(files, wanted, rank, count) if files else of_mapped(source, wanted, rank, count)
    if rows.all_known < count:
        raise ProblemError(
            f"{rows.table} has {rows.all_known:,} rows to learn from, fewer than there are ranks ({count})."
        )
    return rows


def bytes_of(source: str) -> int:
    """How many bytes the files of a data set have: none where they are not there, or are no files."""
    files = parquet_files(source) or [Path(source)]
    return sum(file.stat().st_size for file in files if file.is_file())


def of_mapped(source: str, wanted: Training, rank: int, count: int) -> OwnRows:
    """A contiguous part of the known rows of an .npy file, and one of those held out."""
    table = open_table(source, reading=wanted.reading) if Path(source).suffix.lower() == NPY else None
    if not (isinstance(table, Matrix) and isinstance(table.X, np.memmap)):
        raise ProblemError(
            f"{shown_name(Path(source))} cannot be shared among ranks; give an .npy file (numpy.save) or Parquet files."
        )
    columns, target = choose_target(table, wanted.target)
    border = round(table.rows * (1 - wanted.held_out))
    known = share_of(rank, count, border)
    unseen = share_of(rank, count, table.rows - border)
    on_disk = stay_on_disk(table.name, known.stop - known.start, len(columns), wanted.on_disk)
    own = read_part(table, known, columns, target)
    rest = read_part(table, slice(border + unseen.start, border + unseen.stop), columns, target)
    return OwnRows(
        table=table.name, columns=columns, target=target, named=False,
        known=own[0], labels=own[1], unseen=rest[0], unseen_labels=rest[1], on_disk=on_disk,
        all_known=border, likeness=f"{table.rows:,} × {len(table.columns)} values, {sampled(table.X)}",
    )  # fmt: skip


def read_part(table: Matrix, rows: slice, columns: Sequence[str], target: str) -> tuple[ArrayRows, Labels]:
    """The features of some rows, which stay on disk, and their labels."""
    X = ArrayRows(table.X[rows], table.places(columns))
    for part, block in X.blocks():
        require_finite(block, columns, table.name, before=rows.start + part.start)
    return X, Matrix(f"{table.name} from row {rows.start + 1} on", table.X[rows]).labels(target)


def sampled(X: Array) -> str:
    """A checksum over some rows of X, spread evenly, and its dtype."""
    places = np.unique(np.linspace(0, len(X) - 1, SAMPLED_ROWS).astype(int))
    digest = hashlib.sha256(str(X.dtype).encode() + np.ascontiguousarray(X[places]).tobytes())
    return digest.hexdigest()[:12]
