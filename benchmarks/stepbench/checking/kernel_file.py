"""A kernel from outside the repository: a .py file with IMPLEMENTATION (an `Implementation`) and bind(problem, config).

The file runs in child processes only. What is wrong with it is told as Python would tell its author: the file, the
line, the error; never a traceback of ours. Nothing that such a process sends is unpickled, waited for without end or
believed: one line of JSON is read, and validated here.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import msgspec

from stepbench.checking.declared_fields import KernelFileError, validated
from stepbench.machine.child_processes import ChildProcess, module
from stepbench.machine.children import environment_of_child, somewhere_to_cache
from stepbench.machine.process_state import is_stopped
from stepkernels import Implementation
from stepreports.records.validation import visible

__all__ = ["KernelFileError", "load_kernel"]

LOADING_SECONDS = 120.0  # a cold import of torch or JAX takes tens of seconds
MOST_BYTES = 2**20  # of an answer
LOOKING_SECONDS = 0.2  # between two looks at a process that says nothing
LEAVING_SECONDS = 5.0


class Answer(msgspec.Struct):
    """What the process of a file sends: the fields that the file declares, or what is wrong with it."""

    declared: dict[str, Any] | None = None
    wrong: str | None = None


def load_kernel(path: Path, seconds: float = LOADING_SECONDS, foreign: Path | None = None) -> Implementation:
    """The row of a kernel file, its module the file, given so many seconds to load. Raises `KernelFileError`.

    It may import nothing out of the folder `foreign`.

    A child loads the file and sends back what it declares, so that a file that crashes takes nothing with it. What the
    file prints meanwhile is not shown.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100  a link that leads in a circle is no error yet
    if not path.is_file() or path.suffix != ".py":
        raise KernelFileError(f"There is no kernel file {visible(str(path))}; give the path of a .py file.")
    try:
        str(path).encode()
        return validated(_declared(_line_of_child(path, seconds, foreign)), path)
    except UnicodeEncodeError:
        raise KernelFileError(f"{visible(str(path))} is no name in UTF-8; rename it, for a record holds it.") from None
    except KernelFileError as error:
        raise KernelFileError(f"{visible(path.name)}: {_lines(str(error))}.") from None


def _declared(line: bytes) -> dict[str, Any]:
    """The fields in an answer. Raises `KernelFileError` for one that says what is wrong, or is none."""
    try:
        answer = msgspec.json.decode(line, type=Answer)
    except (ValueError, RecursionError):
        raise KernelFileError("sent an answer that is none, in place of what it declares") from None
    if answer.declared is None:
        raise KernelFileError(answer.wrong or "sent an empty answer, in place of what it declares")
    return answer.declared


def _line_of_child(path: Path, seconds: float, foreign: Path | None) -> bytes:
    """The first line that the process of a file sends. Raises `KernelFileError` where none comes."""
    with (
        somewhere_to_cache(path) as caches,
        _started(path, foreign, environment_of_child(caches)) as (process, connection),
    ):
        deadline, received = time.monotonic() + seconds, bytearray()
        while b"\n" not in received:
            if time.monotonic() > deadline:
                raise KernelFileError(f"did not finish loading in {seconds:g} seconds and was ended")
            if wait([connection.fileno()], LOOKING_SECONDS):
                received += _more(process, connection.fileno())
            elif fault := _fault(process):
                raise KernelFileError(fault)
            if len(received) > MOST_BYTES:
                raise KernelFileError(f"declares more than {MOST_BYTES:,} bytes")
        return bytes(received.partition(b"\n")[0])


def _more(process: ChildProcess, descriptor: int) -> bytes:
    """What has come since. Raises `KernelFileError` when nothing can come any more."""
    try:
        chunk = os.read(descriptor, 2**16)
    except OSError:
        chunk = b""
    if not chunk:
        try:
            process.wait(LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            raise KernelFileError("closed the connection over which it should have declared itself") from None
        raise KernelFileError(_fault(process) or "ended its process while it was loaded")
    return chunk


def _fault(process: ChildProcess) -> str | None:
    """Why a process that says nothing never will; None where it may yet."""
    if process.alive:
        return "stopped its process while it was loaded" if is_stopped(process.pid) else None
    status = process.returncode or 0
    if status < 0:
        return f"was ended by {signal.Signals(-status).name} while it was loaded"
    return f"ended its process while it was loaded (exit status {status})"


@contextmanager
def _started(
    path: Path, foreign: Path | None, environment: Mapping[str, str]
) -> Iterator[tuple[ChildProcess, Connection]]:
    """The process of a file, and our end of what it sends over; ended with whatever it started."""
    ours, theirs = Pipe()
    command = module(
        "stepbench.checking", "kernel", str(theirs.fileno()), str(path), *([str(foreign)] if foreign else [])
    )
    with ours, ChildProcess(command, environment, descriptors=[theirs.fileno()]) as process:
        theirs.close()
        yield process, ours


def _lines(sentence: str) -> str:
    """A sentence with a line of source below it, as a terminal may show it."""
    return "\n".join(visible(line) for line in sentence.split("\n"))
