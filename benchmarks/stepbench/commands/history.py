"""history: what stored runs and comparisons say of the commits between them, on one page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.places import folder_given, require_writable, require_writable_folder
from stepbench.commands.terminal import options_of, percentage, say, sentences
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from stepreports.history.timeline import History, Settings


MOST_ENDS = 12  # chains whose ends are told in a terminal; the page has all


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be asked of a history."""

    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="RUN",
            help="Folders of runs and comparisons, or folders that hold such. Default: where `stepbench run` and "
            "`stepbench compare` put theirs.",
        ),
    ] = None
    least_change: Annotated[
        str, typer.Option(metavar="PERCENT", help="How large a change is at least, in percent of the time.")
    ] = "3%"
    least_commits: Annotated[
        int, typer.Option(min=2, max=1000, help="For how many commits a change lasts at least; a spike does not.")
    ] = 3
    reference: Annotated[
        str,
        typer.Option(metavar="ROW", help="In runs of `stepbench run`: the row that is the same in every commit."),
    ] = "numpy-blas"
    json_path: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write every level and change here, as JSON.")
    ] = None
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Append a summary in Markdown to this file.")
    ] = None
    out: Annotated[
        str | None,
        typer.Option(metavar="FOLDER", help="Where history.html, .md and .json go. Default: history, beside the runs."),
    ] = None


@options_of(Options)
@sentences
def history(asked: Options) -> None:
    """Show how long each commit takes beside the first, and where that changed for good, from runs that are stored.

    `stepbench compare --each A..B` makes such runs, commit by commit; any `stepbench compare BASE HEAD` adds to them.

    Times are divided only where both took turns in one run, so commits may be timed on different machines. A spike, or
    times that jump between two kinds, are no change.

    Exit status 0: the page is written. 2: bad usage, or runs that compare no two commits.
    """
    from stepreports.history.timeline import Settings

    out = folder_given("--out", asked.out) or default_place() / "history"
    for path in filter(None, (asked.json_path, asked.markdown)):
        require_writable(path)
    settings = Settings(
        least_change=_least_change(asked.least_change),
        least_commits=asked.least_commits,
        reference=asked.reference,
    )
    folders = runs_below(asked.runs or [default_place()])
    require_writable_folder(out)
    tell_history(folders, out, settings, asked.json_path, asked.markdown)


def tell_history(
    folders: list[Path], out: Path, settings: Settings, json_path: Path | None = None, markdown: Path | None = None
) -> History:
    """Write the page and the rest into `out`, and what was asked for elsewhere; say what is in them."""
    from stepreports.history.history_report import write_history
    from stepreports.history.history_told import (
        as_json,
        change_sentences,
        end_sentences,
        fault_lines,
        headline,
        how,
        in_markdown,
    )
    from stepreports.records.files import append_whole, write_json

    found, page = write_history(folders, out, settings)
    sentences = [f"{headline(found)}.", *change_sentences(found), *end_sentences(found)[:MOST_ENDS]]
    for line in [*sentences, *fault_lines(found), *how(found)]:
        say(line.replace("`", ""))
    for line in found.left_out:
        say(f"Left out: {line}")
    if json_path:
        write_json(json_path, as_json(found))
    if markdown:
        append_whole(markdown, in_markdown(found))
    say(f"History: {page}")
    return found


def runs_below(given: list[Path]) -> list[Path]:
    """The folders of runs among these and up to two levels below, each once. Raises `ProblemError` for none."""
    from stepreports.records.comparison_file import is_a_run

    found: dict[Path, Path] = {}
    for place in given:
        below = [place] if is_a_run(place) else sorted(filter(is_a_run, [*place.glob("*"), *place.glob("*/*")]))
        if not below:
            raise ProblemError(
                f"There is no run in {place}. Give folders that `stepbench run` or `stepbench compare` wrote, or begin "
                "with `stepbench compare --each A..B`, which compares every commit of a range."
            )
        found |= {each.resolve(): each for each in below}
    return list(found.values())


def default_place() -> Path:
    """Where runs land that were told of no other place."""
    from stepbench.run.run_folder import default_folder

    return default_folder().parent


def _least_change(told: str) -> float:
    found = percentage(told) / 100
    if not found:
        raise typer.BadParameter("--least-change is more than 0 %; smaller changes than 1 % are rarely seen.")
    return found
