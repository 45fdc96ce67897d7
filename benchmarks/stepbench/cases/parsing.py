"""What a user writes for a size, an operation or an optimizer: read, or refused with a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from stepbench.cases.case import Size
from stepbench.cases.datasets import is_known
from stepkernels.interface import Op
from stepkernels.problem import OPTIMIZERS, ProblemError


def parse_size(text: str) -> Size:
    """A size written as 1000x20, or the name of a data set."""
    return Size.parse(text) if text[:1].isdigit() and not is_known(text) else Size.of(text)


def parse_choices(what: str, text: str, known: Iterable[str]) -> list[str]:
    """The comma-separated choices in `text`. Raises `ProblemError` naming the known ones."""
    known = list(known)
    chosen = [item.strip() for item in text.split(",") if item.strip()]
    for item in chosen:
        if item not in known:
            raise ProblemError(f"There is no {what} called {item!r}. Choose from {', '.join(known)}.")
    if not chosen:
        raise ProblemError(f"No {what} was given. Choose from {', '.join(known)}.")
    return chosen


def parse_ops(text: str) -> list[Op]:
    return [Op(name) for name in parse_choices("operation", text, list(Op))]


def parse_optimizers(text: str) -> list[str]:
    return parse_choices("optimizer", text, OPTIMIZERS)
