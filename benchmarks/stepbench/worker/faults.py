"""What can go wrong with a row while it is measured, and the kind under which it is recorded."""

from __future__ import annotations


class DisagreementError(AssertionError):
    """A row whose numbers are wrong. It is never timed."""


class OversizedPoolError(RuntimeError):
    """A row whose library runs more threads than the budget allows."""


KINDS: tuple[tuple[type[BaseException], str], ...] = (
    (DisagreementError, "disagreement"),
    (OversizedPoolError, "thread-pool"),
    (MemoryError, "memory"),
    (Exception, "error"),
)


def kind_of(error: BaseException) -> str:
    return next(kind for fault, kind in KINDS if isinstance(error, fault))


def reason_of(error: BaseException) -> str:
    """What a record says: our own errors are sentences, others are told with their type."""
    text = str(error).strip() or "no message"
    return text if isinstance(error, DisagreementError | OversizedPoolError) else f"{type(error).__name__}: {text}"
