"""fused_step.cu compiles for every architecture it claims, and spills nothing. Compiled, not run: no GPU is needed."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import cupy_on_cpu
from stepbench.checking.cuda.nvrtc import CompileResult, compile_source
from stepkernels.catalog import CATALOG
from stepkernels.sources import source_files

SOURCE = source_files(CATALOG["cupy-fused"])[-1]
KERNELS = {"gradient_by_warps", "gradient", "finish", "update", "train", "row_residuals", "column_sums"}
WITHOUT_NVRTC = "NVRTC is not installed; python -m pip install 'stepbench[cuda13]'"
REGISTERS_OF_A_MULTIPROCESSOR = 64 * 1024
H100 = SimpleNamespace(processors=132, shared=233_472, shared_of_block=232_448, shared_reserved=1024)


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


@pytest.mark.parametrize("n", [1, 3, 20, 30, 100, 101, 257, 512, 1000, 1023, 1024, 2000])
def test_warps_keep_a_row_in_registers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, real: str, n: int) -> None:
    """However a row is shared among the lanes of a warp: no spills, and registers for every warp of a block."""
    pytest.importorskip("cuda.bindings.nvrtc", reason=WITHOUT_NVRTC)
    row = cupy_on_cpu.row_on_cpu(monkeypatch, "stepkernels.rows.cupy_fused", cupy_on_cpu.Machine(), tmp_path)
    tiling = row.by_warps(n, {"float": 4, "double": 8}[real], H100)
    if tiling is None:
        assert n > 1024
        return
    compiled = compile_source(SOURCE, "sm_90", {"REAL": real} | {k: str(v) for k, v in tiling.defines.items()})
    assert set(compiled.kernels) == {"gradient_by_warps"}
    kernel = compiled.kernels["gradient_by_warps"]
    assert kernel.stack_bytes == kernel.spilled_bytes == 0
    assert tiling.threads * kernel.registers <= REGISTERS_OF_A_MULTIPROCESSOR
    assert tiling.shared_bytes <= H100.shared_of_block


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
