"""Standard output and error as commands need them: any text can be written, and no failure of theirs ends the work.

A terminal or pipe may not know a sign (ASCII, Latin-1), may be closed (`| head -1`), or lead to a disk that is full.
What is measured meanwhile, and what goes into files, must not suffer by it: a sign is spelled out, and of a stream
that fails the failure is kept for the end. `stand_in_for_streams` is called once, before anything is shown.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import sys
from dataclasses import dataclass
from typing import TextIO

SPELLED = "stepbench.spelled"

_SPELLINGS = """
    ×x ·. ⋅. …... —-- →-> ←<- ↑^ ↓v °deg ≤<= ≥>= ≠!= ≈~ ≡== ±+- ∞inf √sqrt ‖|| ∈in ½1/2 ¼1/4 ²^2 ³^3 ⁴^4 ⁿ^n ᵀ^T
    ₀0 ₁1 ₂2 αalpha βbeta δdelta εepsilon ηeta λlambda σsigma Σsum µu μu ‘' ’' “" ”" «" »"
"""  # each a sign, then what stands for it
_DRAWN_ALIKE = {
    "-": "─━╌╍═╸╺╾╼–−‐‑",
    "|": "│┃┆┇║▌▏❱",
    "+": "╭╮╰╯┌┐└┘├┤┬┴┼┏┓┗┛┡┩┳┻╋╇╞╡╪",
    "*": "•●⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏",
    " ": "\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}",
}
SIGNS = {word[0]: word[1:] for word in _SPELLINGS.split()} | {
    sign: plain for plain, signs in _DRAWN_ALIKE.items() for sign in signs
}
"""What stands for a sign that a stream does not know. Any other is written by its number, as in \\u4e2d."""

_LOWEST_BYTE, _HIGHEST_BYTE = "\udc80", "\udcff"  # how Python holds a byte of a file's name that is no character


def spelled(error: UnicodeError) -> tuple[str, int]:
    """The error handler of a stream: what it does not know, in ASCII."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_spelling, error.object[error.start : error.end])), error.end


def _spelling(sign: str) -> str:
    if _LOWEST_BYTE <= sign <= _HIGHEST_BYTE:
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return SIGNS.get(sign) or sign.encode("ascii", "backslashreplace").decode("ascii")


class Outlet(io.FileIO):
    """A file descriptor to write to. Once it fails it swallows what it is given, and keeps the failure."""

    failure: OSError | None = None

    def write(self, content: object) -> int:
        """Write as much as can be; a reader that is slow is waited for."""
        while self.failure is None:
            try:
                written: int | None = super().write(content)  # type: ignore[arg-type]
            except OSError as error:
                self.failure = error
            else:
                if written is not None:
                    return written
                select.select([], [self], [])
        return len(content)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class StandardStreams:
    """The two outlets behind `sys.stdout` and `sys.stderr`."""

    output: Outlet
    error: Outlet

    @property
    def lost(self) -> str | None:
        """Why standard output is not whole, in words; None where it is, or where its reader wanted no more."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        failure = self.output.failure
        return None if failure is None or failure.errno == errno.EPIPE else str(failure.strerror or failure)


def stand_in_for_streams() -> StandardStreams:
    """Put streams that do not fail in the place of `sys.stdout` and `sys.stderr`."""
    codecs.register_error(SPELLED, spelled)
    closed = _open_what_is_closed()
    streams = StandardStreams(Outlet(1, "w", closefd=False), Outlet(2, "w", closefd=False))
    if 1 in closed:
        streams.output.failure = OSError(errno.EBADF, "it is closed")
    sys.stdout = _text(streams.output, sys.stdout)
    sys.stderr = _text(streams.error, sys.stderr)
    return streams


def _open_what_is_closed() -> set[int]:
    """The standard descriptors that are closed, now open and leading nowhere: else the next file would be given one."""
    closed = set()
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            closed.add(descriptor)
            os.open(os.devnull, os.O_RDWR)
    return closed


def _text(outlet: Outlet, before: TextIO | None) -> io.TextIOWrapper:
    """The outlet as a stream of text, like the one before."""
    encoding = getattr(before, "encoding", None) or "utf-8"
    direct = getattr(before, "line_buffering", False) or outlet.isatty()
    through = getattr(before, "write_through", False)
    buffer = io.BufferedWriter(outlet)
    return io.TextIOWrapper(buffer, encoding, SPELLED, line_buffering=direct, write_through=through)
