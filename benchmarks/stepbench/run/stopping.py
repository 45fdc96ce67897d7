"""Stopped from outside: Ctrl-C, SIGTERM and SIGHUP all end a command as an exception, so that it can tidy up."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """One of the signals came."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_status = 128 + number  # as of a shell's command that a signal ended


@contextmanager
def stop_signals() -> Iterator[None]:
    """While the block runs, a signal raises `Stopped` in it; those ignored from the start (nohup) stay ignored."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    listen()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def listen() -> None:
    """Let the next signal raise `Stopped`. Those that come while that one is dealt with are ignored."""
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN or number in _set_aside:
            signal.signal(number, _stop)
    _set_aside.clear()


_set_aside: set[signal.Signals] = set()  # ignored by us, and not from the start


def _stop(number: int, _frame: FrameType | None) -> None:
    for each in SIGNALS:
        if signal.getsignal(each) is _stop:
            signal.signal(each, signal.SIG_IGN)
            _set_aside.add(each)
    raise Stopped(number)
