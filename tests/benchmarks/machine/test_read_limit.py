"""The read kernels: everything is read, on the CPU and on a GPU, whose kernel runs here as C++, a thread at a time."""

from __future__ import annotations

import ctypes
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import cupy_on_cpu
from stepbench.checking.cuda.nvrtc import compile_source
from stepbench.machine import read_kernels, read_limit
from stepbench.machine.read_kernels import Way, fastest_way, ways
from stepkernels import Config, synthetic_problem

SOURCE = Path(read_limit.__file__).with_name("read_limit.cu")
SIZES = (1, 2, 3, 5, 7, 64, 1023, 4099)  # fewer than a vector, every remainder, past eight streams

SERIAL = """
struct uint4 { unsigned x, y, z, w; };
struct Index { unsigned x; };
static Index gridDim, blockDim, blockIdx, threadIdx;
#define __device__ static
#define __global__
static void __syncthreads() {}
#include "read_limit.cu"
extern "C" void launch(unsigned blocks, unsigned threads, const uint4* X, unsigned long long words, int times,
                       unsigned wanted, unsigned* fold_out) {
    gridDim.x = blocks, blockDim.x = threads;
    for (blockIdx.x = 0; blockIdx.x < blocks; ++blockIdx.x)
        for (threadIdx.x = 0; threadIdx.x < threads; ++threadIdx.x) read_array(X, words, times, wanted, fold_out);
}
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("way", ways((1, 2)), ids=str)
def test_every_element_is_read_once(way, dtype):
    for size in SIZES:
        X = np.arange(1, size + 1, dtype=dtype).reshape(1, size)
        assert way.read(X) == size * (size + 1) / 2


def test_the_fastest_way_is_one_of_them():
    X = np.ones((50, 30))
    assert fastest_way(X, (1,)) in ways((1,))
    assert fastest_way(X, (1, 2)) in ways((1, 2))


def test_the_fastest_way_is_the_one_that_takes_least(monkeypatch):
    """Of made-up durations: the one a hundredth faster than the rest, though it is tried among the slowest first."""
    told, slow = Way(2, 4, 0), Way(1, 1, 1024)
    durations = dict.fromkeys(ways((1, 2)), 1.0) | {told: 0.99, slow: 5.0}
    monkeypatch.setattr(read_kernels, "_seconds", lambda way, X, repeats: durations[way])
    assert fastest_way(np.ones(10), (1, 2)) == told


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    """The launch of the kernel, compiled by g++."""
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed, and read_limit.cu is executed by compiling it as C++")
    folder = tmp_path_factory.mktemp("read_limit")
    (folder / "serial.cpp").write_text(SERIAL)
    built = folder / "serial.so"
    command = ["g++", "-std=c++17", "-O1", "-fPIC", "-shared", f"-I{SOURCE.parent}", str(folder / "serial.cpp")]
    subprocess.run([*command, "-o", str(built)], check=True)
    return ctypes.CDLL(str(built)).launch


def fold_of(words, thread, threads):
    """What a thread folds together: every `threads`-th vector of four words, and a word of the rest."""
    vectors, rest = np.split(words, [len(words) - len(words) % 4])
    return np.bitwise_xor.reduce([*vectors.reshape(-1, 4)[thread::threads].ravel(), *rest[thread : thread + 1], 0])


@pytest.mark.parametrize("size", SIZES)
def test_every_word_is_folded_by_the_thread_it_belongs_to(launch, size):
    words = np.random.default_rng(size).integers(1, 2**32, size, dtype=np.uint32)
    for thread in range(6):
        wanted, found = int(fold_of(words, thread, threads=6)), np.zeros(1, np.uint32)
        pointers = ctypes.c_void_p(words.ctypes.data), ctypes.c_void_p(found.ctypes.data)
        launch(2, 3, pointers[0], ctypes.c_ulonglong(size), 3, ctypes.c_uint(wanted), pointers[1])
        assert found[0] == wanted


@pytest.mark.parametrize("arch", ["sm_75", "sm_80", "sm_90", "sm_100"])
def test_the_kernel_compiles_and_a_multiprocessor_holds_its_blocks(arch):
    pytest.importorskip(
        "cuda.bindings.nvrtc", reason="NVRTC is not installed; python -m pip install 'stepbench[cuda13]'"
    )
    result = compile_source(SOURCE, arch, {})
    assert result.errors == ""
    (kernel,) = result.kernels.values()
    assert kernel.stack_bytes == kernel.spilled_bytes == 0
    assert 4 * 256 * kernel.registers <= 64 * 1024


def test_the_participant_reads_once_a_step_and_trains_in_one_launch(monkeypatch, launch, tmp_path):
    launches = []

    def kernel(grid, block, arguments):
        X, words, times, wanted, fold = arguments
        launches.append((grid, int(times)))
        addresses = ctypes.c_void_p(X.ctypes.data), ctypes.c_void_p(fold.ctypes.data)
        launch(*grid, *block, addresses[0], ctypes.c_ulonglong(words), int(times), ctypes.c_uint(wanted), addresses[1])

    cupy = cupy_on_cpu.new_cupy(cupy_on_cpu.Machine(processors=3), tmp_path)
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    for name in ("stepkernels.arrays.cupy_state", "stepbench.machine.read_limit_cuda"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module("stepbench.machine.read_limit_cuda")
    monkeypatch.setattr(module, "compiled", lambda: kernel)
    workspace = module.bind(synthetic_problem(37, 5, "float32"), Config(dtype="float32"))
    launches.clear()
    workspace.step()
    workspace.gradient()
    workspace.train(7)
    assert launches == [((workspace.blocks,), times) for times in (1, 1, 7)]
    assert workspace.blocks in {3 * each for each in module.BLOCKS}
    assert np.isnan(workspace.snapshot().J)
