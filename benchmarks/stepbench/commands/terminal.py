"""What every command needs: two consoles, sentences for bad input, options of a class, progress, lists out of text."""

from __future__ import annotations

import functools
import inspect
import math
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, get_type_hints

import typer
from rich.console import Console

from stepbench.commands.endings import ending_of

if TYPE_CHECKING:
    from stepbench.run.progress import TerminalProgress

NARROWEST = 80  # columns, for which screens are made: into fewer Rich cuts tables off, into COLUMNS=0 it writes nothing

console = Console()
errors = Console(stderr=True)
live = Console()  # of what is drawn again and again, which a screen must not fold
_columns_found = console.width  # before narrow screens are widened
UNBROKEN = "\N{NO-BREAK SPACE}"
TOGETHER = re.compile(r"(?<=\d) (?=[%×])|(?<=×) (?=\d)")  # the space within "5 %" and within "300 × 10"
LEAST_COLUMNS = 20  # a screen of fewer, such as COLUMNS=0, tells nothing

P = ParamSpec("P")
R = TypeVar("R")


def sentences(command: Callable[P, R]) -> Callable[P, R]:
    """Turn whatever a command raises into its sentence and exit status; what Typer itself understands is left to it."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        from stepbench.run.stopping import Stopped, stop_signals

        try:
            with stop_signals():
                return command(*args, **kwargs)
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Stopped as stopped:
            say("Stopped.", style="red", on=errors)
            raise typer.Exit(stopped.exit_status) from None
        except (Exception, KeyboardInterrupt) as error:
            raise typer.Exit(tell_ending(error)) from None

    return wrapped


def tell_ending(error: BaseException) -> int:
    """Say on standard error how a command ends that raised this; its exit status."""
    ending = ending_of(error, in_a_file=errors.is_terminal)
    say(ending.sentence, style="red", on=errors)
    if ending.below:
        say(ending.below.rstrip(), on=errors, whole=True)
    return ending.status


def widen_narrow_screens() -> None:
    """Lay tables out for `NARROWEST` where the screen has fewer columns, and let it fold them: nothing is cut off.

    The consoles that Typer makes go by COLUMNS: its boxes around errors fit any screen that is one, its help does not,
    and has no boxes there.
    """
    for each in (console, errors):
        if each.width < NARROWEST:
            if not each.is_terminal or each.width < LEAST_COLUMNS:
                os.environ["COLUMNS"] = str(NARROWEST)
            each.width = NARROWEST
    if _columns_found >= LEAST_COLUMNS:
        live.width = _columns_found  # COLUMNS is another by now
    if not os.environ.get("TERMINAL_WIDTH", "").isdigit():
        os.environ.pop("TERMINAL_WIDTH", None)  # which Typer takes for a number


def screen_columns() -> float:
    """How many columns a line may have before a terminal folds it; in a file or a pipe, as many as it likes."""
    return _columns_found if console.is_terminal else math.inf


def options_of(options: type[Any]) -> Callable[[Callable[[Any], R]], Callable[..., R]]:
    """A command that takes a dataclass, as one that takes each of its fields: what Typer makes options of.

    A field's type is annotated with its `typer.Option`, and its default is the option's.
    """
    hints = get_type_hints(options, include_extras=True)
    parameters = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.default is MISSING else each.default,
            annotation=hints[each.name],
        )
        for each in fields(options)
    ]

    def taking_fields(command: Callable[[Any], R]) -> Callable[..., R]:
        @functools.wraps(command)
        def wrapped(**given: object) -> R:
            return command(options(**given))

        wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {each.name: each.annotation for each in parameters}
        return wrapped

    return taking_fields


def say(line: str, style: str | None = None, *, on: Console = console, whole: bool = False) -> None:
    """Print a line as it is, without markup or colours of numbers; a terminal gets it broken between words.

    `whole`: not even there, for it is meant to be copied.
    """
    columns = _columns_found if on.is_terminal and not whole else math.inf
    on.print(between_words(line, columns), style=style, markup=False, highlight=False, soft_wrap=True)


def between_words(text: str, columns: float) -> str:
    """A text whose lines have so many columns at most, unless a word has more."""
    if columns < LEAST_COLUMNS or math.isinf(columns):
        return text
    return "\n".join(_folded(line, int(columns)) for line in text.split("\n"))


def _folded(line: str, columns: int) -> str:
    if len(line) <= columns:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    folder = textwrap.TextWrapper(columns, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return folder.fill(TOGETHER.sub(UNBROKEN, line)).replace(UNBROKEN, " ")


def write_data(text: str) -> None:
    """Data for another program, on standard output: always UTF-8, for a sign spelled out would be another value."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


@contextmanager
def progress_bar(total: int, title: str = "Timing", most_seconds: float | None = None) -> Iterator[TerminalProgress]:
    from stepbench.run.progress import TerminalProgress

    with TerminalProgress(title, total, live, most_seconds) as progress:
        yield progress


def split_list(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def whole_numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in split_list(text)]
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a list of whole numbers; write it as in 1,2.") from None


def percentage(text: str) -> float:
    """A number of 0 or more, with or without its sign."""
    try:
        percent = float(text.strip().removesuffix("%"))
    except ValueError:
        percent = math.nan
    if not 0 <= percent < math.inf:
        raise typer.BadParameter(f"{text!r} is not a percentage of 0 or more; write it as in 10%.")
    return percent
