"""report: a run's records rendered again, several runs compared, or the gate between two."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from stepbench.commands.terminal import say, sentences


@sentences
def report(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; the first is the base of a comparison.")],
    fail_slower: Annotated[
        str | None, typer.Option(help="Exit 1 when the last run is slower than the first beyond this, as in 10%.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of a report over several runs.")] = None,
) -> None:
    """Render a run's report again from its records alone, or compare several runs."""
    import stepreports

    if fail_slower is not None:
        _gate(runs, _percentage(fail_slower))
    elif len(runs) == 1:
        say(f"Report: {stepreports.write_report(runs[0])}")
    else:
        path = stepreports.compare_report(runs, out or Path("stepbench-comparison"))
        say(f"Report: {path}")


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
        return float(text.rstrip("% "))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a percentage; write it as in 10%.") from None
