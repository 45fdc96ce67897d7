"""The CUDA driver alone, whichever library a row uses: wait for everything on the device."""

from __future__ import annotations

import ctypes
import functools


@functools.cache
def _cuda_context() -> tuple[ctypes.CDLL, ctypes.c_void_p]:
    """The driver and the primary context of its first device, which every library shares."""
    driver, context, device = ctypes.CDLL("libcuda.so.1"), ctypes.c_void_p(), ctypes.c_int()
    statuses = (
        driver.cuInit(0),
        driver.cuDeviceGet(ctypes.byref(device), 0),
        driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device),
    )
    if any(statuses):
        raise RuntimeError(f"The CUDA driver did not give its primary context (statuses {statuses}).")
    return driver, context


def synchronize_device() -> int:
    """Wait for all that was launched on the device, by whomever and on whatever stream; 0, or the driver's error."""
    driver, context = _cuda_context()
    driver.cuCtxPushCurrent_v2(context)
    status: int = driver.cuCtxSynchronize()
    driver.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))
    return status
