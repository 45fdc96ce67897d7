"""What every command needs: two consoles, sentences for bad input, progress, and lists out of options."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from stepbench.run.progress import TerminalProgress

USAGE_ERROR = 2

console = Console()
errors = Console(stderr=True)

P = ParamSpec("P")
R = TypeVar("R")


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """Turn bad input into its sentence and exit status 2."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from stepbench.run.journal import JournalError
        from stepkernels.problem import ProblemError
        from stepreports.records.reader import RecordError

        try:
            return command(*args, **kwargs)
        except (ProblemError, JournalError, RecordError) as error:
            errors.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            raise typer.Exit(USAGE_ERROR) from None

    return wrapped


@contextmanager
def progress_bar(total: int) -> Iterator[TerminalProgress]:
    from stepbench.run.progress import TerminalProgress

    with TerminalProgress("Timing", total, console) as progress:
        yield progress


def split_list(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def whole_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in split_list(text)]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a list of whole numbers; write it as in 1,2.") from None
