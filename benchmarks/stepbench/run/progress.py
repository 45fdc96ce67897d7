"""Progress of long work: a bar with the time left on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Column

LINE_EVERY_SECONDS = 10.0
BAR_COLUMNS = 20


def whole() -> Column:
    """A column that is shown whole, however narrow the screen: the description gives way."""
    return Column(no_wrap=True)


class Progress(Protocol):
    """What long work tells of itself."""

    def describe(self, text: str) -> None: ...
    def advance(self) -> None: ...
    def expect(self, more: int) -> None: ...
    def note(self, text: str) -> None: ...


class TerminalProgress:
    """A bar over `total` units of work, notes above it; on something that is no terminal, a line now and then.

    Work that may be over sooner ends after `most_seconds` at the latest, or little later.
    """

    def __init__(self, title: str, total: int, console: Console, most_seconds: float | None = None) -> None:
        self.title, self.total, self.console, self.most_seconds = title, total, console, most_seconds
        self.finished = 0
        self.started = self.last_line = time.monotonic()
        columns = (
            SpinnerColumn(table_column=whole()),
            TextColumn(title, table_column=whole()),
            BarColumn(BAR_COLUMNS, table_column=whole()),
            MofNCompleteColumn(table_column=whole()),
            TimeRemainingColumn(compact=True, table_column=whole()),
            TextColumn("[dim]{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
        )
        self.bar = Bar(*columns, console=console, transient=True, expand=True) if console.is_terminal else None
        self.task = self.bar.add_task("", total=total) if self.bar else None

    def __enter__(self) -> Self:
        if self.bar:
            self.bar.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self.bar:
            self.bar.stop()

    def describe(self, text: str) -> None:
        if self.bar and self.task is not None:
            self.bar.update(self.task, description=escape(text))
        elif time.monotonic() - self.last_line > LINE_EVERY_SECONDS:
            self.last_line = time.monotonic()
            self.console.print(
                f"{self.title}: {self.finished} of {self.total}; {text}", soft_wrap=True, markup=False, highlight=False
            )

    def advance(self) -> None:
        self.finished += 1
        if self.bar and self.task is not None:
            self.bar.advance(self.task)
        elif time.monotonic() - self.last_line > LINE_EVERY_SECONDS or self.finished == self.total:
            self.last_line = time.monotonic()
            self.console.print(f"{self.title}: {self._how_far(self.last_line - self.started)} s left", soft_wrap=True)

    def _how_far(self, seconds: float) -> str:
        if self.most_seconds is None:
            left = seconds / self.finished * (self.total - self.finished)
            return f"{self.finished} of {self.total}, about {left:.0f}"
        return f"{self.finished} of at most {self.total}, at most {max(0.0, self.most_seconds - seconds):.0f}"

    def expect(self, more: int) -> None:
        """So many more units of work have come up."""
        self.total += more
        if self.bar and self.task is not None:
            self.bar.update(self.task, total=self.total)

    def note(self, text: str) -> None:
        """A sentence of its own: on a terminal broken between words, elsewhere one line."""
        to_file = not self.console.is_terminal
        self.console.print(text, style="yellow", markup=False, highlight=False, soft_wrap=to_file)
