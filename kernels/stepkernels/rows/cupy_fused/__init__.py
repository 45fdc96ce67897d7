"""Rung 9, the fused step in CUDA C++: one launch, whose kernel (`fused_step.cu`, beside this file) is the whole step.

The matrix form of cupy_arrays.py goes over X twice because it needs every residual before it can begin Xᵀr. But a row's
contribution to gw needs only that row's residual. So a block copies a tile of rows into shared memory (cut by
`tiling.py`), finds their margins and residuals, and adds r·x from the copy that is still there: X is read once. That is
the least a step can read, and 2.0 times is the most that this can gain over two passes at full bandwidth; the vectors
of length m that those passes exchange are gone as well.

It is bound by reading X. How the constants follow from that (H100: 132 multiprocessors at 1.76 GHz, 3.35 TB/s):
- 3.35 TB/s is 14.5 bytes a clock for each multiprocessor, and memory answers after 600 to 800 clocks, more under load:
  40 to 60 KB must be on their way at any time. Three blocks with a ring of three tiles of about 23 KB keep two tiles
  each in flight, 140 KB.
- A tile spends some 2,000 clocks in latencies that nothing inside its block hides (float64 exp, log1p and a division
  one after the other; three barriers), and three blocks overlap theirs: 70 KB in 2,000 clocks is 35 bytes a clock.
- An element passes through shared memory three times (copied in, margin, r·x) and meets w once: four accesses of the
  nine that shared memory has time for while memory delivers it. Two multiply-adds are a sixteenth of the arithmetic.
Where these stop being true: at n = 1 to 4 exp and log1p a row cost more than reading it; cards with few float64 units
are bound by those.

Where the technique changes with n: up to 8 features one thread takes a row of the dot product, up to 256 features 2 to
32 lanes and a shuffle, beyond that several warps. A tile has four rows or more as long as that can be had: from 665
features on (float64; 1,348 in float32) two blocks of half as much again share a multiprocessor, from 1,012 (2,042) on
one has it for itself. From 5,754 (11,560) features on, three rows and the sums no longer fit into the 227 KB of shared
memory a block can have on an H100, and a two-pass kernel takes over; with Turing's 64 KB, from 1,582 (3,216).

TRAIN keeps X on the chip for all k steps when the multiprocessors' shared memories hold it (27 MB on H100), in one
cooperative launch with a barrier of the grid a step, as persistent RNN kernels do (Diamos et al., 2016). A larger X is
read from memory a step; there a CUDA graph queues 64 steps at a time. Both count steps, and find Adam's corrections, on
the device.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cupy
import numpy as np
from cupy.cuda import driver, runtime

from stepkernels.arrays.cupy_state import DeviceState
from stepkernels.problem import Adam, Array, Config, Problem
from stepkernels.rows.cupy_fused.tiling import GPU, THREADS, TRAIN_THREADS, WORD_BYTES, Tiling, resident, streaming

SOURCE = Path(__file__).with_name("fused_step.cu")
REAL = {"float32": "float", "float64": "double"}

UPDATE, RECORD_COST, FINISH = 1, 2, 4  # the flags of fused_step.cu
LARGEST_FINISH_BYTES = 128 * 1024  # partials that one block adds up in the time of another launch
STEPS_IN_GRAPH = 64

_POINTERS = ("X", "sign", "parameters", "gradients", "moment1", "moment2", "J", "partials", "counters")
_DOUBLES = ("learning_rate", "beta1", "beta2", "log_beta1", "log_beta2", "epsilon", "l2")
STEP = np.dtype(
    [
        *((name, np.intp) for name in _POINTERS),
        ("m", np.int64),
        *((name, np.int32) for name in ("n", "rows", "lanes", "adam")),
        *((name, np.float64) for name in _DOUBLES),
    ]
)
"""The struct Step of fused_step.cu: the same fields in the same order, none of which needs padding."""


Launch = Callable[[], None]
Record = np.ndarray[tuple[int], np.dtype[np.void]]


def current_gpu() -> GPU:
    attributes = (
        runtime.cudaDevAttrMultiProcessorCount,
        runtime.cudaDevAttrMaxSharedMemoryPerMultiprocessor,
        runtime.cudaDevAttrMaxSharedMemoryPerBlockOptin,
        runtime.cudaDevAttrReservedSharedMemoryPerBlock,
    )
    return GPU(*(runtime.deviceGetAttribute(attribute, runtime.getDevice()) for attribute in attributes))


@functools.cache
def compiled(dtype: str) -> Any:
    """fused_step.cu for one dtype and the current GPU; CuPy caches the binary on disk."""
    return cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=(f"-DREAL={REAL[dtype]}", "--std=c++17"))


def kernel_named(name: str, dtype: str, gpu: GPU) -> Any:
    """A kernel that may use all the shared memory a block can have; more than 48 KB has to be asked for.

    All of it for every kernel, because workspaces of different shapes share the kernel and with it the limit.
    """
    kernel = compiled(dtype).get_function(name)
    kernel.max_dynamic_shared_size_bytes = gpu.shared_of_block
    return kernel


def run(launches: list[Launch]) -> None:
    """Queue them on the current stream, in order."""
    for launch in launches:
        launch()


def optimizer_fields(config: Config) -> dict[str, float]:
    """The fields of STEP that say how to update. log β makes βᵗ = exp(t·log β); β = 0 gives −∞, and 0."""
    match config.optimizer:
        case Adam() as adam:
            logarithms = (math.log(beta) if beta > 0 else -math.inf for beta in (adam.beta1, adam.beta2))
            log_beta1, log_beta2 = logarithms
            return {
                "adam": 1, "learning_rate": adam.learning_rate, "epsilon": adam.epsilon,
                "beta1": adam.beta1, "beta2": adam.beta2, "log_beta1": log_beta1, "log_beta2": log_beta2,
            }  # fmt: skip
        case descent:
            return {"adam": 0, "learning_rate": descent.learning_rate}


def padded_copy(values: Array) -> cupy.ndarray:
    """`values`, flat, on the device, in storage of whole words."""
    words = math.ceil(values.nbytes / WORD_BYTES)
    storage = cupy.zeros(words * WORD_BYTES // values.itemsize, values.dtype)
    storage[: values.size].set(np.ascontiguousarray(values).ravel())
    return storage


class Workspace(DeviceState):
    """Device buffers for one problem, and the launches that make up a gradient and a step, ready to go.

    counters  (4,) int64 on the device: updates taken, the address of the next cost, and what the kernels count for
              themselves. No launch has an argument that changes from step to step.
    """

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config)
        self.gpu, self.itemsize = current_gpu(), problem.X.itemsize
        self.X = padded_copy(problem.X)
        self.sign = padded_copy((1 - 2 * problem.y).astype(np.int8))
        self.counters = cupy.zeros(4, np.int64)
        self.next_cost = self.counters[1:2]
        self.buffers: list[cupy.ndarray] = []  # what records point to and nobody else holds
        streamed = streaming(problem.m, problem.n, self.itemsize, self.gpu)
        launches = self.tile_launches(streamed) if streamed else self.two_pass_launches()
        self.gradient_launches, self.step_launches = launches(0), launches(UPDATE)
        self.update_launch = self.prepared("update", 1, THREADS, (self.record(0),))
        kept = resident(problem.m, problem.n, self.itemsize, self.gpu)
        self.enqueue_training = (
            self.resident_training(kept) if kept else self.graph_training(launches(UPDATE | RECORD_COST))
        )
        self.reset()

    def record(self, blocks: int, tiling: Tiling | None = None) -> Record:
        """The argument that every kernel takes, with a buffer for the partial sums of `blocks` blocks."""
        partials = cupy.empty(blocks * (self.problem.n + 2), self.config.dtype)
        self.buffers.append(partials)
        record = np.zeros(1, STEP)
        for name in _POINTERS:
            record[name] = (partials if name == "partials" else getattr(self, name)).data.ptr
        record["m"], record["n"], record["l2"] = self.problem.m, self.problem.n, self.config.l2
        if tiling:
            record["rows"], record["lanes"] = tiling.rows, tiling.lanes
        for name, value in optimizer_fields(self.config).items():
            record[name] = value
        return record

    def prepared(
        self, name: str, grid: int | tuple[int, int], threads: int, arguments: tuple[Any, ...], shared: int = 0
    ) -> Launch:
        """A launch with all its arguments bound."""
        kernel = kernel_named(name, self.config.dtype, self.gpu)
        blocks = grid if isinstance(grid, tuple) else (grid,)
        return functools.partial(kernel, blocks, (threads,), arguments, shared_mem=shared)

    def finish_launch(self, record: Record, blocks: int, flags: int) -> Launch:
        """The second reduction on its own: 32 columns a block."""
        grid = math.ceil((self.problem.n + 2) / 32)
        return self.prepared(
            "finish", grid, THREADS, (record, np.int32(blocks), np.int32(flags)), THREADS * self.itemsize
        )

    def tile_launches(self, tiling: Tiling) -> Callable[[int], list[Launch]]:
        """One pass: a launch, or two where there are many partial sums, for each combination of flags."""
        kernel = kernel_named("gradient", self.config.dtype, self.gpu)
        at_once = driver.occupancyMaxActiveBlocksPerMultiprocessor(kernel.kernel.ptr, THREADS, tiling.shared_bytes)
        blocks = min(math.ceil(self.problem.m / tiling.rows), at_once * self.gpu.processors)
        record = self.record(blocks, tiling)
        alone = blocks * (self.problem.n + 2) * self.itemsize <= LARGEST_FINISH_BYTES

        def launches(flags: int) -> list[Launch]:
            arguments = (record, np.int32(flags | FINISH if alone else flags))
            first = self.prepared("gradient", blocks, THREADS, arguments, tiling.shared_bytes)
            return [first] if alone else [first, self.finish_launch(record, blocks, flags)]

        return launches

    def two_pass_launches(self) -> Callable[[int], list[Launch]]:
        """Residuals with a block a row, then column sums, eight blocks a multiprocessor in each; then finish."""
        blocks = min(self.problem.m, 8 * self.gpu.processors)
        column_blocks = math.ceil(self.problem.n / THREADS)
        record, r = self.record(blocks), cupy.empty(self.problem.m, self.config.dtype)

        def launches(flags: int) -> list[Launch]:
            return [
                self.prepared("row_residuals", blocks, THREADS, (record, r, np.int32(flags)), THREADS * self.itemsize),
                self.prepared("column_sums", (column_blocks, blocks), THREADS, (record, r)),
                self.finish_launch(record, blocks, flags),
            ]

        return launches

    def resident_training(self, tiling: Tiling) -> Callable[[int], None]:
        """All steps in one cooperative launch, so that the driver guarantees what the grid's barrier needs."""
        blocks = math.ceil(self.problem.m / tiling.rows)
        record = self.record(2 * blocks, tiling)
        kernel = kernel_named("train", self.config.dtype, self.gpu).kernel

        def enqueue(steps: int) -> None:
            kernel(
                (blocks,), (TRAIN_THREADS,), (record, np.int64(steps), self.costs),
                shared_mem=tiling.shared_bytes, enable_cooperative_groups=True,
            )  # fmt: skip

        return enqueue

    def graph_training(self, recorded: list[Launch]) -> Callable[[int], None]:
        """Steps queued as CUDA graphs of many; those left over one by one."""
        run(self.gradient_launches)  # a kernel is loaded when it first runs, and cannot be during a capture
        with cupy.cuda.Stream(non_blocking=True) as stream:
            stream.begin_capture()
            for _ in range(STEPS_IN_GRAPH):
                run(recorded)
            graph = stream.end_capture()

        def enqueue(steps: int) -> None:
            self.next_cost.fill(self.costs.data.ptr)
            for _ in range(steps // STEPS_IN_GRAPH):
                graph.launch()
            for _ in range(steps % STEPS_IN_GRAPH):
                run(recorded)

        return enqueue

    def gradient(self) -> None:
        run(self.gradient_launches)

    def update(self) -> None:
        self.update_launch()
        self.steps_taken += 1

    def step(self) -> None:
        run(self.step_launches)
        self.steps_taken += 1

    def train(self, steps: int) -> None:
        self.reserve_costs(steps)
        self.enqueue_training(steps)
        self.steps_taken += steps

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        super().reset(w, b, moments, step)
        self.counters.fill(0)
        self.counters[:1].fill(step)


def bind(problem: Problem, config: Config) -> Workspace:
    """Copy X and y to the current GPU and compile for it."""
    return Workspace(problem, config)
