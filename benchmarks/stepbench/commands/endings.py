"""How a command ends: what each exit status says, and the status and the sentence for whatever was raised."""

from __future__ import annotations

import errno
import os
import tempfile
import traceback
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Status(IntEnum):
    """The exit statuses. 70 and 74 are those of sysexits.h, 130 is that of a shell's command that Ctrl-C ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    INTERNAL = 70
    NOT_WRITTEN = 74
    STOPPED = 130


_LONGEST_NAME = 200  # of a path that is shown
EXIT_STATUSES = (
    "Exit status: 0 done; 1 a row disagrees, fails or is slower, or a self-test failed; 2 bad usage or bad input; "
    "70 a fault of stepbench itself; 74 something could not be written; 130 stopped by Ctrl-C."
)

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO})
_NO_PLACE = frozenset(
    {errno.ENAMETOOLONG, errno.ELOOP, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR}
)  # what only the path of a user's can bring about


@dataclass(frozen=True, slots=True)
class Ending:
    """An exit status and what to say; `below` is for whoever mends a fault of ours."""

    status: Status
    sentence: str
    below: str = ""


def ending_of(error: BaseException, *, in_a_file: bool) -> Ending:
    """How a command ends that raised this. A traceback goes into a file, or below the sentence."""
    from stepkernels.probe import BrokenInstallationError
    from stepkernels.problem import ProblemError
    from stepreports.records.files import RecordError

    match error:
        case ProblemError() | RecordError():
            status, sentence = Status.USAGE, str(error)
        case BrokenInstallationError():
            status, sentence = Status.FAILED, str(error)
        case KeyboardInterrupt():
            status, sentence = Status.STOPPED, "Stopped."
        case MemoryError():
            status, sentence = Status.USAGE, f"There is not enough memory for this{_in_brackets(error)}; ask for less."
        case OSError(errno=number) if number in _NO_ROOM:
            where = f" to {error.filename}" if error.filename else ""
            status, sentence = Status.NOT_WRITTEN, f"Writing{where} failed: {error.strerror}. Make room, and repeat."
        case OSError(errno=number, filename=str() | os.PathLike() as name) if number in _NO_PLACE:
            status, sentence = Status.USAGE, f"{_shortened(os.fspath(name))} cannot be used: {error.strerror}."
        case _:
            return _fault_of_ours(error, in_a_file=in_a_file)
    return Ending(status, sentence)


def _fault_of_ours(error: BaseException, *, in_a_file: bool) -> Ending:
    told = "".join(traceback.format_exception(error))
    file = _kept(told) if in_a_file else None
    sentence = (
        f"stepbench itself failed, with {type(error).__name__}{_in_brackets(error)}. This is a fault of stepbench, not "
        "of what was asked. Please report it: the command, the last line of `stepbench doctor`, and the traceback, "
        f"{f'which is in {file}' if file else 'which follows'}."
    )
    return Ending(Status.INTERNAL, sentence, "" if file else told)


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _in_brackets(error: BaseException) -> str:
    """The first line of what the error says."""
    first = str(error).strip().partition("\n")[0]
    return f" ({first})" if first else ""


def _kept(text: str) -> Path | None:
    """A file of its own with the text; None where none can be written."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="stepbench-traceback-", suffix=".txt", delete=False, encoding="utf-8", errors="backslashreplace"
        ) as file:
            file.write(text)
    except OSError:
        return None
    return Path(file.name)
