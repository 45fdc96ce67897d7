"""The process in which a kernel file is loaded: it sends what the file declares, as one line of JSON, and no more.

The file can do here what it likes; what is sent is only as good as the file, and is validated where it is received.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from stepbench.checking.declared_fields import KernelFileError
from stepbench.checking.raised import described_in_file
from stepkernels import Implementation, Op
from stepkernels.probe.kernel_modules import load_file

UNSENDABLE = "IMPLEMENTATION holds what cannot be sent to another process ({}); give plain values"
OURS = frozenset({"stepkernels", "stepbench", "stepreports"})
MOST_SENTENCE = 4000  # characters of what went wrong
_PLAIN = (str, int, bool, type(None))
_FIELDS = tuple(each.name for each in fields(Implementation) if each.name != "module")


def main(descriptor: int, path: Path, foreign: Path | None = None) -> None:
    """Send {"declared": the row's fields} or {"wrong": a sentence}, and a line end.

    A file that imports anything out of the folder `foreign` is wrong.
    """
    line = json.dumps(_answer(path, foreign), allow_nan=False) + "\n"
    remaining = memoryview(line.encode())
    while remaining:
        remaining = remaining[os.write(descriptor, remaining) :]


def _answer(path: Path, foreign: Path | None) -> dict[str, Any]:
    try:
        return {"declared": declared_fields(path, foreign)}
    except KernelFileError as error:
        return {"wrong": str(error)[:MOST_SENTENCE]}
    except BaseException as error:  # SystemExit and its like are the file's too
        return {"wrong": _described(error, path)[:MOST_SENTENCE]}


def _described(error: BaseException, path: Path) -> str:
    """What was raised; an exception may be of a class of the file's, which tells of itself what it likes, or raises."""
    try:
        return str(described_in_file(error, path))
    except BaseException:
        return "raised an exception that cannot be told"


def declared_fields(path: Path, foreign: Path | None = None) -> dict[str, Any]:
    """Load the file in this process; what it declares, in plain values. Raises `KernelFileError`, or what it raises."""
    module = load_file(path)
    if foreign is not None:
        refuse_imports_from(foreign, path)
    row = getattr(module, "IMPLEMENTATION", None)
    if type(row) is not Implementation:
        raise KernelFileError("needs IMPLEMENTATION = Implementation(name=…, module=__file__, …) at its top level")
    if not callable(getattr(module, "bind", None)):
        raise KernelFileError("needs a function bind(problem, config) that returns a workspace")
    return {name: _plain(getattr(row, name), name) for name in _FIELDS}


def refuse_imports_from(foreign: Path, path: Path) -> None:
    """Raise `KernelFileError` where this process has imported, for a file, what lies in a folder that is not its own.

    An installation there, such as a virtual environment, is no part of the folder, and neither are we.
    """
    allowed = [*map(Path, (sys.prefix, sys.base_prefix)), path.resolve().parent]
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str) or name.partition(".")[0] in OURS:
            continue
        place = Path(file).resolve()
        if place.is_relative_to(foreign.resolve()) and not any(map(place.is_relative_to, allowed)):
            raise KernelFileError(
                f"imports {name} out of the working tree ({place.relative_to(foreign.resolve())}), which is the same "
                "for every version; put what is compared beside the kernel file, or install the package from elsewhere"
            )


def _plain(value: object, where: str) -> Any:
    """A value in the types of JSON, tuples as lists. Raises `KernelFileError` for what has none."""
    if type(value) is str and not _is_text(value):
        raise KernelFileError(UNSENDABLE.format(f"{where} is no text in UTF-8"))
    if type(value) in _PLAIN or (type(value) is float and math.isfinite(value)):
        return value
    if type(value) is Op:
        return value.value
    if isinstance(value, list | tuple):
        return [_plain(inside, f"an element of {where}") for inside in value]
    if isinstance(value, Mapping):
        return {_key(key, where): _plain(inside, f"{where}[{key!r}]") for key, inside in value.items()}
    what = repr(value) if type(value) is float else f"a {type(value).__name__}"
    raise KernelFileError(UNSENDABLE.format(f"{where} is {what}"))


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _key(key: object, where: str) -> str:
    if type(key) is not str or not _is_text(key):
        raise KernelFileError(UNSENDABLE.format(f"a name in {where} is no text but a {type(key).__name__}"))
    return key
