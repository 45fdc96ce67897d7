"""Arrays in .npy and .npz files: what they are declared to be is read, and believed only where the file holds it.

A few megabytes of zeros in a zip can claim any size, and a damaged header any shape: sizes are compared before anything
is unpacked. Nothing is unpickled: a file of data must not be able to run code.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

READ_HEADER = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a header says of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def declared_array(stream: IO[bytes], size: int) -> Declared:
    """Read the header of an .npy of so many bytes. Raises `ValueError` where these are not those it declares."""
    version = npy.read_magic(stream)
    if version not in READ_HEADER:
        raise ValueError(f"version {version[0]}.{version[1]} of the format")
    shape, _, dtype = READ_HEADER[version](stream)
    declared, held = Declared(shape=shape, dtype=dtype), size - stream.tell()
    if any(length < 0 for length in shape):
        raise ValueError(f"it declares the shape {shape}")
    if not dtype.hasobject and declared.bytes != held:
        raise ValueError(f"it declares {declared.bytes:,} bytes of numbers and holds {held:,}")
    return declared


def declared_arrays(archive: zipfile.ZipFile) -> dict[str, Declared]:
    """What the arrays of an .npz are declared to be, by name."""
    found = {}
    for member in archive.infolist():
        if member.filename.endswith(".npy"):
            with archive.open(member) as stream:
                found[member.filename.removesuffix(".npy")] = declared_array(stream, member.file_size)
    return found


def unpacked(archive: zipfile.ZipFile, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """These arrays of an .npz."""
    arrays = {}
    for name in names:
        with archive.open(f"{name}.npy") as stream:
            arrays[name] = npy.read_array(stream, allow_pickle=False)
    return arrays


def mapped_array(path: Path) -> NDArray[Any]:
    """The array of an .npy, mapped and not read."""
    with path.open("rb") as stream:
        declared_array(stream, path.stat().st_size)
    return npy.open_memmap(path, mode="r")
