"""The fuzzer: its counts, its seed, kernel files and simulated rows."""

import shutil

import pytest

from runs import KERNELS
from stepbench.checking import scenes
from stepbench.checking.fuzz import main as fuzz
from stepbench.checking.schedule import fuzz_schedule
from stepkernels.catalog import CATALOG


def test_the_fuzzer_prints_its_counts_and_its_seed(capsys):
    assert fuzz(["--problems", "12", "--seed", "4", "numpy-blas"]) == 0
    out = capsys.readouterr().out
    assert "12 problems a row, seed 4" in out
    assert "numpy-blas: 12 problems, 0 rejected, 144 states judged; worst J 0." in out


@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed, and fused_step.cu is compiled by it")
def test_the_fuzzer_takes_a_kernel_file(capsys):
    assert fuzz(["--problems", "3", "--seed", "4", "--kernel", str(KERNELS / "cupy_fused_on_cpu.py")]) == 0
    assert "cupy-fused-on-cpu: 3 problems, 0 rejected, 36 states judged; worst" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.usefixtures("without_gpu")
def test_the_fuzzer_simulates_on_small_shapes(capsys):
    pytest.importorskip("triton", reason="triton is not installed")
    assert fuzz(["--problems", "2", "--seed", "4", "--simulate", "triton-fused"]) == 0
    assert "triton-fused: 2 problems, simulated, 0 rejected, 24 states judged; worst" in capsys.readouterr().out
    schedule = fuzz_schedule(CATALOG["numba-cuda-fused"], 4, 50, simulated=True)
    assert {scheduled.shape for scheduled in schedule} == set(scenes.TINY)
