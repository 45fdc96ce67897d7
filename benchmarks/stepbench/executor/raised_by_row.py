"""What a row's code raised, told with the line of its own file that raised it and never with a traceback of ours."""

from __future__ import annotations

import traceback
from pathlib import Path

from stepbench.executor.wire import LONGEST_SENTENCE
from stepkernels import Implementation, interface

_OURS = (str(Path(__file__).parent), interface.__file__)


def described(error: BaseException, row: Implementation) -> str:
    """An exception with the line that raised it: in the row's own file, or else outside of what calls it."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    source = row.module if row.module.endswith(".py") else row.module.replace(".", "/") + ".py"
    frames = [f for f in frames if f.filename.endswith(source)] or frames
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno}, in {frames[-1].name})" if frames else ""
    return f"{type(error).__name__}: {_text(error)}{where}"


def _text(error: BaseException) -> str:
    """What the exception says, which is the row's code again: it may raise, or never end."""
    try:
        text = str(error)
    except BaseException as another:
        return f"(its text could not be had: {type(another).__name__})"
    return text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE]}…"
