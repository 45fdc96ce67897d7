"""What a row's code raised, told with the line of its own file that raised it and never with a traceback of ours."""

from __future__ import annotations

import traceback
from pathlib import Path

from stepkernels import Implementation, interface

_OURS = (str(Path(__file__).parent), interface.__file__)


def described(error: BaseException, row: Implementation) -> str:
    """An exception with the line that raised it: in the row's own file, or else outside of what checks it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    source = row.module if row.module.endswith(".py") else row.module.replace(".", "/") + ".py"
    frames = [f for f in frames if f.filename.endswith(source)] or frames
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def described_in_file(error: BaseException, path: Path) -> str:
    """An exception of a file being loaded, as Python would show it: the line it came from, or passed through."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"line {error.lineno}: {error.msg}\n    {(error.text or '').strip()}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    where = f"line {frames[-1].lineno}: " if frames else ""
    source = f"\n    {frames[-1].line}" if frames else ""
    return f"{where}{type(error).__name__}: {error}{source}"
