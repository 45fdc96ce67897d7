"""CUDA C++ compiled by NVRTC without a GPU: what is no valid program, and what registers and spills a kernel takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelResources:
    """What a thread of a compiled kernel takes."""

    registers: int
    stack_bytes: int
    spilled_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileResult:
    """A CUDA source compiled for one architecture: its kernels by name, or the compiler's complaints."""

    arch: str
    kernels: Mapping[str, KernelResources]
    errors: str = ""


_KERNEL = re.compile(
    r"entry function '(?P<name>\w+)'.*?"
    r"(?P<stack>\d+) bytes stack frame, (?P<stored>\d+) bytes spill stores, (?P<loaded>\d+) bytes spill loads.*?"
    r"Used (?P<registers>\d+) registers",
    re.DOTALL,
)


def compile_source(path: Path, arch: str, defines: Mapping[str, str]) -> CompileResult:
    """Compile a CUDA source with NVRTC for an architecture such as "sm_90", as CuPy would; needs no GPU.

    The assembler states its resources nowhere but in its log, which is read here.
    """
    from cuda.bindings import nvrtc

    options = [f"--gpu-architecture={arch}", "--std=c++17", "-ftz=true", "--ptxas-options=-v"]
    options += [f"-D{name}={value}" for name, value in defines.items()]
    program = _checked(nvrtc.nvrtcCreateProgram(path.read_bytes(), path.name.encode(), 0, [], []))
    try:
        status, *_ = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])
        log = bytearray(_checked(nvrtc.nvrtcGetProgramLogSize(program)))
        _checked(nvrtc.nvrtcGetProgramLog(program, log))
    finally:
        nvrtc.nvrtcDestroyProgram(program)
    text = log.decode(errors="replace").rstrip("\0")
    if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        return CompileResult(arch=arch, kernels={}, errors=text)
    return CompileResult(arch=arch, kernels={match["name"]: _resources(match) for match in _KERNEL.finditer(text)})


def _resources(match: re.Match[str]) -> KernelResources:
    return KernelResources(
        registers=int(match["registers"]),
        stack_bytes=int(match["stack"]),
        spilled_bytes=int(match["stored"]) + int(match["loaded"]),
    )


def _checked(answer: tuple[Any, ...]) -> Any:
    """The value of an NVRTC call. Raises `RuntimeError` when it failed."""
    status, *values = answer
    if int(status) != 0:
        raise RuntimeError(f"NVRTC failed: {status!r}.")
    return values[0] if values else None
