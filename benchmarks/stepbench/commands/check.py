"""check: whether rows, and kernels of one's own, agree with the truth."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.choice_of_rows import chosen_rows, keeping, required_rows, with_ranks
from stepbench.commands.options import KernelFiles, Require
from stepbench.commands.places import require_writable
from stepbench.commands.terminal import errors, live, options_of, say, sentences, split_list

if TYPE_CHECKING:
    from rich.text import Text

    from stepbench.checking.verdicts import CheckReport, RowReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be asked of a check."""

    rows: Annotated[
        list[str] | None, typer.Argument(metavar="ROW", help="Rows to check (see `stepbench list`). Default: all.")
    ] = None
    kernel: KernelFiles = None
    require: Require = ""
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Run GPU rows in their simulators, and compile CUDA sources, on the CPU.")
    ] = False
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="STORAGE,…",
            help="Only as rows keep X in float16, bfloat16 or int8, comma-separated. Default: in all that a row can.",
        ),
    ] = None
    ranks: Annotated[
        str | None,
        typer.Option(
            metavar="N,…",
            help="Check the rows that share X among ranks with each of these numbers of ranks, as in 1,2,3,4. "
            "Default: a rank for each thread, or GPU.",
        ),
    ] = None
    seed: Annotated[int | None, typer.Option(min=0, help="Repeat the check that printed this seed.")] = None
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the whole report here, as JSON.")
    ] = None
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append a table in Markdown, one line a row, to this file.")
    ] = None


@options_of(Options)
@sentences
def check(asked: Options) -> None:
    """Check that rows agree with the truth, a float64 reference, on ordinary, extreme and planted data.

    Error: a row cannot be loaded, or fails before it gives a number. Unavailable: its library or device is not here.

    Exit status 0: every row that ran agrees. 1: one disagrees or fails, or one asked for by name could not run.

    With --kernel alone, only that kernel is checked, and it must run. --require cpu, or cuda: so must each row of that.
    """
    from stepbench import checking
    from stepbench.machine.environment import SIMULATED, refuse_variables
    from stepbench.run.progress import TerminalProgress

    refuse_variables(os.environ, but=[SIMULATED] if asked.simulate else [])
    named = None if not asked.rows and not asked.kernel else ",".join(asked.rows or [])
    chosen = with_ranks(chosen_rows(named, asked.kernel or []), asked.ranks)
    storages = split_list(asked.storage)
    if asked.storage is not None:
        chosen = keeping(chosen, storages, by_name=named is not None)
    own = {row.name for row in chosen if row.module.endswith(".py")}
    required = frozenset(required_rows(asked.require, chosen))
    if asked.simulate:  # a kernel of a file may be judged in a simulator, unless it is required by name
        required -= own - set(split_list(asked.require))
    for path in filter(None, (asked.json_path, asked.markdown)):
        require_writable(path)
    with TerminalProgress("Checking", len(chosen), live) as bar:

        def finished(report: RowReport) -> None:
            live.print(verdict_line(report), soft_wrap=not live.is_terminal)
            bar.advance()

        result = checking.check(
            chosen,
            simulate=asked.simulate,
            require=required,
            named={row.name for row in chosen if row.name in own or row.name.partition("@")[0] in (asked.rows or ())},
            seed=asked.seed,
            storages=storages,
            finished=finished,
        )
    _tell(result, asked)
    raise typer.Exit(result.exit_code)


def verdict_line(report: RowReport) -> Text:
    """What a check found of a row, in its colour."""
    from rich.text import Text

    style = {"agrees": "green", "disagrees": "bold red", "error": "bold red"}.get(report.verdict, "yellow")
    return Text.assemble((f"{report.row}: ", "bold"), (str(report.verdict), style), f"  {report.summary}")


def _tell(result: CheckReport, asked: Options) -> None:
    """Say what remains unproven and how to repeat it, and write the files asked for."""
    from stepreports.records.files import append_whole, write_whole

    for row in result.unproven:
        say(f"{row.row} is required to agree, and was {row.verdict}.", style="red", on=errors)
    for row in result.not_run:
        say(f"{row.row} was asked for by name and did not run: {row.reason.rstrip('.')}.", style="red", on=errors)
    say(f"Seed {result.seed}; --seed repeats this check.", style="dim")
    if asked.json_path:
        write_whole(asked.json_path, result.to_json())
    if asked.markdown:
        append_whole(asked.markdown, "\n".join(result.markdown_lines()) + "\n")
