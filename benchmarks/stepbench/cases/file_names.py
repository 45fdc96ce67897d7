"""A file's name as it is shown and recorded: always text that can be written, whatever bytes the name is of."""

from __future__ import annotations

import os
from pathlib import Path


def shown_name(path: Path) -> str:
    """The name, with what is no UTF-8 escaped: Python keeps it as surrogates, which can be encoded nowhere."""
    return shown(path.name)


def is_pattern(path: Path) -> bool:
    """Whether a name stands for those of many files: it has one of the signs *, ? and [, and is no file's own."""
    return any(sign in path.name for sign in "*?[") and not path.exists()


def name_of_all(path: Path) -> str | None:
    """The name of the folder whose files are meant, by itself or by a pattern; None for a single file."""
    if is_pattern(path):
        return path.parent.resolve().name
    return path.resolve().name if path.is_dir() else None


def shown(path: str) -> str:
    """The same of a whole path."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
