"""show: one row, whole: what it supports, and every file of it in reading order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepbench.commands.terminal import console, errors, say, sentences

if TYPE_CHECKING:
    from rich.syntax import Syntax

    from stepbench.machine.loading import Standing
    from stepkernels.interface import Implementation


@sentences
def show(row: Annotated[str, typer.Argument(metavar="ROW", help="A row's name (see `stepbench list`).")]) -> None:
    """One row: what it supports, its documentation and its source."""
    from rich.markdown import Markdown

    from stepbench.machine.loading import standings_of
    from stepkernels.catalog import rows_named
    from stepkernels.sources import source_files

    (chosen,) = rows_named([row])
    with errors.status(f"Loading {chosen.library}"):
        standing = standings_of([chosen])[chosen.name]
    console.print(Markdown("\n".join(fact_lines(chosen, standing))))
    files = source_files(chosen)
    for file in files:
        if len(files) > 1:
            console.rule(f"{file.parent.name}/{file.name}", align="left")
        if console.is_terminal:
            console.print(highlighted(file))
        else:
            say(file.read_text(encoding="utf-8").rstrip())


def fact_lines(row: Implementation, standing: Standing) -> list[str]:
    """What a row declares, and whether it can run here, in Markdown."""
    return [
        f"**{row.name}** — {row.technique}. {row.summary}",
        f"- device: {row.device}; operations: {', '.join(row.ops)}",
        f"- dtypes: {', '.join(row.dtypes)}; optimizers: {', '.join(row.optimizers)}",
        f"- reads X {row.passes_over_x} time(s) per gradient; sums {row.accumulation}; residual {row.residual}",
        f"- {'the same bits every run' if row.deterministic else 'the last bits may differ from run to run'}",
        f"- here: {': '.join(filter(None, (standing.word, standing.reason)))}",
    ]


def highlighted(file: Path) -> Syntax:
    """A file of source in colours."""
    from rich.syntax import Syntax

    language = {".cu": "cuda", ".cpp": "cpp"}.get(file.suffix, "python")
    return Syntax(file.read_text(encoding="utf-8").rstrip(), language, theme="ansi_dark", word_wrap=True)
