"""The type: one register as a value in compiled code."""

# mypy: disable-error-code="no-untyped-call,import-untyped"

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.core import config
from numba.core.datamodel import models
from numba.extending import register_model


def _has_avx512() -> bool:
    features: str | None = config.CPU_FEATURES  # type: ignore[attr-defined]  # NUMBA_CPU_FEATURES
    if features is not None:
        return "+avx512f" in features
    return bool(llvmlite.binding.get_host_cpu_features().get("avx512f", False))


VECTOR_BYTES = 64 if _has_avx512() else 32


class Vector(types.Type):
    """One register full of `scalar`, a Numba float type."""

    def __init__(self, scalar: types.Float) -> None:
        self.scalar = scalar
        self.lanes = 8 * VECTOR_BYTES // scalar.bitwidth
        super().__init__(name=f"Vector({scalar} x {self.lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        scalar = manager.lookup(vector.scalar).get_value_type()
        super().__init__(manager, vector, ir.VectorType(scalar, vector.lanes))
