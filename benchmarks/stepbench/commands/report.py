"""report: a run's records rendered again, several runs compared, or the gate between two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.places import require_writable, require_writable_folder
from stepbench.commands.terminal import percentage, say, screen_columns, sentences

if TYPE_CHECKING:
    from stepreports import GateResult


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
    fail_unknown: Annotated[
        bool, typer.Option("--fail-unknown", help="With --fail-slower: fail also where it cannot be told.")
    ] = False,
    fail_missing: Annotated[
        bool,
        typer.Option("--fail-missing", help="With --fail-slower: fail also for what only the first run timed."),
    ] = False,
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="With --fail-slower: write every comparison here.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --fail-slower: append the table to this file.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the page over several runs goes. Default: stepbench-comparison."),
    ] = None,
) -> None:
    """Render a run's report again from its records alone, or compare several runs.

    The page of one run is written into its folder.

    The gate divides every time by that of the control, the row that both runs timed twice, and says how far that moved.
    A row that the second run found wrong, or that failed in it, fails the gate.
    """
    import stepreports

    of_gate = {"--fail-unknown": fail_unknown, "--fail-missing": fail_missing, "--json": json_path,
               "--markdown": markdown}  # fmt: skip
    if fail_slower is None and (given := [option for option, value in of_gate.items() if value]):
        raise typer.BadParameter(f"{given[0]} belongs to --fail-slower, and there is none.")
    if out is not None and (fail_slower is not None or len(runs) == 1):
        raise typer.BadParameter("--out is for a page over several runs; one run's is written into its own folder.")
    if fail_slower is not None:
        _gate(runs, percentage(fail_slower), (fail_unknown, fail_missing), json_path, markdown)
    elif len(runs) == 1:
        if runs[0].is_dir():
            require_writable_folder(runs[0])
        say(f"Report: {stepreports.write_report(runs[0])}")
    else:
        folder = Path("stepbench-comparison") if out is None else out
        require_writable_folder(folder)
        say(f"Report: {stepreports.compare_report(runs, folder, say)}")


def _gate(
    runs: list[Path], percent: float, strict: tuple[bool, bool], json_path: Path | None, markdown: Path | None
) -> None:
    """Hold the second run against the first. `strict`: whether what is unknown fails, and what is missing."""
    import stepreports

    if len(runs) != 2:
        raise typer.BadParameter("--fail-slower compares exactly two runs: the base, then the new one.")
    for path in filter(None, (json_path, markdown)):
        require_writable(path)
    unknown, missing = strict
    result = stepreports.gate(runs[0], runs[1], percent, fail_unknown=unknown, fail_missing=missing)
    _tell(result, json_path, markdown)


def _tell(result: GateResult, json_path: Path | None, markdown: Path | None) -> None:
    """Say what the gate found, write it where it was asked for, and end with its exit status."""
    import stepreports
    from stepreports.records.files import append_whole, write_json

    for line in stepreports.gate_lines(result, screen_columns()):
        say(line, style="red" if line.startswith("failed:") or line.endswith("  slower") else None)
    if json_path:
        write_json(json_path, stepreports.gate_as_json(result))
    if markdown:
        append_whole(markdown, stepreports.gate_in_markdown(result))
    raise typer.Exit(result.exit_code)
