"""What can go wrong with a row while it is measured, and the kind under which it is recorded."""

from __future__ import annotations


class OversizedPoolError(RuntimeError):
    """A row whose library runs more threads than the budget allows."""


KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (OversizedPoolError, "thread-pool"),
    (MemoryError, "memory"),
    (BaseException, "error"),  # a row may raise SystemExit, or what pytest skips a test with
)


def kind_of(error: BaseException) -> str:
    return next(kind for fault, kind in KINDS if isinstance(error, fault))


def reason_of(error: BaseException) -> str:
    """What a record says: our own errors are sentences, others are told with their type."""
    text = str(error).strip() or "no message"
    return text if isinstance(error, OversizedPoolError) else f"{type(error).__name__}: {text}"
