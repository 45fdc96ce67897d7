"""report: a run's records rendered again, several runs compared, or the gate between two."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

from stepbench.commands.places import require_writable_folder
from stepbench.commands.terminal import say, sentences


@sentences
def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Folders that `stepbench run` wrote; all are compared to the first."),
    ],
    fail_slower: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="A gate for CI, of two runs: no page; exit status 1 where the second takes longer than the first by "
            "more than this and beyond doubt, as in 10%.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the page over several runs goes. Default: stepbench-comparison."),
    ] = None,
) -> None:
    """Render a run's report again from its records alone, or compare several runs.

    The page of one run is written into its folder.
    """
    import stepreports

    if out is not None and (fail_slower is not None or len(runs) == 1):
        raise typer.BadParameter("--out is for a page over several runs; one run's is written into its own folder.")
    if fail_slower is not None:
        _gate(runs, _percentage(fail_slower))
    elif len(runs) == 1:
        if runs[0].is_dir():
            require_writable_folder(runs[0])
        say(f"Report: {stepreports.write_report(runs[0])}")
    else:
        folder = Path("stepbench-comparison") if out is None else out
        require_writable_folder(folder)
        say(f"Report: {stepreports.compare_report(runs, folder)}")


def _gate(runs: list[Path], percent: float) -> None:
    import stepreports

    if len(runs) != 2:
        raise typer.BadParameter("--fail-slower compares exactly two runs: the base, then the new one.")
    result = stepreports.gate(runs[0], runs[1], percent)
    for line in result.lines:
        say(line)
    raise typer.Exit(result.exit_code)


def _percentage(text: str) -> float:
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = math.nan
    if not 0 <= percent < math.inf:
        raise typer.BadParameter(f"{text!r} is not a percentage of 0 or more; write it as in 10%.")
    return percent
