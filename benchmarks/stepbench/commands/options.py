"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATA_FILES = "a file (.csv, .parquet, .npy, .npz, .svmlight)"

Rows = Annotated[str | None, typer.Option("--rows", help="Only these rows, comma-separated (see `stepbench list`).")]
Require = Annotated[
    str, typer.Option("--require", help="Rows that must run, comma-separated: one that cannot is a failure.")
]
KernelFiles = Annotated[
    list[Path] | None, typer.Option("--kernel", help="A kernel file of your own, with IMPLEMENTATION and bind().")
]
Data = Annotated[str, typer.Argument(help=f"breast-cancer, digits-parity, or {DATA_FILES}.", metavar="DATA")]
Target = Annotated[str | None, typer.Option(help="The column to learn, in a file. Default: its last.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
