"""A table parted into rows to learn from and rows held out, which neither the scaling nor the parameters see.

A table in memory is split at random, by class. An .npy file whose copies would not fit in memory stays on disk, mapped:
its last rows are held out, so its rows should be in no particular order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from stepbench.cases.data_table import choose_target, classes_of_target, require_finite
from stepbench.cases.datasets import open_table
from stepbench.cases.free_memory import BYTES_OF_A_NUMBER, free_bytes, require_memory
from stepbench.cases.label_text import Labels
from stepbench.training.settings import Training
from stepkernels.classifier.batches import is_memory_mapped
from stepkernels.problem import Array, ProblemError

COPIES = 4.0  # of the features in float64, at most: rows learned from, in two steps standardized, and as a row has X

Rows = Any  # an array of indices, or a slice, which makes views of a memory map


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """The features X (m, n) and labels (m,) of a table, and which rows are learned from and which held out.

    classes  (2,) the labels, sorted
    on_disk  whether X stays on disk and its rows are read a block at a time
    named, counted_from, notes  as the table's
    """

    table: str
    columns: tuple[str, ...]
    target: str
    classes: Labels
    X: Array
    labels: Labels
    on_disk: bool
    known: Rows
    unseen: Rows
    named: bool
    counted_from: int | None
    notes: Sequence[str]


def split(source: str, wanted: Training) -> Split:
    """The rows of a data set or file. Raises `ProblemError` for what cannot be learned."""
    table = open_table(source, reading=replace(wanted.reading, copies=COPIES))
    columns, target = choose_target(table, wanted.target)
    X, labels = table.features(columns), table.labels(target)
    classes = classes_of_target(labels, table.name, target)
    require_finite(X, columns, table.name)
    on_disk = stays_on_disk(X, table.name, wanted.on_disk)
    known, unseen = (last_rows if on_disk else random_rows)(labels, wanted)
    return Split(
        table=table.name, columns=columns, target=target, classes=classes,
        X=X, labels=labels, on_disk=on_disk, known=known, unseen=unseen,
        named=not table.numbered, counted_from=table.counted_from, notes=table.notes,
    )  # fmt: skip


def stays_on_disk(X: Array, name: str, asked: bool | None) -> bool:
    """Whether rows are read a block at a time: as asked, else where X is mapped and its copies would not fit."""
    if asked or not is_memory_mapped(X):
        if asked and not is_memory_mapped(X):
            raise ProblemError("Only an .npy file can be left on disk; convert the data with numpy.save.")
        return bool(asked)
    if asked is None:
        return COPIES * X.size * BYTES_OF_A_NUMBER > free_bytes()
    require_memory(name, len(X), X.shape[1], COPIES, table_bytes=0)
    return False


def random_rows(labels: Labels, wanted: Training) -> tuple[Rows, Rows]:
    """The rows to learn from and those held out, drawn from each class alike."""
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        rare = classes[counts.argmin()]
        raise ProblemError(f"Only one row is of the class {rare}: it cannot be learned from and held out as well.")
    try:
        known, unseen = train_test_split(
            np.arange(len(labels)), test_size=wanted.held_out, stratify=labels, random_state=wanted.seed
        )
    except ValueError:
        raise ProblemError(
            f"{wanted.held_out:.3g} of {len(labels)} rows cannot be held out with both classes on both sides. "
            "Choose another share with --held-out."
        ) from None
    return known, unseen


def last_rows(labels: Labels, wanted: Training) -> tuple[Rows, Rows]:
    """The rows to learn from and those held out, which are the last: views of a memory map."""
    border = round(len(labels) * (1 - wanted.held_out))
    for part in (labels[:border], labels[border:]):
        if len(np.unique(part)) < 2:
            raise ProblemError(
                "The last rows are held out, and on one side of that border is one class only. Shuffle the file's rows."
            )
    return slice(None, border), slice(border, None)
