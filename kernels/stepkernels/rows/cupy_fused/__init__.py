"""Rung 9, the fused step in CUDA C++: one launch, whose kernel (`fused_step.cu`, beside this file) is the whole step.

The matrix form of cupy_arrays.py goes over X twice because it needs every residual before it can begin Xᵀr. But a row's
contribution to gw needs only that row's residual. So a tile of rows is copied into shared memory (cut by `tiling.py`),
their margins and residuals are found, and r·x is added from the copy that is still there: X is read once. That is the
least a step can read, and 2.0 times is the most that this can gain over two passes at full bandwidth; the vectors of
length m that those passes exchange are gone as well.

It is bound by reading X: 96 % of the fastest read in float32 and 98 % in float64, at 4,000,000×100 on an H100. How the
constants follow from that (132 multiprocessors at 1.9 GHz, 3.06 TB/s):
- 3.06 TB/s is 12 bytes a clock for each multiprocessor, and memory answers after 600 to 800 clocks, more under load:
  20 to 60 KB must be on their way at any time. Every warp has two tiles, one worked on and one on its way: 100 KB.
- Each of the 16 warps of a multiprocessor goes through tiles of its own, and no warp ever waits for another. A tile
  spends some 2,000 clocks in latencies that nothing inside its warp hides (float64 exp, log1p and a division one after
  the other, exchanges of lanes); the other warps overlap theirs. With 8 warps float32 falls to 89 %.
- Weights and sums are in registers, and a row is read from shared memory in words of 16 bytes: some 20 instructions of
  a warp a row of 100, where a block that shares a tile takes 125 and is bound by issuing them (71 % of the read).
- A block a multiprocessor leaves 132 partial sums to the block that finishes last; three leave a tail that is a fourth
  of a step at 1,000,000×20.
Where these stop being true: at n = 1 to 4 exp and log1p a row cost more than reading it; cards with few float64 units
are bound by those.

Where the technique changes with n: a row is shared among 1 to 32 lanes, so that each has few words of it and few lanes
have none. Beyond 1,024 features (float64; 2,048 in float32, half where rows begin in the middle of a word) the weights
are too many for a warp's registers, and a block shares a tile, three barriers a tile. From 5,754 (11,560) features on,
three rows and the sums no longer fit into the 227 KB of shared memory that a block can have on an H100, and a kernel of
two passes takes over.

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
from stepkernels.problem import Array, Config, Problem
from stepkernels.rows.cupy_fused.step_record import POINTERS, STEP, optimizer_fields
from stepkernels.rows.cupy_fused.tiling import (
    GPU,
    THREADS,
    TRAIN_THREADS,
    WORD_BYTES,
    Tiling,
    WarpTiling,
    by_warps,
    resident,
    streaming,
)

SOURCE = Path(__file__).with_name("fused_step.cu")
REAL = {"float32": "float", "float64": "double"}

UPDATE, RECORD_COST, FINISH = 1, 2, 4  # the flags of fused_step.cu
LARGEST_FINISH_BYTES = 128 * 1024  # partials that one block adds up in the time of another launch
STEPS_IN_GRAPH = 64

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
def compiled(dtype: str, tiling: WarpTiling | None = None) -> Any:
    """fused_step.cu for one dtype, one cut into tiles of warps and the current GPU; CuPy caches the binary on disk."""
    defines = {"REAL": REAL[dtype], **(tiling.defines if tiling else {})}
    options = (*(f"-D{name}={value}" for name, value in defines.items()), "--std=c++17")
    return cupy.RawModule(code=SOURCE.read_text(encoding="utf-8"), options=options)


def kernel_named(name: str, dtype: str, gpu: GPU, tiling: WarpTiling | None = None) -> Any:
    """A kernel that may use all the shared memory a block can have; more than 48 KB has to be asked for.

    All of it for every kernel, because workspaces of different shapes share the kernel and with it the limit.
    """
    kernel = compiled(dtype, tiling).get_function(name)
    kernel.max_dynamic_shared_size_bytes = gpu.shared_of_block
    return kernel


def run(launches: list[Launch]) -> None:
    """Queue them on the current stream, in order."""
    for launch in launches:
        launch()


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
        self.buffers: list[cupy.ndarray] = []  # what records and graphs point to and nobody else holds
        launches, update = self.launches(), [self.prepared("update", 1, THREADS, (self.record(0),))]
        run([*launches(0), *update])  # a kernel is loaded when it first runs, and cannot be during a capture
        self.gradient = self.graph_of(launches(0)).launch
        self.launch_step = self.graph_of(launches(UPDATE)).launch
        self.launch_update = self.graph_of(update).launch
        kept = resident(problem.m, problem.n, self.itemsize, self.gpu)
        self.enqueue_training = (
            self.resident_training(kept) if kept else self.graph_training(launches(UPDATE | RECORD_COST))
        )
        self.reset()

    def launches(self) -> Callable[[int], list[Launch]]:
        """A gradient's or a step's: by warps where a row fits into one, else by blocks, else in two passes."""
        if warps := by_warps(self.problem.n, self.itemsize, self.gpu):
            return self.warp_launches(warps)
        streamed = streaming(self.problem.m, self.problem.n, self.itemsize, self.gpu)
        return self.tile_launches(streamed) if streamed else self.two_pass_launches()

    def record(self, blocks: int, tiling: Tiling | None = None) -> Record:
        """The argument that every kernel takes, with a buffer for the partial sums of `blocks` blocks."""
        partials = cupy.empty(blocks * (self.problem.n + 2), self.config.dtype)
        self.buffers.append(partials)
        record = np.zeros(1, STEP)
        for name in POINTERS:
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
        blocks = self.blocks_at_once(kernel, THREADS, tiling.shared_bytes, math.ceil(self.problem.m / tiling.rows))
        return self.one_pass(kernel, self.record(blocks, tiling), blocks, THREADS, tiling.shared_bytes)

    def warp_launches(self, tiling: WarpTiling) -> Callable[[int], list[Launch]]:
        """The same by warps that go through tiles of their own."""
        kernel = kernel_named("gradient_by_warps", self.config.dtype, self.gpu, tiling)
        enough = math.ceil(self.problem.m / tiling.block_rows)
        blocks = self.blocks_at_once(kernel, tiling.threads, tiling.shared_bytes, enough)
        return self.one_pass(kernel, self.record(blocks), blocks, tiling.threads, tiling.shared_bytes)

    def blocks_at_once(self, kernel: Any, threads: int, shared: int, enough: int) -> int:
        """As many as run at once, but no more than have something to do."""
        at_once = driver.occupancyMaxActiveBlocksPerMultiprocessor(kernel.kernel.ptr, threads, shared)
        return int(min(enough, at_once * self.gpu.processors))

    def one_pass(
        self, kernel: Any, record: Record, blocks: int, threads: int, shared: int
    ) -> Callable[[int], list[Launch]]:
        """Launches of a kernel that goes over X once and may add up its blocks' partial sums itself."""
        alone = blocks * (self.problem.n + 2) * self.itemsize <= LARGEST_FINISH_BYTES

        def launches(flags: int) -> list[Launch]:
            arguments = (record, np.int32(flags | FINISH if alone else flags))
            first = functools.partial(kernel, (blocks,), (threads,), arguments, shared_mem=shared)
            return [first] if alone else [first, self.finish_launch(record, blocks, flags)]

        return launches

    def two_pass_launches(self) -> Callable[[int], list[Launch]]:
        """Residuals with a block a row, then column sums, eight blocks a multiprocessor in each; then finish."""
        blocks = min(self.problem.m, 8 * self.gpu.processors)
        column_blocks = math.ceil(self.problem.n / THREADS)
        record, r = self.record(blocks), cupy.empty(self.problem.m, self.config.dtype)
        self.buffers.append(r)  # a graph keeps the address alone

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
        many, one = self.graph_of(recorded * STEPS_IN_GRAPH), self.graph_of(recorded)

        def enqueue(steps: int) -> None:
            self.next_cost.fill(self.costs.data.ptr)
            for _ in range(steps // STEPS_IN_GRAPH):
                many.launch()
            for _ in range(steps % STEPS_IN_GRAPH):
                one.launch()

        return enqueue

    def graph_of(self, launches: list[Launch]) -> Any:
        """These launches as a CUDA graph: the driver keeps the arguments, and Python packs them no more."""
        with cupy.cuda.Stream(non_blocking=True) as stream:
            stream.begin_capture()
            run(launches)
            return stream.end_capture()

    def update(self) -> None:
        self.launch_update()
        self.steps_taken += 1

    def step(self) -> None:
        self.launch_step()
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
