"""A file's name as it is shown and recorded: always text that can be written, whatever bytes the name is of."""

from __future__ import annotations

import os
from pathlib import Path


def shown_name(path: Path) -> str:
    """The name, with what is no UTF-8 escaped: Python keeps it as surrogates, which can be encoded nowhere."""
    return shown(path.name)


def shown(path: str) -> str:
    """The same of a whole path."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
