"""The rows for a GPU, executed on the CPU: simulated, which proves their arithmetic and indexing, not what a GPU does.

Triton's interpreter and numba-cuda's simulator are switched on before their library is imported, so each runs in a
child process: this file, run as a script. The CuPy rows run over the doubles in cupy_on_cpu.py, fused_step.cu compiled
by g++.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import cycle
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import cupy_on_cpu
from stepbench.machine.simulators import SIMULATORS
from stepkernels import GD, Adam, Config, Op, Problem, Workspace, synthetic_problem
from stepkernels.agreement import Traits, compare, expect_step
from stepkernels.catalog import CATALOG
from stepkernels.reference import Point

OPTIMIZERS = (GD(learning_rate=0.3), Adam(learning_rate=0.01))
FUSED = "stepkernels.rows.cupy_fused"

# 1×1; fewer rows than a warp; an odd width; more rows than a tile; a width past a warp, past a block.
SIMULATED_SHAPES = {"triton-fused": ((1, 1), (7, 3), (300, 30), (130, 33), (21, 257), (3, 4099)),
                    "numba-cuda-fused": ((1, 1), (7, 3), (37, 30), (13, 130))}  # fmt: skip


def saturating(problem: Problem) -> Problem:
    """The same data where the margins reach ±10⁴, from weights that are not zero."""
    X = problem.X * np.linspace(0.1, 3000, problem.m, dtype=problem.dtype)[:, None]
    return Problem(X, problem.y, np.full(problem.n, 0.7), -0.3)


def problems(m: int, n: int, dtype: str) -> list[Problem]:
    plain = synthetic_problem(m, n, dtype, seed=5)
    return [plain, saturating(plain)]


def assert_steps_agree(workspace: Workspace, problem: Problem, config: Config) -> None:
    """Three steps, one of them as gradient and update, each from the row's own state before it."""
    for halves in (False, True, False):
        before = Point.of(workspace.snapshot())
        if halves:
            workspace.gradient()
            workspace.update()
        else:
            workspace.step()
        agreement = compare(
            workspace.snapshot(), expect_step(problem, config, before, Traits("blocked", "stable")), config.dtype
        )
        assert agreement.agrees, f"{problem.X.shape} {config}: {agreement.reason}"


def simulate(name: str) -> None:
    """The child: every shape and dtype of one row, with both optimizers on either kind of data between them."""
    row = SIMULATORS[CATALOG[name].library].prepare(CATALOG[name])
    assert Op.GRADIENT in row.ops
    for m, n in SIMULATED_SHAPES[name]:
        for dtype, optimizers in zip(row.dtypes, (OPTIMIZERS, OPTIMIZERS[::-1]), strict=True):
            for problem, optimizer in zip(problems(m, n, dtype), optimizers, strict=True):
                config = Config(dtype=dtype, optimizer=optimizer, l2=0.1)
                assert_steps_agree(row.bind(problem, config), problem, config)
        for storage, optimizer in zip(row.storages, cycle(OPTIMIZERS)):
            stored = problems(m, n, "float32")[0].stored(storage)
            config = Config(dtype="float32", optimizer=optimizer, l2=0.1, storage=storage)
            assert_steps_agree(row.bind(stored, config), stored, config)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATED_SHAPES)
def test_the_row_agrees_in_its_simulator(name: str) -> None:
    row = CATALOG[name]
    pytest.importorskip(row.library, reason=f"{row.library} is not installed")
    environment = {**os.environ, **SIMULATORS[row.library].environment, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run(
        [sys.executable, __file__, name], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert child.returncode == 0, child.stderr[-2000:]


# ---- CuPy rows over doubles ----

SCHEDULES = {
    "in order": (0, True),
    "backwards": (1, False),
    "at random": (7, True),
    "at random, eager copies": (8, False),
}

# 1×1; one column past a block of rows; a tile that ends in the middle of a word; widths past a warp, past a block; a
# row a tile; m just past several tiles.
# By how a row is shared: a thread to each, lanes of whole and of single words, several words a lane, and too long.
FUSED_SHAPES = (
    (1, 1), (257, 1), (301, 3), (64, 30), (131, 17), (640, 20), (100, 100), (33, 257), (7, 512), (5, 1000), (9, 1023),
)  # fmt: skip


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("g++") is None:
        pytest.skip("g++ is not installed, and fused_step.cu is executed by compiling it as C++")
    return tmp_path_factory.mktemp("fused_step_on_cpu")


@pytest.fixture(params=SCHEDULES)
def machine(request: pytest.FixtureRequest) -> cupy_on_cpu.Machine:
    order, lazy = SCHEDULES[request.param]
    return cupy_on_cpu.Machine(order=order, lazy=lazy)


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch, machine: cupy_on_cpu.Machine, built: Path) -> ModuleType:
    return cupy_on_cpu.row_on_cpu(monkeypatch, FUSED, machine, built)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_array_row_agrees_on_numpy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dtype: str) -> None:
    row = cupy_on_cpu.row_on_cpu(monkeypatch, "stepkernels.rows.cupy_arrays", cupy_on_cpu.Machine(), tmp_path)
    for m, n in ((1, 1), (7, 3), (300, 30)):
        for problem in problems(m, n, dtype):
            for optimizer in OPTIMIZERS:
                config = Config(dtype=dtype, optimizer=optimizer, l2=0.1)
                assert_steps_agree(row.bind(problem, config), problem, config)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_array_row_takes_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dtype: str) -> None:
    row = cupy_on_cpu.row_on_cpu(monkeypatch, "stepkernels.rows.cupy_arrays", cupy_on_cpu.Machine(), tmp_path)
    for plain in problems(30, 5, dtype):
        problem = Problem(plain.X, plain.y, plain.w0, plain.b0, weights=np.arange(30.0) % 7)
        for optimizer in OPTIMIZERS:
            config = Config(dtype=dtype, optimizer=optimizer, l2=0.1)
            assert_steps_agree(row.bind(problem, config), problem, config)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", FUSED_SHAPES, ids="{0[0]}x{0[1]}".format)
def test_the_fused_row_agrees_on_every_schedule(fused: ModuleType, shape: tuple[int, int], dtype: str) -> None:
    for problem in problems(*shape, dtype):
        for optimizer in OPTIMIZERS:
            config = Config(dtype=dtype, optimizer=optimizer, l2=0.1)
            assert_steps_agree(fused.bind(problem, config), problem, config)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(257, 1), (131, 17), (100, 100), (5, 1000)], ids="{0[0]}x{0[1]}".format)
def test_blocks_agree_where_warps_are_not_planned(
    monkeypatch: pytest.MonkeyPatch, fused: ModuleType, machine: cupy_on_cpu.Machine, shape: tuple[int, int], dtype: str
) -> None:
    monkeypatch.setattr(fused, "by_warps", lambda *_: None)
    for problem in problems(*shape, dtype):
        for optimizer in OPTIMIZERS:
            config = Config(dtype=dtype, optimizer=optimizer, l2=0.1)
            assert_steps_agree(fused.bind(problem, config), problem, config)
    assert set(machine.launches) == {"gradient", "update"}


@pytest.mark.parametrize("kernel", ["gradient_by_warps", "gradient"])
@pytest.mark.parametrize("shape", [(40, 30), (7, 300)], ids="{0[0]}x{0[1]}".format)
def test_the_second_reduction_agrees_as_a_launch_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
    fused: ModuleType,
    machine: cupy_on_cpu.Machine,
    shape: tuple[int, int],
    kernel: str,
) -> None:
    monkeypatch.setattr(fused, "LARGEST_FINISH_BYTES", 0)
    if kernel == "gradient":
        monkeypatch.setattr(fused, "by_warps", lambda *_: None)
    problem, config = synthetic_problem(*shape), Config(optimizer=Adam(), l2=0.1)
    assert_steps_agree(fused.bind(problem, config), problem, config)
    assert machine.launches[:2] == [kernel, "finish"]


def test_two_passes_agree_where_a_row_does_not_fit(fused: ModuleType, machine: cupy_on_cpu.Machine) -> None:
    machine.shared_of_block = 3 * 1024
    for problem in problems(11, 301, "float64"):
        config = Config(optimizer=Adam(), l2=0.1)
        assert_steps_agree(fused.bind(problem, config), problem, config)
    assert set(machine.launches) == {"row_residuals", "column_sums", "finish", "update"}


@pytest.mark.parametrize(
    ("shared", "launches"), [(47 * 1024, {"train"}), (12 * 1024, {"gradient_by_warps"})], ids=["resident", "graph"]
)
def test_training_is_that_many_steps(
    monkeypatch: pytest.MonkeyPatch, fused: ModuleType, machine: cupy_on_cpu.Machine, shared: int, launches: set[str]
) -> None:
    """Twice, and more steps than a graph holds: the count of steps, the costs and the barrier carry on."""
    machine.shared_of_block = shared
    monkeypatch.setattr(fused, "STEPS_IN_GRAPH", 3)
    problem, steps = synthetic_problem(150, 30), 8
    for optimizer in OPTIMIZERS:
        config = Config(optimizer=optimizer, l2=0.1)
        stepped, trained = fused.bind(problem, config), fused.bind(problem, config)
        costs = []
        for _ in range(steps + 3):
            stepped.step()
            costs.append(stepped.snapshot().J)
        machine.launches.clear()
        trained.train(steps)
        assert set(machine.launches) == launches
        first = trained.snapshot().costs
        trained.train(3)
        np.testing.assert_allclose([*first, *trained.snapshot().costs], costs, rtol=1e-12)
        np.testing.assert_allclose(trained.snapshot().w, stepped.snapshot().w, rtol=1e-10)
        assert trained.snapshot().step == steps + 3


def test_a_step_gives_the_same_bits_on_every_schedule(monkeypatch: pytest.MonkeyPatch, built: Path) -> None:
    problem, config, found = synthetic_problem(200, 33, "float32"), Config(dtype="float32", l2=0.1), set()
    for order, lazy in SCHEDULES.values():
        row = cupy_on_cpu.row_on_cpu(monkeypatch, FUSED, cupy_on_cpu.Machine(order=order, lazy=lazy), built)
        workspace = row.bind(problem, config)
        workspace.step()
        found.add(workspace.snapshot().w.tobytes() + workspace.snapshot().J.tobytes())
    assert len(found) == 1


# Each breaks what only another thread's schedule, or a copy's, would show.
FAULTS = {
    "no barrier between margins and residuals": (
        "find_margins(s, block, tile);\n        __syncthreads();",
        "find_margins(s, block, tile);",
    ),
    "no barrier between residuals and sums": (
        "find_residuals(s, block, tile, loss, r_sum);\n        __syncthreads();",
        "find_residuals(s, block, tile, loss, r_sum);",
    ),
    "no wait for the copy": ("wait_until_open<STAGES - 2>();", ""),
    "a copy into the stage in use": ("const int freed = (stage + STAGES - 1) % STAGES;", "const int freed = stage;"),
    "no wait for the copies of a warp": (
        "wait_until_open<0>();\n        __syncwarp(); // every",
        "__syncwarp(); // every",
    ),
    "no wait for the lanes of a warp": (
        "        __syncwarp(); // every lane's copies",
        "        // every lane's copies",
    ),
    "a copy into the tile of a warp": ("ring + (1 - stage) * tile_bytes, first", "ring + stage * tile_bytes, first"),
    "no barrier before the sums of warps": (
        "own[column] = sums[j];\n    }\n    __syncthreads();",
        "own[column] = sums[j];\n    }",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_schedules_find_a_missing_barrier(monkeypatch: pytest.MonkeyPatch, built: Path, fault: str) -> None:
    """The simulation can fail: a broken copy of the source disagrees on some schedule."""
    sound, broken = FAULTS[fault]
    text = (cupy_on_cpu.ROWS / "fused_step.cu").read_text()
    assert sound in text
    folder = built / fault.replace(" ", "_")
    folder.mkdir()
    (folder / "fused_step.cu").write_text(text.replace(sound, broken))
    monkeypatch.setattr(cupy_on_cpu, "ROWS", folder)
    problem, config, agreed = synthetic_problem(500, 30), Config(l2=0.1), []
    for order, lazy in SCHEDULES.values():
        machine = cupy_on_cpu.Machine(processors=1, order=order, lazy=lazy)  # so that a block has several tiles
        row = cupy_on_cpu.row_on_cpu(monkeypatch, FUSED, machine, folder)
        monkeypatch.setattr(row, "SOURCE", folder / "fused_step.cu")
        if "warp" not in fault:
            monkeypatch.setattr(row, "by_warps", lambda *_: None)
        workspace = row.bind(problem, config)
        workspace.step()
        expectation = expect_step(problem, config, Point.start(problem), Traits("blocked", "stable"))
        agreed.append(compare(workspace.snapshot(), expectation, "float64").agrees)
    assert not all(agreed)


if __name__ == "__main__":
    simulate(sys.argv[1])
