"""The type: one register as a value in compiled code."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

import platform
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import config
from numba.core.datamodel import models
from numba.extending import register_model


def _has(feature: str) -> bool:
    """Whether Numba compiles for a processor that has it: this one, or that of NUMBA_CPU_FEATURES."""
    features: str | None = config.CPU_FEATURES  # type: ignore[attr-defined]
    if features is not None:
        return f"+{feature}" in features.split(",")
    return bool(llvmlite.binding.get_host_cpu_features().get(feature, False))


VECTOR_BYTES = 64 if _has("avx512f") else 32
ROWS_AT_ONCE = 8 if VECTOR_BYTES == 64 else 4  # sums and factors of so many rows fit in the registers side by side
HAS_FMA = platform.machine() not in {"x86_64", "AMD64"} or _has("fma")


# What is kept in fewer bits and computed with in float32, by the integers that its bits are read as.
NARROW = {types.int16: "float16", types.uint16: "bfloat16", types.int8: "int8"}


class Vector(types.Type):
    """One register full of `scalar`, a Numba float type; of narrow elements, full of what they are computed with in."""

    def __init__(self, scalar: Any) -> None:
        self.scalar = scalar = types.float32 if scalar in NARROW else scalar
        self.lanes = 8 * VECTOR_BYTES // scalar.bitwidth
        super().__init__(name=f"Vector({scalar} x {self.lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        scalar = manager.lookup(vector.scalar).get_value_type()
        super().__init__(manager, vector, ir.VectorType(scalar, vector.lanes))
