"""The rows of one rank, as a training wants them: in an array, or read again a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from stepbench.cases.data_table import blocks, cached_rows
from stepbench.cases.free_memory import BYTES_OF_A_NUMBER, free_bytes, gib
from stepbench.cases.label_text import Labels
from stepbench.machine.torchrun import ranks_here
from stepkernels.problem import Array, ProblemError

COPIES = 2.0  # of a rank's features: standardized, and as a row has them


class Rows(Protocol):
    """Features (m, n) of so many rows, as they were read: not standardized."""

    m: int
    n: int
    dtype: np.dtype[Any]

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """All of them in order, a block that a cache holds at a time, and which of the m rows these are."""


class ArrayRows:
    """Rows of an array (m, …), which is in memory or mapped: the columns of it that are wanted."""

    def __init__(self, X: Array, columns: slice | list[int] = slice(None)) -> None:
        self.X, self.columns, self.dtype = X, columns, X.dtype
        self.m, self.n = len(X), X[:0, columns].shape[1]

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        return ((part, self.X[part, self.columns]) for part in blocks(self.X, cached_rows(self.n)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnRows:
    """The rows of one rank: those to learn from and those held out, each with its labels (m_r,).

    all_known  how many rows all ranks learn from
    likeness   what has to be the same on all ranks, in a few words and a checksum
    on_disk    whether no more than a block of the features is to be in memory
    """

    table: str
    columns: tuple[str, ...]
    target: str
    named: bool
    known: Rows
    labels: Labels
    unseen: Rows
    unseen_labels: Labels
    all_known: int
    likeness: str
    on_disk: bool


def stay_on_disk(name: str, rows: int, columns: int, asked: bool | None, copies: float = COPIES) -> bool:
    """Whether a rank reads its rows a block at a time: as asked, else where copies of them would not fit.

    Raises `ProblemError` where they are to be in memory and would not fit.
    """
    needed, free = copies * rows * columns * BYTES_OF_A_NUMBER, free_bytes(ranks_here())
    if asked is None:
        return needed > free
    if not asked and needed > free:
        raise ProblemError(
            f"{name}: the {rows:,} × {columns:,} values of a rank take {gib(needed)} of memory with the copies made of "
            f"them, and {gib(free)} are available to it. Leave out --in-memory."
        )
    return asked
