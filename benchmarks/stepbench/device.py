"""The GPU's own clock, and the state it was in: beside the wall clock, never instead of it.

Events of the driver stand on the default stream, whatever library launched the work in between: their difference is
the time the device was busy with a round, and what the wall clock shows beyond it is launch overhead.
"""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

from stepkernels.probe import DRIVER

LEGACY_STREAM = ctypes.c_void_p(1)  # CU_STREAM_LEGACY: waits for, and is waited for by, every blocking stream
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
            self._require("cuEventCreate", ctypes.byref(event), 0)

    def start(self) -> None:
        self._require("cuEventRecord", self.events[0], LEGACY_STREAM)

    def stop(self) -> None:
        self._require("cuEventRecord", self.events[1], LEGACY_STREAM)

    def seconds(self) -> float:
        self._require("cuEventSynchronize", self.events[1])
        milliseconds = ctypes.c_float()
        self._require("cuEventElapsedTime", ctypes.byref(milliseconds), *self.events)
        return milliseconds.value / 1e3

    def _require(self, function: str, *arguments: Any) -> None:
        if status := getattr(self.driver, function)(*arguments):
            raise DriverError(f"{function} returned {status}.")


def device_clock(device: str) -> DeviceClock | None:
    """The clock of a row's device, once the row is bound; None for a CPU, or when this thread has no CUDA context."""
    if device != "cuda":
        return None
    driver, context = ctypes.CDLL(DRIVER), ctypes.c_void_p()
    if driver.cuCtxGetCurrent(ctypes.byref(context)) or not context.value:
        return None
    return CudaClock(driver)


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
