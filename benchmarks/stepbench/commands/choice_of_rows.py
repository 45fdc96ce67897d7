"""Which rows a command is about: those named, those of kernel files, and those that must run."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stepbench.commands.terminal import split_list, whole_numbers

if TYPE_CHECKING:
    from stepkernels.interface import Implementation


LARGE_ELEMENTS = 10**6  # of X, at which the fused rows are worth their while


def chosen_rows(names: str | None, kernels: list[Path]) -> list[Implementation]:
    """The rows asked for and those of kernel files, whose names --rows may list too. Raises `ProblemError`."""
    from stepkernels.catalog import CATALOG, rows_named
    from stepkernels.problem import ProblemError

    own = kernels_of_files(kernels)
    chosen = list(CATALOG.values()) if names is None else rows_named(set(split_list(names)) - {row.name for row in own})
    if not chosen and not own:
        raise ProblemError(f"{names!r} names no row (see `stepbench list`).")
    return distinct([*chosen, *own])


def keeping(rows: list[Implementation], storages: Sequence[str], *, by_name: bool) -> list[Implementation]:
    """Of the rows, those that can keep X in one of the storages.

    Raises `ProblemError` for a storage that is none, and for a row asked for by name that keeps X in none of them.
    """
    from stepkernels.problem import ProblemError
    from stepkernels.problem.storage import require_storage

    if not storages:
        raise ProblemError("Of the storages asked for there is none; name one, or leave the option out.")
    for storage in storages:
        require_storage(storage, "float32")
    found = [row for row in rows if {*storages} & {*row.storages}]
    if by_name and (others := [row.name for row in rows if row not in found]):
        raise ProblemError(f"{', '.join(others)} cannot keep X in {' or '.join(storages)} (see `stepbench show`).")
    return found


def rows_to_time(names: str | None, kernels: list[Path]) -> list[Implementation]:
    """As `chosen_rows`; kernels that come without names beside the matrix form and the fastest fused row."""
    if names is not None or not kernels:
        return chosen_rows(names, kernels)
    own = kernels_of_files(kernels)
    return distinct([*_worth_comparing({row.device for row in own}), *own])


def _worth_comparing(devices: set[str]) -> list[Implementation]:
    """The matrix form, and for each device the fused row that is the fastest on large data, if one runs here."""
    from stepkernels.catalog import CATALOG
    from stepkernels.classifier.choice import AUTO, choose_row

    fused = [row for row in CATALOG.values() if row.device == "cuda" and row.passes_over_x == 1]
    found = [CATALOG["numpy-blas"]]
    if "cpu" in devices:
        found.append(choose_row(AUTO, LARGE_ELEMENTS))
    if "cuda" in devices:
        found += [row for row in fused if row.unavailable() is None][:1]
    return list(dict.fromkeys(found))


def kernels_of_files(paths: list[Path]) -> list[Implementation]:
    """The rows of kernel files. A record holds no absolute path. Raises `KernelFileError`."""
    from stepbench.checking.kernel_file import load_kernel

    return [replace(load_kernel(path), module=os.path.relpath(path)) for path in paths]


def with_ranks(rows: list[Implementation], ranks: str | None) -> list[Implementation]:
    """The rows, those that share X among ranks once for each number of them, called torch-distributed-cpu@3 and so on.

    Raises `ProblemError` for a number of ranks that cannot be, and where no row has ranks.
    """
    from stepbench.run.scaling.scale_question import MOST_RANKS
    from stepkernels.problem import ProblemError

    if ranks is None:
        return rows
    counts = whole_numbers(ranks)
    if not counts or not all(1 <= count <= MOST_RANKS for count in counts):
        raise ProblemError(f"--ranks is {ranks!r:.40}; give whole numbers from 1 to {MOST_RANKS}, as in 1,2,3,4.")
    if not any(row.has_ranks for row in rows):
        raise ProblemError("--ranks is for rows that share X among ranks, such as torch-distributed-cpu; name one.")
    return [each for row in rows for each in (in_ranks(row, counts) if row.has_ranks else [row])]


def in_ranks(row: Implementation, counts: list[int]) -> list[Implementation]:
    return [
        replace(row, name=f"{row.name}@{count}", options={**row.options, "ranks": count})
        for count in dict.fromkeys(counts)
    ]


def distinct(rows: list[Implementation]) -> list[Implementation]:
    """The rows. Raises `ProblemError` when two have one name, under which both would be reported."""
    from stepkernels.problem import ProblemError

    for name, count in Counter(row.name for row in rows).items():
        if count > 1:
            raise ProblemError(f"{count} rows are called {name!r}; give the kernel of each file a name of its own.")
    return rows


def asked_by_name(names: str | None, required: str, chosen: list[Implementation]) -> list[str]:
    """Of the rows that take part, those that were asked for by their own names, or are kernels of files."""
    asked = {*split_list(names), *split_list(required)}
    return [row.name for row in chosen if row.name in asked or row.module.endswith(".py")]


def required_rows(names: str, chosen: list[Implementation]) -> list[str]:
    """The rows that must run: these, those of a device named, and every kernel of a file.

    Raises `ProblemError` for one that was not asked for.
    """
    from stepkernels.problem import ProblemError

    required = [row.name for row in chosen if row.module.endswith(".py")]
    for name in split_list(names):
        meant = [row.name for row in chosen if name in (row.name, row.device)]
        if not meant:
            raise ProblemError(f"{name!r} is required but not among the rows asked for (see `stepbench list`).")
        required += meant
    return required
