"""What a kernel file may declare: every field of its `Implementation`, validated once, in the process that is ours.

The file was loaded in a process that it controls, so nothing of what comes from there is believed before it is here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from stepbench.run.participants import LIMITS
from stepkernels import Implementation, Op, ProblemError
from stepkernels.catalog import CATALOG
from stepkernels.problem import DTYPES, OPTIMIZERS, STORAGES
from stepreports.records.validation import shown

Line = Annotated[str, Meta(max_length=1000)]

MOST_LETTERS = 80  # of a name, which becomes part of a file's
MOST_OPTIONS = 10_000  # characters of all options, written down
_DEEPEST_OPTION = 16
_NAME = re.compile(rf"\w[\w.+ -]{{0,{MOST_LETTERS - 2}}}[\w.+-]|\w")


class KernelFileError(ProblemError):
    """A kernel file that cannot be used; the message says where and why."""


class Declared(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of an `Implementation` as they come, but for its module: that is the file."""

    name: Line
    library: Line
    compiler: Literal["c", "c++"] | None
    technique: Line
    device: Literal["cpu", "cuda"]
    ops: list[str]
    dtypes: list[str]
    optimizers: list[str]
    summary: Line
    options: dict[str, Any]
    passes_over_x: Annotated[int, Meta(ge=1, le=2**20)]
    accumulation: Literal["blocked", "sequential"]
    residual: Literal["stable", "difference"]
    deterministic: bool
    allocates: bool
    compiles_per_shape: bool
    max_work: Annotated[float, Meta(ge=1, le=1e30)] | None
    cuda_source: Line | None
    cpp_source: Line | None
    raw_kernels: bool
    weights: bool
    storages: list[str]
    survives_fork: bool
    auto_from: Annotated[int, Meta(ge=0, le=2**62)] | None


def _out_of(known: tuple[str, ...]) -> str:
    return f"a tuple out of {', '.join(known)}"


MUST_BE = {
    "name": f"at most {MOST_LETTERS} letters, digits, spaces and any of . _ + -, a letter or digit first",
    "library": "the import name of the library that it needs, such as numpy",
    "compiler": "'c', 'c++' or None",
    "technique": "a few words, on one line",
    "device": "'cpu' or 'cuda'",
    "ops": _out_of(tuple(Op)),
    "dtypes": _out_of(DTYPES),
    "optimizers": _out_of(tuple(OPTIMIZERS)),
    "summary": "a sentence of at most 1,000 characters",
    "options": f"a mapping of names to plain JSON values, at most {MOST_OPTIONS:,} characters of them",
    "passes_over_x": "a whole number from 1 on",
    "accumulation": "'blocked' or 'sequential'",
    "residual": "'stable' or 'difference'",
    "max_work": "a number from 1 on, or None",
    "cuda_source": "the name of a file beside the kernel file, or None",
    "cpp_source": "the name of a file beside the kernel file, or None",
    "auto_from": "a whole number from 0 on, or None",
    "storages": f"a tuple out of {', '.join(STORAGES)}, or an empty one",
}
TRUTH = "True or False"


def validated(fields: object, path: Path) -> Implementation:
    """The row of a kernel file from the fields that it declares. Raises `KernelFileError`."""
    try:
        declared = msgspec.convert(fields, Declared)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise KernelFileError(_complaint(str(error), fields)) from None
    for name, is_right in _FURTHER.items():
        if not is_right(getattr(declared, name), path):
            raise _wrong(name, getattr(declared, name))
    _require_name_of_its_own(declared.name)
    if Op.STEP not in declared.ops:
        raise KernelFileError(f"IMPLEMENTATION.ops is {shown(tuple(declared.ops))}; every row has step")
    return Implementation.from_json(msgspec.to_builtins(declared) | {"module": str(path)})


def _complaint(error: str, fields: object) -> str:
    """A complaint of msgspec's about one of the fields, in our words."""
    name = re.search(r"`\$\.(\w+)|`(\w+)`$", error)
    if isinstance(fields, Mapping) and name and (found := name[1] or name[2]) in fields:
        return str(_wrong(found, fields[found]))
    return "IMPLEMENTATION does not have the fields of an Implementation"


def _wrong(name: str, value: object) -> KernelFileError:
    value = tuple(value) if isinstance(value, list) else value
    return KernelFileError(f"IMPLEMENTATION.{name} is {shown(value)}; it must be {MUST_BE.get(name, TRUTH)}")


def _require_name_of_its_own(name: str) -> None:
    """What a run files under a name is told apart without regard to capitals: some file systems do not see them."""
    taken = {row.name.casefold() for row in (*CATALOG.values(), *LIMITS)} | {"cpu", "cuda"}
    if name.casefold() in taken:
        raise KernelFileError(f"IMPLEMENTATION.name is {shown(name)}, which stepbench itself uses; choose another")


def _distinct_out_of(known: tuple[str, ...]) -> Callable[[list[str], Path], bool]:
    return lambda chosen, _: bool(chosen) and set(chosen) <= set(known) and len(set(chosen)) == len(chosen)


def _is_import_name(library: str, _: Path) -> bool:
    return library.isidentifier() and not library.startswith("__")


def _is_beside(source: str | None, path: Path) -> bool:
    if source is None:
        return True
    return source.isprintable() and Path(source).name == source and (path.parent / source).is_file()


def _are_plain(options: dict[str, Any], _: Path) -> bool:
    """Whether they can be written into a record and read from it, as they are."""
    names_are_right = all(name.isidentifier() and name not in ("problem", "config") for name in options)
    return names_are_right and _is_plain(options, _DEEPEST_OPTION) and len(msgspec.json.encode(options)) <= MOST_OPTIONS


def _is_plain(value: object, levels: int) -> bool:
    match value:
        case dict() | list():
            inside = value.values() if isinstance(value, dict) else value
            return levels > 0 and all(_is_plain(each, levels - 1) for each in inside)
        case str():
            return value == value.encode(errors="replace").decode()
        case float():
            return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < 2**63)


# What types alone do not say.
_FURTHER: dict[str, Callable[[Any, Path], bool]] = {
    "name": lambda name, _: bool(_NAME.fullmatch(name)),
    "library": _is_import_name,
    "technique": lambda words, _: bool(words.strip()) and words.isprintable() and len(words) <= 200,
    "summary": lambda sentence, _: sentence.isprintable(),
    "ops": _distinct_out_of(tuple(Op)),
    "dtypes": _distinct_out_of(DTYPES),
    "optimizers": _distinct_out_of(tuple(OPTIMIZERS)),
    "storages": lambda given, path: not given or _distinct_out_of(STORAGES)(given, path),
    "cuda_source": _is_beside,
    "cpp_source": _is_beside,
    "options": _are_plain,
}
