"""The rows of one rank: a part of an .npy file, which is mapped, or row groups of Parquet files.

What is held out does not depend on the number of ranks: the last rows of an .npy file, as in one process that leaves it
on disk, and the last rows of each row group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stepbench.cases.data_frame import Frame
from stepbench.cases.data_table import Matrix, Table, choose_target, require_finite
from stepbench.cases.datasets import open_table
from stepbench.cases.file_names import shown_name
from stepbench.cases.label_text import Labels
from stepbench.cases.parquet_files import NAMELESS_INDEX, frame_of
from stepbench.training.settings import Training
from stepkernels.arrays.torch_ranks.sharded_step import share_of
from stepkernels.problem import Array, ProblemError

SAMPLED_ROWS = 64  # of an .npy file, by which ranks see that they have the same one
PARQUET = ".parquet"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnRows:
    """The rows of one rank: those to learn from and those held out, each X (m_r, n) and labels (m_r,).

    all_known  how many rows all ranks learn from
    likeness   what has to be the same on all ranks, in a few words and a checksum
    """

    table: str
    columns: tuple[str, ...]
    target: str
    named: bool
    X: Array
    labels: Labels
    unseen_X: Array
    unseen_labels: Labels
    all_known: int
    likeness: str


def own_rows(source: str, wanted: Training, rank: int, count: int) -> OwnRows:
    """The rows of a rank. Raises `ProblemError` for data that cannot be shared or learned, and for too few rows."""
    files = parquet_files(source)
    rows = of_row_groups(files, wanted, rank, count) if files else of_mapped(source, wanted, rank, count)
    if rows.all_known < count:
        raise ProblemError(
            f"{rows.table} has {rows.all_known:,} rows to learn from, fewer than there are ranks ({count})."
        )
    return rows


def of_mapped(source: str, wanted: Training, rank: int, count: int) -> OwnRows:
    """A contiguous part of the known rows of an .npy file, and one of those held out."""
    table = open_table(source, reading=wanted.reading)
    if not (isinstance(table, Matrix) and isinstance(table.X, np.memmap)):
        raise ProblemError(
            f"{table.name} cannot be shared among ranks; give an .npy file (numpy.save), or Parquet files."
        )
    columns, target = choose_target(table, wanted.target)
    border = round(table.rows * (1 - wanted.held_out))
    known = share_of(rank, count, border)
    unseen = share_of(rank, count, table.rows - border)
    own = read_part(table, known, columns, target)
    rest = read_part(table, slice(border + unseen.start, border + unseen.stop), columns, target)
    return OwnRows(
        table=table.name, columns=columns, target=target, named=False,
        X=own[0], labels=own[1], unseen_X=rest[0], unseen_labels=rest[1],
        all_known=border, likeness=f"{table.rows:,} × {len(table.columns)} values, {sampled(table.X)}",
    )  # fmt: skip


def read_part(table: Matrix, rows: slice, columns: Sequence[str], target: str) -> tuple[Array, Labels]:
    """The features of some rows, which stay on disk, and their labels."""
    part = Matrix(f"{table.name} from row {rows.start + 1} on", table.X[rows])
    X = part.features(columns)
    require_finite(X, columns, part.name)
    return X, part.labels(target)


def sampled(X: Array) -> str:
    """A checksum over some rows of X, spread evenly, and its dtype."""
    places = np.unique(np.linspace(0, len(X) - 1, SAMPLED_ROWS).astype(int))
    digest = hashlib.sha256(str(X.dtype).encode() + np.ascontiguousarray(X[places]).tobytes())
    return digest.hexdigest()[:12]


class Group(NamedTuple):
    """A row group of a Parquet file."""

    file: Path
    number: int
    rows: int


def parquet_files(source: str) -> list[Path]:
    """The Parquet files meant by a folder of them, a pattern, or the name of one; none where it means no such."""
    path = Path(source)
    if path.is_dir():
        found = sorted(path.glob(f"*{PARQUET}"))
    elif any(sign in path.name for sign in "*?["):
        found = sorted(path.parent.glob(path.name))
    else:
        found = [path] if path.suffix.lower() == PARQUET else []
    if not found and (path.is_dir() or any(sign in path.name for sign in "*?[")):
        raise ProblemError(f"There is no file {source if path.suffix else path / f'*{PARQUET}'}.")
    return found


def row_groups(files: Sequence[Path]) -> list[Group]:
    """The row groups of all files, in their order, of which nothing but the sizes is read."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    groups = []
    for path in files:
        try:
            with path.open("rb") as stream, ParquetFile(stream) as file:
                sizes = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
        except FileNotFoundError:
            raise ProblemError(f"There is no file {path}.") from None
        except (OSError, ArrowException) as error:
            raise ProblemError(f"{shown_name(path)} cannot be read; it may be cut off or of another kind.") from error
        groups += [Group(path, number, rows) for number, rows in enumerate(sizes) if rows]
    return groups


def groups_of_rank(groups: Sequence[Group], rank: int, count: int) -> Iterator[Group]:
    """Consecutive groups, as near to an equal share of the rows as they come: each goes where its middle lies."""
    before, total = 0, sum(group.rows for group in groups)
    for group in groups:
        if (before + group.rows / 2) * count // total == rank:
            yield group
        before += group.rows


def of_row_groups(files: Sequence[Path], wanted: Training, rank: int, count: int) -> OwnRows:
    """The row groups of a rank, in memory."""
    groups = row_groups(files)
    shares = [list(groups_of_rank(groups, each, count)) for each in range(count)]
    if not all(shares):
        raise ProblemError(
            f"{len(groups)} row groups of such sizes cannot be shared among {count} ranks; take fewer ranks, or write "
            "smaller row groups."
        )
    name = shown_name(files[0]) if len(files) == 1 else f"{files[0].parent.name}/*{PARQUET}"
    tables = [read_group(group) for group in shares[rank]]
    columns, target = choose_target(tables[0], wanted.target)
    parts = [parted(table, columns, target, border(table.rows, wanted)) for table in tables]
    X, labels, unseen_X, unseen_labels = (np.concatenate(each) for each in zip(*parts, strict=True))
    return OwnRows(
        table=name, columns=columns, target=target, named=True,
        X=X, labels=labels, unseen_X=unseen_X, unseen_labels=unseen_labels,
        all_known=sum(border(group.rows, wanted) for group in groups),
        likeness=f"{len(groups)} row groups, {sum(group.rows for group in groups):,} rows of {len(columns)} columns",
    )  # fmt: skip


def border(rows: int, wanted: Training) -> int:
    """How many of the rows of a group are learned from."""
    return round(rows * (1 - wanted.held_out))


def read_group(group: Group) -> Frame:
    """One row group, without the nameless index that pandas may have stored."""
    from pyarrow.parquet import ParquetFile

    with group.file.open("rb") as stream, ParquetFile(stream) as file:
        frame = frame_of(file.read_row_group(group.number))
    index = [column for column in frame.columns if NAMELESS_INDEX.fullmatch(str(column))]
    return Frame(f"{shown_name(group.file)}, row group {group.number}", frame.drop(columns=index))


def parted(table: Table, columns: Sequence[str], target: str, known: int) -> tuple[Any, Any, Any, Any]:
    """X and labels to learn from, and X and labels held out."""
    if missing := [column for column in (*columns, target) if column not in table.columns]:
        raise ProblemError(f"{table.name} has no column {missing[0]!r}, which the first one of this rank has.")
    X, labels = table.features(columns), table.labels(target)
    require_finite(X, columns, table.name)
    return X[:known], labels[:known], X[known:], labels[known:]
