"""What a kernel file raised as it was loaded, told as Python would tell its author, with no traceback of ours."""

from __future__ import annotations

import traceback
from pathlib import Path


def described_in_file(error: BaseException, path: Path) -> str:
    """An exception of a file being loaded, as Python would show it: the line it came from, or passed through."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"line {error.lineno}: {error.msg}\n    {(error.text or '').strip()}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {frames[-1].lineno}: " if frames else ""
    source = f"\n    {frames[-1].line}" if frames else ""
    return f"{where}{type(error).__name__}: {error}{source}"
