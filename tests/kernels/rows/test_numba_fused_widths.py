"""The fused rows on the CPU, compiled for processors with other registers: right, and in vector code."""

from __future__ import annotations

import re
import subprocess
import sys

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from numba import types

from fused_rows import DTYPES
from runs import environment
from stepkernels import simd
from stepkernels.rows.numba_fused.pipeline import both_ways
from stepkernels.simd.vector import HAS_FMA

PROCESSORS = {
    "SSE2": ("x86-64", "+sse2"),
    "AVX2": ("haswell", "+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+avx,+avx2,+fma"),
    "AVX-512": ("skylake-avx512", "+sse2,+sse4.2,+avx,+avx2,+fma,+avx512f,+avx512dq,+avx512bw,+avx512vl,+avx512cd"),
}

WORST = """
from fused_rows import DIVISIONS, DTYPES, OPTIMIZERS, PLANS, agreement_of, started
from stepkernels import Config, simd, synthetic_problem
from stepkernels.rows.numba_fused import Workspace

worst = 0.0
for m, n in ((1, 1), (7, 1), (13, 17), (97, 129), (257, 5), (66, 50)):
    for dtype in DTYPES:
        for optimizer in OPTIMIZERS:
            for division in DIVISIONS.values():
                for plan in PLANS.values():
                    problem, config = started(synthetic_problem(m, n, dtype)), Config(dtype=dtype, optimizer=optimizer)
                    workspace = Workspace(problem, config, division, plan)
                    worst = max(worst, agreement_of(workspace, 2).worst)
print(simd.VECTOR_BYTES, worst)
"""


def features_of_this_processor() -> dict[str, bool]:
    return dict(llvm.get_host_cpu_features())


@pytest.mark.slow
@pytest.mark.parametrize("registers", PROCESSORS)
def test_steps_agree_with_whatever_registers(registers, tmp_path):
    name, features = PROCESSORS[registers]
    missing = [each[1:] for each in features.split(",") if not features_of_this_processor().get(each[1:])]
    if missing:
        pytest.skip(f"this processor has no {missing[-1]}, so that such code cannot run here")
    variables = {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    finished = subprocess.run(
        [sys.executable, "-c", WORST], capture_output=True, text=True, env=environment(**variables), check=False
    )
    assert finished.returncode == 0, finished.stderr
    vector_bytes, worst = finished.stdout.split()
    assert int(vector_bytes) == (64 if "avx512f" in features else 32)
    assert float(worst) < 1.0


@pytest.mark.skipif(not HAS_FMA, reason="what is lowered is compiled for this processor, which has no multiply-add")
@pytest.mark.parametrize("dtype", DTYPES)
def test_for_aarch64_products_are_multiply_adds_of_vectors_and_no_calls(dtype):
    assembly = lowered_for_aarch64(both_ways_compiled(dtype))
    shape = {"float32": "4s", "float64": "2d"}[dtype]
    assert len(re.findall(rf"\bfmla\s+v\d+\.{shape}", assembly)) >= 2 * simd.ROWS_AT_ONCE
    assert not re.findall(r"\bbl\s+fmaf?\b", assembly)
    assert not re.findall(r"\bfmadd\s+[sd]\d+", assembly), "a product lane by lane"


def both_ways_compiled(dtype: str) -> str:
    """LLVM's code for it, for arrays told by their address."""
    elements = types.CPointer(numba.from_dtype(np.dtype(dtype)))
    number = types.intp
    signature = (
        elements, number, elements, number, number, number, number, elements, types.UniTuple(number, 2), elements,
    )  # fmt: skip
    fresh = numba.njit(nogil=True, error_model="numpy")(both_ways.__wrapped__)
    fresh.compile(signature)
    return fresh.inspect_llvm(signature)


def lowered_for_aarch64(code: str) -> str:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple("aarch64-unknown-linux-gnu").create_target_machine(cpu="neoverse-n1", opt=3)
    code = re.sub(r'target triple = ".*"', f'target triple = "{machine.triple}"', code)
    code = re.sub(r'target datalayout = ".*"', f'target datalayout = "{machine.target_data}"', code)
    module = llvm.parse_assembly(code)
    return machine.emit_assembly(module)
