"""Options that several commands take."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from stepbench.commands.terminal import whole_numbers

if TYPE_CHECKING:
    from stepbench.cases.reading import Reading

DATA_FILES = "a file (.csv, .parquet, .npy, .npz, .svmlight)"


class CountedFromZero(StrEnum):
    """An answer, or none."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


Rows = Annotated[
    str | None, typer.Option("--rows", metavar="ROW,…", help="Only these rows, comma-separated (see `stepbench list`).")
]
Require = Annotated[
    str,
    typer.Option(
        "--require", metavar="ROW,…", help="Rows that must run, comma-separated: one that cannot is a failure."
    ),
]
KernelFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--kernel",
        metavar="FILE.py",
        help="A kernel file of your own, with IMPLEMENTATION and bind() (see CONTRIBUTING.md); may be repeated.",
    ),
]
Sizes = Annotated[str | None, typer.Option(help="Synthetic sizes, rows x columns, as in 1000x20,20000x50.")]
Ops = Annotated[str | None, typer.Option(help="Comma-separated: forward, backward, gradient, update, step, train.")]
Dtypes = Annotated[str | None, typer.Option(help="float32,float64.")]
Storages = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="STORAGE,…",
        help="Keep X also in float16, bfloat16 or int8, comma-separated, computing in float32: for the rows that can.",
    ),
]
Optimizers = Annotated[str | None, typer.Option(help="gd,adam.")]
Threads = Annotated[str | None, typer.Option(help="Thread budgets, as in 1,2. Default: all this process may use.")]
Data = Annotated[str, typer.Argument(help=f"breast-cancer, digits-parity, or {DATA_FILES}.", metavar="DATA")]
Target = Annotated[str | None, typer.Option(help="The column to learn, in a file. Default: its last.")]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        help="Whether the first line of a .csv names its columns. Default: it does, and one that looks like values is "
        "refused. Without names, columns are called 0, 1, 2, ….",
    ),
]
KeepIndex = Annotated[
    bool | None,
    typer.Option(
        "--keep-index/--drop-index",
        help="Whether a nameless first column of a .csv, or a pandas index in a .parquet, is a column like any other. "
        "Default: one without a name that numbers the rows is left out, another is kept, and both are said.",
    ),
]
ZeroBased = Annotated[
    CountedFromZero,
    typer.Option(
        help="Whether the indices of .svmlight files count from 0. Auto: if a 0 occurs among them; a model knows how "
        "those it learned from did."
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


class AsksHowToRead(Protocol):
    """The options of a command that reads a file."""

    @property
    def header(self) -> bool | None: ...
    @property
    def keep_index(self) -> bool | None: ...
    @property
    def zero_based(self) -> CountedFromZero: ...


class AsksForCases(Protocol):
    """The options of a command that times: which operations, and how."""

    @property
    def ops(self) -> str | None: ...
    @property
    def dtypes(self) -> str | None: ...
    @property
    def optimizer(self) -> str | None: ...
    @property
    def threads(self) -> str | None: ...


def chosen_cases(asked: AsksForCases) -> dict[str, Any]:
    """What those options come to, as fields of `Choices`. Raises `ProblemError`, or Typer's `BadParameter`."""
    from stepbench.cases.parsing import parse_choices, parse_ops, parse_optimizers
    from stepkernels.problem import DTYPES

    return {
        "ops": None if asked.ops is None else parse_ops(asked.ops),
        "dtypes": None if asked.dtypes is None else parse_choices("dtype", asked.dtypes, DTYPES),
        "optimizers": None if asked.optimizer is None else parse_optimizers(asked.optimizer),
        "threads": None if asked.threads is None else whole_numbers(asked.threads),
    }


def reading_of(asked: AsksHowToRead) -> Reading:
    """What those options say of a file."""
    from stepbench.cases.reading import Reading

    counted_from_zero = {CountedFromZero.YES: True, CountedFromZero.NO: False}.get(asked.zero_based)
    return Reading(header=asked.header, keep_index=asked.keep_index, zero_based=counted_from_zero)
