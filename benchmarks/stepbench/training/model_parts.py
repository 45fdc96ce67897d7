"""What the parts of a model's file must be, and what is wrong with those of a file that says it is a model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepbench.cases.archives import Declared

FORMAT = "stepbench-logistic-regression"
VERSION = 2
NO_INDICES = -1  # counted from: the data learned from had none

HEAD = ("format", "version")

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Part:
    """An array of a model: its kinds of dtype, in words too, its shape, and the values it may have if not any."""

    kinds: str
    told: str
    shape: tuple[str | int, ...]
    values: tuple[int, ...] = ()


NUMBERS, TEXT, WHOLE, LABELS = ("f", "numbers"), ("U", "text"), ("i", "whole numbers"), ("biufU", "numbers or text")

PARTS = {
    "w": Part(*NUMBERS, ("n",)),
    "b": Part(*NUMBERS, ()),
    "mean": Part(*NUMBERS, ("n",)),
    "scale": Part(*NUMBERS, ("n",)),
    "classes": Part(*LABELS, (2,)),
    "columns": Part(*TEXT, ("n",)),
    "target": Part(*TEXT, ()),
    "trained_on": Part(*TEXT, ()),
    "row": Part(*TEXT, ()),
    "optimizer": Part(*TEXT, ()),
    "named": Part(*WHOLE, (), (0, 1)),
    "counted_from": Part(*WHOLE, (), (NO_INDICES, 0, 1)),
}

# What a model of version 1 does not say: its columns are taken for names, and indices are looked at anew.
ADDED = {"named": np.array(1), "counted_from": np.array(NO_INDICES)}
READ_VERSIONS = {1: PARTS.keys() - ADDED.keys(), VERSION: PARTS.keys()}


def fault_of_head(head: Arrays, names: Set[str]) -> str | None:
    """What is wrong with format and version, or with which arrays there are: the rest of a sentence about the file.

    Like all the faults here it is None where nothing is wrong.
    """
    if only(head.get("format")) != FORMAT:
        return "is not a model that Stepbench wrote"
    version = only(head.get("version"))
    if not isinstance(version, int):
        return "is a damaged model: its version is no whole number. Train it again"
    if version not in READ_VERSIONS:
        return f"is a model of version {version}; this Stepbench reads version {VERSION} and those before"
    if names - set(HEAD) != READ_VERSIONS[version]:
        return "lacks parts of a model, or has others. Train it again"
    return None


def only(array: NDArray[Any] | None) -> object:
    """The value of an array that holds one, of no other."""
    return array.item() if array is not None and array.shape == () and array.dtype.kind in "iuU" else None


def fault_of_shapes(declared: Mapping[str, Declared]) -> str | None:
    """What is wrong with what the parts are declared to be, before they are unpacked."""
    n = math.prod(declared["columns"].shape)
    for name, part in PARTS.items():
        if (array := declared.get(name)) is None:
            continue
        shape = tuple(n if length == "n" else length for length in part.shape)
        if array.dtype.kind not in part.kinds:
            return damaged(f"its {name} holds {array.dtype}, not {part.told}")
        if array.shape != shape:
            return damaged(f"its {name} has shape {array.shape}, not {shape}")
    return None


def fault_of_values(arrays: Arrays) -> str | None:
    """What is wrong with the values of parts whose shapes are right."""
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            return damaged(f"its {name} holds NaN or infinity")
        if name in PARTS and (values := PARTS[name].values) and array.item() not in values:
            return damaged(f"its {name} is {array}, not one of {', '.join(map(str, values))}")
    columns = arrays["columns"].tolist()
    wrong = {
        "it has no columns": not columns,
        "two of its columns have one name": len(set(columns)) < len(columns),
        "its two classes are one": arrays["classes"][0] == arrays["classes"][1],
        "its two classes are in the wrong order": arrays["classes"][0] > arrays["classes"][1],
        "it holds text that cannot be written": not all(map(_can_be_written, arrays.values())),
        "its scale is not positive everywhere": not (arrays["scale"] > 0).all(),
    }
    return next((damaged(fault) for fault, is_so in wrong.items() if is_so), None)


def _can_be_written(array: NDArray[Any]) -> bool:
    """Whether text is text: half of a pair of surrogates can be shown and recorded nowhere."""
    try:
        "".join(array.ravel().tolist() if array.dtype.kind == "U" else []).encode()
    except UnicodeEncodeError:
        return False
    return True


def damaged(fault: str) -> str:
    return f"is a damaged model: {fault}. Train it again"
