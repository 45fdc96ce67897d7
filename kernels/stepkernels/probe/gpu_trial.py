"""One tiny real operation on the GPU: `python -m stepkernels.probe.gpu_trial LIBRARY PARENT`, for `probe.missing_gpu`.

A process of its own, so that a driver that hangs or crashes takes nothing with it, and that on Linux dies with the one
that started it. Prints one JSON line,
{"reason": why the library cannot use a GPU here, or null}; an exception is a broken installation.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

from stepkernels.probe import DRIVER


def missing_driver() -> str | None:
    """Why the NVIDIA driver has no GPU to offer, asked of the driver alone; None when it has."""
    driver = ctypes.CDLL(DRIVER)
    if status := driver.cuInit(0):
        return f"the NVIDIA driver does not start (cuInit returned {status})"
    count = ctypes.c_int(0)
    driver.cuDeviceGetCount(ctypes.byref(count))
    return None if count.value else "the NVIDIA driver reports no GPU"


def _require_eight(total: float) -> None:
    """Raise unless eight ones were summed. No `assert`: with `python -O` that would not even ask the GPU."""
    if total != 8.0:
        raise ArithmeticError(f"eight ones sum to {total} on this GPU")


def _try_torch() -> str | None:
    import torch

    if torch.version.cuda is None:
        return f"torch {torch.__version__} is built without CUDA; install a CUDA build of torch"
    _require_eight(torch.ones(8, device="cuda").sum().item())
    return None


def _try_cupy() -> str | None:
    import cupy

    _require_eight(float(cupy.ones(8).sum()))
    return None


def _try_numba_cuda() -> str | None:
    import numpy as np
    from numba import cuda

    @cuda.jit  # type: ignore[untyped-decorator]
    def double(values: Any) -> None:
        values[cuda.threadIdx.x] *= 2.0  # type: ignore[attr-defined]

    array = cuda.to_device(np.full(8, 0.5))
    double[1, 8](array)  # compiles, which a version of NumPy that it does not know prevents
    _require_eight(array.copy_to_host().sum())
    return None


def _try_jax() -> str | None:
    import jax

    if not any(device.platform == "gpu" for device in jax.devices()):
        return "jax sees no GPU; install jax[cuda13] or jax[cuda12]"
    _require_eight(float(jax.numpy.ones(8).sum()))
    return None


TRIALS = {"torch": _try_torch, "triton": _try_torch, "cupy": _try_cupy, "numba_cuda": _try_numba_cuda, "jax": _try_jax}


PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """On Linux, be killed when the parent dies; end at once when it has died already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def main(library: str) -> None:
    """Print {"reason": …} for a GPU used through `library`; an exception is a broken installation."""
    trial = TRIALS.get(library, lambda: None)
    sys.stdout.write(json.dumps({"reason": missing_driver() or trial()}) + "\n")


if __name__ == "__main__":
    die_with(int(sys.argv[2]))
    main(sys.argv[1])
