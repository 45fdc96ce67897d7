"""list, show and check: what rows there are, and whether they are right."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.options import KernelFiles, Require
from stepbench.commands.terminal import console, errors, sentences, split_list

if TYPE_CHECKING:
    from stepkernels.interface import Implementation


@sentences
def list_rows(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Every row: device, operations, dtypes, and whether it can run here or why not."""
    from stepbench.listing import row_facts, row_table
    from stepkernels.catalog import CATALOG

    facts = [row_facts(row) for row in CATALOG.values()]
    if as_json:
        sys.stdout.write(json.dumps({"rows": facts}, indent=1) + "\n")
    else:
        console.print(row_table(facts))


@sentences
def show(row: Annotated[str, typer.Argument(help="A row's name.")]) -> None:
    """One row: what it supports, its documentation and its source."""
    from stepbench.listing import row_source
    from stepkernels.catalog import rows_named

    console.print(row_source(rows_named([row])[0]))


@sentences
def check(
    rows: Annotated[list[str] | None, typer.Argument(help="Rows to check; all of them without any.")] = None,
    kernel: KernelFiles = None,
    require: Require = "",
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Run GPU rows in their simulators, and compile CUDA sources, on the CPU.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Repeat the check that printed this seed.")] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the whole report here.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Append a table, one line a row, to this file.")] = None,
) -> None:
    """Numerical agreement with the truth, on ordinary, extreme and planted data. With --kernel alone, of that kernel.

    Exit status 0: every row that ran agrees. 1: one disagrees, or a required one could not run. 2: bad usage.

    The kernel of a file is required. --require cpu, or cuda, requires every row of that device.
    """
    from stepbench import checking
    from stepbench.listing import verdict_line
    from stepbench.run.progress import TerminalProgress

    named = None if not rows and not kernel else ",".join(rows or [])
    chosen = chosen_rows(named, kernel or [])
    required = required_rows(require, chosen)
    with TerminalProgress("Checking", len(chosen), console) as bar:

        def finished(report: checking.RowReport) -> None:
            console.print(verdict_line(report), soft_wrap=True)
            bar.advance()

        result = checking.check(chosen, simulate=simulate, require=frozenset(required), seed=seed, finished=finished)
    for row in result.unproven:
        errors.print(f"{row.row} is required to agree, and was {row.verdict}.", style="red", soft_wrap=True)
    console.print(f"Seed {result.seed}; --seed repeats this check.", style="dim")
    if json_path:
        json_path.write_text(result.to_json(), encoding="utf-8")
    if markdown:
        with markdown.open("a", encoding="utf-8") as file:
            file.write("\n".join(result.markdown_lines()) + "\n")
    raise typer.Exit(result.exit_code)


def chosen_rows(names: str | None, kernels: list[Path]) -> list[Implementation]:
    """The rows asked for and those of kernel files, whose names --rows may list too. Raises `ProblemError`."""
    from stepbench.checking.kernel_file import load_kernel
    from stepkernels.catalog import CATALOG, rows_named

    # A record holds no absolute path.
    own = [replace(load_kernel(path), module=os.path.relpath(path)) for path in kernels]
    chosen = list(CATALOG.values()) if names is None else rows_named(set(split_list(names)) - {row.name for row in own})
    return distinct([*chosen, *own])


def distinct(rows: list[Implementation]) -> list[Implementation]:
    """The rows. Raises `ProblemError` when two have one name, under which both would be reported."""
    from stepkernels.problem import ProblemError

    for name, count in Counter(row.name for row in rows).items():
        if count > 1:
            raise ProblemError(f"{count} rows are called {name!r}; give the kernel of each file a name of its own.")
    return rows


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
