"""The GPU's own clock, the state it was in, and the copy to it: beside the wall clock, never instead of it.

Events of the driver stand on the default stream, whatever library launched the work in between: their difference is
the time the device was busy with a round, and what the wall clock shows beyond it is launch overhead. The copy of X is
the driver's too, so that it is the same for every row.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from typing import Any, Protocol

from stepkernels.probe import DRIVER
from stepkernels.problem import Array

LEGACY_STREAM = ctypes.c_void_p(1)  # CU_STREAM_LEGACY: waits for, and is waited for by, every blocking stream
PIECE_BYTES = 2**28  # of X at a time: a row may have left little of the device's memory
THROTTLED = {  # NVML's reasons for lower clocks that make a timing suspect; idle and chosen limits do not
    "software power cap": 0x4,
    "hardware slowdown": 0x8,
    "software thermal slowdown": 0x20,
    "hardware thermal slowdown": 0x40,
    "power brake": 0x80,
}


class DeviceClock(Protocol):
    """What a `Clock` asks of a device that keeps its own time."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def seconds(self) -> float: ...


class DriverError(RuntimeError):
    """A call of the NVIDIA driver that failed."""


class CudaClock:
    """A pair of events of the current CUDA context. Call `seconds` after the device was synchronized."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        self.events = [ctypes.c_void_p(), ctypes.c_void_p()]
        for event in self.events:
            _require(driver, "cuEventCreate", ctypes.byref(event), 0)

    def start(self) -> None:
        _require(self.driver, "cuEventRecord", self.events[0], LEGACY_STREAM)

    def stop(self) -> None:
        _require(self.driver, "cuEventRecord", self.events[1], LEGACY_STREAM)

    def seconds(self) -> float:
        _require(self.driver, "cuEventSynchronize", self.events[1])
        milliseconds = ctypes.c_float()
        _require(self.driver, "cuEventElapsedTime", ctypes.byref(milliseconds), *self.events)
        return milliseconds.value / 1e3


def device_clock(device: str) -> DeviceClock | None:
    """The clock of a row's device, once the row is bound; None for a CPU, or when this thread has no CUDA context."""
    driver = _driver_in_use(device)
    return CudaClock(driver) if driver else None


def copy_to_device_seconds(device: str, X: Array) -> float | None:
    """Seconds of one copy of X from ordinary memory to a row's device, once the row is bound; None as above."""
    driver = _driver_in_use(device)
    return host_to_device_seconds(driver, X) if driver else None


def host_to_device_seconds(
    driver: Any, X: Array, piece_bytes: int = PIECE_BYTES, now: Callable[[], float] = time.perf_counter
) -> float:
    """Seconds of copying X, C-contiguous, a piece after the other into one buffer; making the buffer is not counted."""
    buffer = ctypes.c_uint64()
    _require(driver, "cuMemAlloc_v2", ctypes.byref(buffer), ctypes.c_size_t(min(X.nbytes, piece_bytes)))
    try:
        start = now()
        for offset in range(0, X.nbytes, piece_bytes):
            piece = ctypes.c_size_t(min(piece_bytes, X.nbytes - offset))
            _require(driver, "cuMemcpyHtoD_v2", buffer, ctypes.c_void_p(X.ctypes.data + offset), piece)
        _require(driver, "cuCtxSynchronize")
        return now() - start
    finally:
        driver.cuMemFree_v2(buffer)


def _driver_in_use(device: str) -> Any | None:
    """The driver, when the device is a GPU and this thread has a context on it."""
    if device != "cuda":
        return None
    driver, context = ctypes.CDLL(DRIVER), ctypes.c_void_p()
    return None if driver.cuCtxGetCurrent(ctypes.byref(context)) or not context.value else driver


def _require(driver: Any, function: str, *arguments: Any) -> None:
    if status := getattr(driver, function)(*arguments):
        raise DriverError(f"{function} returned {status}.")


def device_state(device: str) -> dict[str, Any] | None:
    """Clocks, power, temperature and reasons for throttling of the first GPU, now; None for a CPU."""
    if device != "cuda":
        return None
    import pynvml

    pynvml.nvmlInit()
    gpu = pynvml.nvmlDeviceGetHandleByIndex(0)
    reasons = pynvml.nvmlDeviceGetCurrentClocksEventReasons(gpu)
    return {
        "sm_clock_mhz": pynvml.nvmlDeviceGetClockInfo(gpu, pynvml.NVML_CLOCK_SM),
        "memory_clock_mhz": pynvml.nvmlDeviceGetClockInfo(gpu, pynvml.NVML_CLOCK_MEM),
        "power_watts": pynvml.nvmlDeviceGetPowerUsage(gpu) / 1e3,
        "temperature_celsius": pynvml.nvmlDeviceGetTemperature(gpu, pynvml.NVML_TEMPERATURE_GPU),
        "throttled": [name for name, bit in THROTTLED.items() if reasons & bit],
    }
