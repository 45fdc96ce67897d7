"""learn: the lesson, as a page."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from stepbench.commands.places import require_writable
from stepbench.commands.terminal import progress_bar, say, sentences


@sentences
def learn(
    language: Annotated[str, typer.Option("--lang", help="en (English) or zh (Simplified Chinese).")] = "en",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page. Default: stepbench-lesson-en.html, in this folder.")
    ] = None,
) -> None:
    """Write the lesson: the step derived, drawn and taken apart on one page, with what it costs on this machine."""
    from stepbench import lesson

    page = out or Path(f"stepbench-lesson-{language}.html")
    require_writable(page)
    path = lesson.write_lesson(page, language, progress_bar, partial(progress_bar, title="Writing"))
    say(f"Lesson: {path}")
