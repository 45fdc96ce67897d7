"""The rows of one rank in Parquet files: consecutive row groups, of which the last rows of each are held out.

Where the rows of a rank would not fit in memory they are read again in every step, a part of a row group at a time.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stepbench.cases.data_frame import Frame, require_names
from stepbench.cases.data_table import blocks, cached_rows, choose_target, require_finite
from stepbench.cases.file_names import is_pattern, shown_name
from stepbench.cases.free_memory import free_bytes, gib
from stepbench.cases.label_text import Labels
from stepbench.cases.parquet_files import NAMELESS_INDEX, frame_of, require_pyarrow
from stepbench.machine.torchrun import ranks_here
from stepbench.training.settings import Training
from stepbench.training.sharded.rows_of_rank import COPIES, ArrayRows, OwnRows, Rows, stay_on_disk
from stepkernels.problem import Array, ProblemError

PARQUET = ".parquet"
PART_ELEMENTS = 2**20  # of a row group, 8 MiB of float64: large enough for pandas to be no longer at it than Arrow
COPIES_OF_A_GROUP = 2.0  # that reading one in parts takes: 1.2 to 2 were measured


class Group(NamedTuple):
    """A row group of a Parquet file, and how many of its rows are learned from: the first ones."""

    file: Path
    number: int
    rows: int
    bytes: int
    known: int

    def side(self, *, held_out: bool) -> range:
        """Which of the rows are held out, or learned from."""
        return range(self.known, self.rows) if held_out else range(self.known)


class GroupRows:
    """The rows that are learned from, or those held out, of row groups that are read when they are asked for."""

    def __init__(self, groups: Sequence[Group], columns: Sequence[str], *, held_out: bool) -> None:
        self.groups, self.columns, self.held_out = groups, columns, held_out
        self.m = sum(group.rows - group.known if held_out else group.known for group in groups)
        self.n, self.dtype = len(columns), np.dtype(np.float64)

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        done = 0
        for group in self.groups:
            own = group.side(held_out=self.held_out)
            for before, table in parts_of(group, self.columns):
                X = table.features(self.columns)[max(own.start - before, 0) : max(own.stop - before, 0)]
                for part in blocks(X, cached_rows(self.n)):
                    yield slice(done + part.start, done + part.stop), X[part]
                done += len(X)
                if before + table.rows >= own.stop:
                    break


def of_row_groups(files: Sequence[Path], wanted: Training, rank: int, count: int) -> OwnRows:
    """The row groups of a rank, in memory where they fit. Raises `ProblemError` as `own_rows` does."""
    groups, checksum = row_groups(files, wanted.held_out)
    shares = [list(groups_of_rank(groups, each, count)) for each in range(count)]
    if not all(shares):
        raise ProblemError(
            f"{len(groups)} row groups of such sizes cannot be shared among {count} ranks; take fewer ranks, or write "
            "smaller row groups."
        )
    own = shares[rank]
    for group in own:
        require_group_fits(group)
    name = shown_name(files[0]) if len(files) == 1 else f"{shown_name(files[0].parent.resolve())}/*{PARQUET}"
    columns, target = choose_target(empty_table(own[0]), wanted.target)
    on_disk = stay_on_disk(name, sum(group.rows for group in own), len(columns), wanted.on_disk, COPIES + 1)
    held = [checked(group, columns, target, keep=not on_disk) for group in own]

    def features(*, held_out: bool) -> Rows:
        if on_disk:
            return GroupRows(own, columns, held_out=held_out)
        return ArrayRows(np.concatenate([X[on_side(group, held_out)] for group, (X, _) in zip(own, held, strict=True)]))

    def labels(*, held_out: bool) -> Labels:
        return np.concatenate([y[on_side(group, held_out)] for group, (_, y) in zip(own, held, strict=True)])

    return OwnRows(
        table=name, columns=columns, target=target, named=True, on_disk=on_disk,
        known=features(held_out=False), labels=labels(held_out=False),
        unseen=features(held_out=True), unseen_labels=labels(held_out=True),
        all_known=sum(group.known for group in groups),
        likeness=f"{len(groups)} row groups, {sum(group.rows for group in groups):,} rows, {checksum}",
    )  # fmt: skip


def parquet_files(source: str) -> list[Path]:
    """The Parquet files meant by a folder of them, a pattern, or the name of one; none where it means no such."""
    path = Path(source)
    if path.is_dir():
        found = sorted(path.glob(f"*{PARQUET}"))
    elif is_pattern(path):
        found = sorted(path.parent.glob(path.name))
    else:
        found = [path] if path.suffix.lower() == PARQUET else []
    if not found and (path.is_dir() or is_pattern(path)):
        raise ProblemError(f"There is no file {source if path.suffix else path / f'*{PARQUET}'}.")
    return found


def row_groups(files: Sequence[Path], held_out: float) -> tuple[list[Group], str]:
    """The row groups of all files, in their order, and a checksum, of which nothing but the footers is read.

    A footer has the names and types of the columns, and of each row group the number of rows, the sizes of the columns
    and, where they were written, their least and greatest values.
    """
    groups, digest = [], hashlib.sha256()
    for path in files:
        with opened(path) as file:
            told = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
            digest.update(footer_of(path, file.metadata.serialized_size))
        groups += [
            Group(path, number, each.num_rows, each.total_byte_size, round(each.num_rows * (1 - held_out)))
            for number, each in enumerate(told)
            if each.num_rows
        ]
    return groups, digest.hexdigest()[:12]


def footer_of(path: Path, size: int) -> bytes:
    """The footer of a Parquet file, as it was written: behind it are its size, in four bytes, and four letters."""
    with path.open("rb") as stream:
        stream.seek(-(size + 8), os.SEEK_END)
        return stream.read(size)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A Parquet file to read from. Raises `ProblemError` for one that cannot be read, there or within."""
    require_pyarrow()
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with path.open("rb") as stream, ParquetFile(stream) as file:
            yield file
    except FileNotFoundError:
        raise ProblemError(f"There is no file {path}.") from None
    except MemoryError:  # of Arrow's, too
        raise
    except (OSError, ArrowException) as error:
        raise ProblemError(f"{shown_name(path)} cannot be read; it may be cut off or of another kind.") from error


def groups_of_rank(groups: Sequence[Group], rank: int, count: int) -> Iterator[Group]:
    """Consecutive groups, as near to an equal share of the rows as they come: each goes where its middle lies."""
    before, total = 0, sum(group.rows for group in groups)
    for group in groups:
        if (before + group.rows / 2) * count // total == rank:
            yield group
        before += group.rows


def require_group_fits(group: Group) -> None:
    """Raise `ProblemError` for a row group that would not fit in memory: Arrow reads no less of a file."""
    needed = COPIES_OF_A_GROUP * group.bytes
    if needed > (free := free_bytes(ranks_here())):
        raise ProblemError(
            f"Row group {group.number} of {shown_name(group.file)}, {group.rows:,} rows, takes {gib(needed)} of memory "
            f"to read, and {gib(free)} are available to each rank. Write smaller row groups (row_group_size)."
        )


def empty_table(group: Group) -> Frame:
    """The columns of a row group's file, without the nameless index that pandas may have stored, and no rows."""
    with opened(group.file) as file:
        require_names(shown_name(group.file), file.schema_arrow.names)
        frame = frame_of(file.schema_arrow.empty_table())
    index = [column for column in frame.columns if NAMELESS_INDEX.fullmatch(str(column))]
    return Frame(shown_name(group.file), frame.drop(columns=index))


def parts_of(group: Group, columns: Sequence[str]) -> Iterator[tuple[int, Frame]]:
    """Some columns of a row group, so many rows of it at a time; and how many were before them."""
    from pyarrow import Table

    before, rows = 0, max(1, PART_ELEMENTS // len(columns))
    with opened(group.file) as file:
        for batch in file.iter_batches(rows, row_groups=[group.number], columns=list(columns), use_threads=False):
            name = f"{shown_name(group.file)}, row group {group.number} from row {before + 1} on"
            yield before, Frame(name, frame_of(Table.from_batches([batch])))
            before += batch.num_rows


def checked(group: Group, columns: Sequence[str], target: str, *, keep: bool) -> tuple[Array, Labels]:
    """The features of a row group, or none of them unless they are kept, and the labels.

    Raises `ProblemError` for what cannot be learned.
    """
    features: list[Array] = [np.empty((0, len(columns)))]
    labels: list[Labels] = []
    for _, table in parts_of(group, (*columns, target)):
        if missing := [column for column in (*columns, target) if column not in table.columns]:
            raise ProblemError(f"{table.name} has no column {missing[0]!r}, which the first one of this rank has.")
        X = table.features(columns)
        require_finite(X, columns, table.name)
        labels.append(table.labels(target))
        if keep:
            features.append(X)
    return np.concatenate(features), np.concatenate(labels)


def on_side(group: Group, held_out: bool) -> slice:
    rows = group.side(held_out=held_out)
    return slice(rows.start, rows.stop)
