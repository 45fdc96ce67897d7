"""Files that are whole or absent: written beside their place, then moved into it; read whole, or a sentence."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import msgspec

_MOST_BYTES = 4 * 10**9  # of fifty thousand records there are a tenth


class RecordError(ValueError):
    """Files that are not the records of a run. The message says what was wrong and what to do."""


class NotWrittenError(RecordError, OSError):
    """A report that could not be written: the records are whole, the disk or the folder is not as it must be."""


def content_of(path: Path) -> bytes:
    """The bytes of a file. Raises `RecordError` where they cannot be had."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RecordError(f"{path} is larger than {_MOST_BYTES / 1e9:.0f} GB, and no file of a run's.")
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path} cannot be read ({error.strerror or error}).") from None


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object in a file. Raises `RecordError` for anything else."""
    content = content_of(path)
    try:
        stored = msgspec.json.decode(content)
    except (ValueError, RecursionError) as error:
        raise RecordError(
            f"{path} is not whole JSON ({error}); it was cut off or is another file. Resume the run, or run again."
        ) from error
    if not isinstance(stored, dict):
        raise RecordError(f"{path} holds a {type(stored).__name__}, not the records of a run.")
    return stored


def name_of_file(name: str) -> str:
    """A name as part of a file's: itself, or what is harmless of it with a digest, so that no two become one."""
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}", name):
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9_]+', '-', name)[:60].strip('-')}-{digest}"


def write_json(path: Path, document: object) -> Path:
    """Write a document as indented JSON; NaN and infinity, which JSON does not have, raise `ValueError`."""
    return write_whole(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


STREAMS = (Path("/dev"), Path("/dev/fd"), Path("/proc/self/fd"))


def is_a_stream(path: Path) -> bool:
    """Whether a name is of a device, a pipe or a stream, such as /dev/stdout also where that leads into a file."""
    return path.absolute().parent in STREAMS or (path.exists() and not path.is_file())


def write_whole(path: Path, content: str | bytes) -> Path:
    """Write a file so that no reader ever meets half of it; into a device or pipe of that name, such as /dev/stdout."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = content.encode() if isinstance(content, str) else content
    if is_a_stream(path):
        path.write_bytes(whole)
        return path
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(whole)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def append_whole(path: Path, content: str) -> Path:
    """Add to the end of a file, made where it is not there, so that no reader ever meets half of what is added."""
    if is_a_stream(path):
        with path.open("ab") as stream:  # what went before it there stays
            stream.write(content.encode())
        return path
    return write_whole(path, (path.read_bytes() if path.is_file() else b"") + content.encode())
