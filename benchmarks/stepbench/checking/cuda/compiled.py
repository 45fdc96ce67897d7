"""CUDA C++ sources compiled for every architecture, with no GPU: valid, without spills, without a stack frame."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from stepbench.checking.cuda.nvrtc import CompileResult, compile_source
from stepbench.checking.verdicts import Disagreement, RowReport, Verdict
from stepkernels import Implementation
from stepkernels.probe import missing_library
from stepkernels.sources import source_files

ARCHITECTURES = ("sm_75", "sm_80", "sm_90", "sm_100")
C_TYPES = {"float32": "float", "float64": "double"}


def compiled_report(row: Implementation) -> RowReport | None:
    """The verdict of the compiler; None for a row that has no CUDA source of its own."""
    if row.cuda_source is None:
        return None
    if missing_library("cuda") or missing_library("cuda.bindings"):
        reason = "no NVIDIA GPU, and NVRTC is not installed; python -m pip install 'stepbench[cuda13]'"
        return RowReport(row=row.name, verdict=Verdict.NOT_RUN, reason=reason)
    began = time.monotonic()
    source = source_files(row)[-1]
    found = tuple(
        complaint for each in row.dtypes for arch in ARCHITECTURES for complaint in _complaints(source, arch, each)
    )
    reason = str(found[0]) if found else f"{source.name} for {', '.join(ARCHITECTURES)}; no spills, no stack frame"
    return RowReport(
        row=row.name,
        verdict=Verdict.DISAGREES if found else Verdict.COMPILED,
        reason=reason,
        disagreements=found,
        seconds=time.monotonic() - began,
    )


def _complaints(source: Path, arch: str, dtype: str) -> Iterator[Disagreement]:
    result = compile_source(source, arch, {"REAL": C_TYPES[dtype]})
    for sentence in _faults(result):
        yield Disagreement(trial="compiling", data=f"{arch}, {dtype}", field="", error=float("inf"), sentence=sentence)


def _faults(result: CompileResult) -> Iterator[str]:
    if result.errors or not result.kernels:
        yield f"the source does not compile: {result.errors or 'it has no kernel'}"
    for name, kernel in result.kernels.items():
        if kernel.spilled_bytes or kernel.stack_bytes:
            yield f"{name} spills {kernel.spilled_bytes} bytes and keeps a stack frame of {kernel.stack_bytes}"
