"""fused_step.cu compiles for every architecture it claims, and spills nothing. Compiled, not run: no GPU is needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stepbench.checking.cuda.nvrtc import CompileResult, compile_source
from stepkernels.catalog import CATALOG
from stepkernels.sources import source_files

SOURCE = source_files(CATALOG["cupy-fused"])[-1]
KERNELS = {"gradient", "finish", "update", "train", "row_residuals", "column_sums"}
WITHOUT_NVRTC = "NVRTC is not installed; python -m pip install 'stepbench[cuda13]'"
REGISTERS_OF_A_MULTIPROCESSOR = 64 * 1024


@pytest.fixture(scope="module", params=["float", "double"])
def real(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=["sm_75", "sm_80", "sm_90", "sm_100"])
def compiled(request: pytest.FixtureRequest, real: str) -> CompileResult:
    pytest.importorskip("cuda.bindings.nvrtc", reason=WITHOUT_NVRTC)
    return compile_source(SOURCE, request.param, {"REAL": real})


def test_every_kernel_compiles(compiled: CompileResult) -> None:
    assert compiled.errors == ""
    assert set(compiled.kernels) == KERNELS


def test_no_kernel_keeps_registers_in_memory(compiled: CompileResult) -> None:
    for name, kernel in compiled.kernels.items():
        assert kernel.stack_bytes == kernel.spilled_bytes == 0, name


def test_registers_allow_the_blocks_that_are_planned_for(compiled: CompileResult) -> None:
    """Three blocks of 256 threads a multiprocessor stream X; one of 512 trains."""
    assert 3 * 256 * compiled.kernels["gradient"].registers <= REGISTERS_OF_A_MULTIPROCESSOR
    assert 512 * compiled.kernels["train"].registers <= REGISTERS_OF_A_MULTIPROCESSOR


def test_an_error_in_the_source_is_reported(tmp_path: Path) -> None:
    pytest.importorskip("cuda.bindings.nvrtc", reason=WITHOUT_NVRTC)
    broken = tmp_path / "broken.cu"
    broken.write_text('extern "C" __global__ void kernel() { undefined(); }')
    result = compile_source(broken, "sm_80", {})
    assert not result.kernels
    assert "undefined" in result.errors


def test_the_source_takes_no_shortcuts() -> None:
    """Nothing approximate by name, no header that NVRTC would have to find, and no atomic on a real."""
    text = SOURCE.read_text()
    for shortcut in ("__expf", "__logf", "__fdividef", "fast_math", "#include"):
        assert shortcut not in text
    for operand in re.findall(r"atomic\w+\((\w+)", text):
        assert operand in {"arrivals", "reinterpret_cast"}  # of counters, to unsigned long long
