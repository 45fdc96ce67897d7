"""As much of CuPy as the rows use, on the CPU: arrays are NumPy's, kernels run in cuda_on_cpu.h, graphs are lists.

`row_on_cpu` puts it in the place of `cupy`, so that a row's own file is executed as it stands: its plan of the
launches, its record of arguments, its training, and, through g++, its CUDA C++.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROWS = HERE.parent / "kernels" / "stepkernels" / "rows" / "cupy_fused"
UFUNCS = (
    "add", "copysign", "divide", "dot", "exp", "heaviside", "log1p", "maximum", "multiply", "sqrt", "square",
    "subtract", "sum",
)  # fmt: skip


@dataclass
class Machine:
    """What the CPU pretends to be, and how it schedules (see cuda_on_cpu.h)."""

    processors: int = 3
    shared: int = 96 * 1024
    shared_of_block: int = 47 * 1024
    shared_reserved: int = 1024
    order: int = 0
    lazy: bool = True
    launches: list[str] = field(default_factory=list)


class DeviceArray(np.ndarray):
    """A NumPy array with the methods of CuPy's."""

    @property
    def data(self) -> Any:  # type: ignore[override]
        return SimpleNamespace(ptr=self.ctypes.data)

    def set(self, values: np.ndarray) -> None:
        assert values.dtype == self.dtype
        assert values.shape == self.shape
        self[...] = values

    def get(self) -> np.ndarray:
        return np.array(self)


@functools.cache
def library(defines: tuple[str, ...], folder: Path) -> ctypes.CDLL:
    """The kernels of fused_step.cu compiled by g++ with these definitions."""
    built = folder / f"fused_step{''.join(defines)}.so".replace("=", "_")
    command = ["g++", "-std=c++17", "-O1", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"]
    command += [
        "-Wno-sign-compare",
        *defines,
        f"-I{ROWS}",
        str(HERE / "fused_step_on_cpu.cpp"),
        "-o",
        str(built),
    ]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(built))


def argument(value: Any) -> np.ndarray:
    """The memory that holds an argument: a device array's address, or a NumPy scalar or record itself."""
    if isinstance(value, DeviceArray):
        return np.array(value.ctypes.data, np.intp)
    assert isinstance(value, np.generic) or value.size == 1
    return np.asarray(value)


class Kernel:
    """A kernel of a RawModule. While a stream captures, a launch is recorded and not made."""

    capturing: list[Any] | None = None

    def __init__(self, name: str, function: Any, machine: Machine) -> None:
        self.name, self.function, self.machine = name, function, machine
        self.kernel, self.ptr = self, name
        self.max_dynamic_shared_size_bytes = 0

    def __call__(
        self,
        grid: tuple[int, ...],
        block: tuple[int, ...],
        arguments: tuple[Any, ...],
        shared_mem: int = 0,
        enable_cooperative_groups: bool = False,
    ) -> None:
        if Kernel.capturing is not None:
            Kernel.capturing.append(functools.partial(self, grid, block, arguments, shared_mem))
            return
        assert shared_mem <= self.max_dynamic_shared_size_bytes <= self.machine.shared_of_block
        assert not enable_cooperative_groups or grid[0] <= self.machine.processors
        self.machine.launches.append(self.name)
        held = [argument(value) for value in arguments]
        addresses = (ctypes.c_void_p * len(held))(*(value.ctypes.data for value in held))
        x, y = (*grid, 1)[:2]
        self.function(
            x, y, block[0], ctypes.c_size_t(shared_mem), self.machine.order, self.machine.lazy,
            enable_cooperative_groups, addresses,
        )  # fmt: skip


class RawModule:
    def __init__(self, machine: Machine, folder: Path, *, code: str, options: tuple[str, ...]) -> None:
        assert code == (ROWS / "fused_step.cu").read_text()
        self.machine = machine
        self.library = library(tuple(option for option in options if option.startswith("-D")), folder)

    def get_function(self, name: str) -> Kernel:
        return Kernel(name, self.library[f"launch_{name}"], self.machine)


class Stream:
    def __init__(self, *, non_blocking: bool) -> None:
        assert non_blocking

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None: ...

    def begin_capture(self) -> None:
        Kernel.capturing = []

    def end_capture(self) -> Any:
        launches, Kernel.capturing = Kernel.capturing, None
        return SimpleNamespace(launch=lambda: [launch() for launch in launches or ()])


def occupancy(machine: Machine, shared: int) -> int:
    return max(1, min(8, machine.shared // (shared + machine.shared_reserved)))


def new_cupy(machine: Machine, folder: Path) -> ModuleType:
    cupy = ModuleType("cupy")
    attributes = {
        "cudaDevAttrMultiProcessorCount": "processors",
        "cudaDevAttrMaxSharedMemoryPerMultiprocessor": "shared",
        "cudaDevAttrMaxSharedMemoryPerBlockOptin": "shared_of_block",
        "cudaDevAttrReservedSharedMemoryPerBlock": "shared_reserved",
    }
    runtime = SimpleNamespace(getDevice=int, deviceGetAttribute=lambda name, _: getattr(machine, name), **attributes)
    driver = SimpleNamespace(
        occupancyMaxActiveBlocksPerMultiprocessor=lambda _kernel, _threads, shared: occupancy(machine, shared)
    )
    stream = SimpleNamespace(synchronize=lambda: None)
    contents = {name: getattr(np, name) for name in UFUNCS} | {
        "ndarray": DeviceArray,
        "asarray": lambda values: np.array(values).view(DeviceArray),
        "empty": lambda shape, dtype: np.full(shape, np.nan, dtype).view(DeviceArray),
        "zeros": lambda shape, dtype: np.zeros(shape, dtype).view(DeviceArray),
        "RawModule": functools.partial(RawModule, machine, folder),
        "cuda": SimpleNamespace(get_current_stream=lambda: stream, Stream=Stream, driver=driver, runtime=runtime),
    }
    vars(cupy).update(contents)
    return cupy


def row_on_cpu(monkeypatch: Any, module: str, machine: Machine, folder: Path) -> ModuleType:
    """A fresh import of a row's module with this in the place of CuPy, for the length of a test."""
    cupy = new_cupy(machine, folder)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setitem(sys.modules, "cupy.cuda", cupy.cuda)
    for name in ("stepkernels.arrays.cupy_state", module):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(module)
