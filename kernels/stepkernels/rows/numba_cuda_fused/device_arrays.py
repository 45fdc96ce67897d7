"""The state of a step in numba-cuda's arrays, for the row that computes with them; only it imports this."""

# mypy: disable-error-code="attr-defined"

from __future__ import annotations

from typing import Any

from numba import cuda

from stepkernels.problem import Array


class DeviceArrays:
    """numba-cuda's arrays on the current GPU."""

    def empty(self, length: int, dtype: str) -> Any:
        return cuda.device_array(length, dtype)

    def write(self, array: Any, values: Array) -> None:
        array.copy_to_device(values)

    def read(self, array: Any) -> Array:
        values: Array = array.copy_to_host()
        return values
