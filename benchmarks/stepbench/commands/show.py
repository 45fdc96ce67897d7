"""show: one row, whole: what it supports, and every file of it in reading order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.terminal import errors, live, sentences, write_data

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.text import Text

    from stepbench.machine.loading import Standing
    from stepkernels.interface import Implementation


@sentences
def show(row: Annotated[str, typer.Argument(metavar="ROW", help="A row's name (see `stepbench list`).")]) -> None:
    """One row: what it supports, its documentation and its source.

    To a file or a pipe goes the source alone: Python that runs, with any further files of the row as comments.
    """
    from rich.markdown import Markdown

    from stepbench.machine.loading import standings_of
    from stepkernels.catalog import rows_named
    from stepkernels.sources import source_files

    (chosen,) = rows_named([row])
    files = source_files(chosen)
    if not live.is_terminal:
        write_data(as_source(files))
        return
    with errors.status(f"Loading {chosen.library}"):
        standing = standings_of([chosen])[chosen.name]
    live.print(Markdown("\n".join(fact_lines(chosen, standing))))
    for file in files:
        if len(files) > 1:
            live.rule(f"{file.parent.name}/{file.name}", align="left")
        live.print(highlighted(file), soft_wrap=True)  # code is folded by the screen alone, and copied as it stands


def as_source(files: Sequence[Path]) -> str:
    """What a pipe or a file gets: the row's own file, as it stands, which runs; the row's others as comments below.

    Python first: a row of several files names the others in its imports.
    """
    first, *others = files
    parts = [first.read_text(encoding="utf-8").rstrip()]
    for file in others:
        lines = file.read_text(encoding="utf-8").rstrip().splitlines()
        parts.append("\n".join([f"# {file.parent.name}/{file.name}", "#", *(f"# {line}".rstrip() for line in lines)]))
    return "\n\n\n".join(parts) + "\n"


def fact_lines(row: Implementation, standing: Standing) -> list[str]:
    """What a row declares, and whether it can run here, in Markdown."""
    passes = "once" if row.passes_over_x == 1 else f"{row.passes_over_x} times"
    return [
        f"**{row.name}** — {row.technique}. {row.summary}",
        f"- device: {row.device}; operations: {', '.join(row.ops)}",
        f"- dtypes: {', '.join(row.dtypes)}; optimizers: {', '.join(row.optimizers)}",
        f"- keeps X in its dtype{''.join(f', or in {each} with float32' for each in row.storages)}",
        f"- reads X {passes} per gradient; sums {row.accumulation}; residual {row.residual}",
        f"- {'the same bits every run' if row.deterministic else 'the last bits may differ from run to run'}",
        f"- here: {': '.join(filter(None, (standing.word, standing.reason)))}",
    ]


def highlighted(file: Path) -> Text:
    """A file of source in colours."""
    from rich.syntax import Syntax

    language = {".cu": "cuda", ".cpp": "cpp"}.get(file.suffix, "python")
    code = file.read_text(encoding="utf-8").rstrip()
    return Syntax(code, language, theme="ansi_dark").highlight(code)
