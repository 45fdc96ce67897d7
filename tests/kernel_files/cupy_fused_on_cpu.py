"""cupy-fused as a kernel that runs without a GPU, for the fuzzer: its own file over the doubles in cupy_on_cpu.py."""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from stepkernels.catalog import CATALOG

sys.path.append(str(Path(__file__).parent.parent))

import cupy_on_cpu

IMPLEMENTATION = replace(
    CATALOG["cupy-fused"], name="cupy-fused-on-cpu", module=__file__, library="numpy", device="cpu", cuda_source=None
)
BUILT = tempfile.TemporaryDirectory()
ROW = cupy_on_cpu.row_on_cpu(
    pytest.MonkeyPatch(), "stepkernels.rows.cupy_fused", cupy_on_cpu.Machine(), Path(BUILT.name)
)


def bind(problem, config):
    return ROW.bind(problem, config)
