"""The laws in the docstring of `Workspace`, for every row of the catalogue that can run here.

Laws 1, 2, 3, 5, 6 and 7 are the trials of `stepbench check`, so that a stranger's kernel is held to the same; here
each is asked of each row in each dtype with each optimizer, with a penalty and without. Law 4 is tested here alone.
"""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from stepbench.checking import scenes
from stepbench.checking.tally import Tally
from stepbench.checking.trials import LONG_RUN, MARGINS, REPETITION, STATEFUL, STEPS_TRIAL, Setup
from stepkernels import GD, Adam, Config, Op, synthetic_problem

TRIALS = (STEPS_TRIAL, *STATEFUL, MARGINS, LONG_RUN)
ADAM = Adam(learning_rate=0.02, beta1=0.8, beta2=0.99, epsilon=1e-4)
OPTIMIZERS = (GD(learning_rate=0.05), ADAM)


def configurations(row):
    """Every dtype and optimizer that the row has, with l2 and without; where each compiles, two of them."""
    if row.compiles_per_shape:
        yield Config(dtype="float32", optimizer=OPTIMIZERS[0], l2=0.125)
        yield Config(dtype="float64", optimizer=ADAM)
        return
    for dtype in row.dtypes:
        for optimizer in OPTIMIZERS:
            for l2 in (0.0, 0.125):
                if row.unsupported(Config(dtype=dtype, optimizer=optimizer)) is None:
                    yield Config(dtype=dtype, optimizer=optimizer, l2=l2)


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.run.__name__ + "".join(sorted(trial.needs)))
def test_laws_1_2_3_5_6_7(row, trial):
    if not trial.needs <= set(row.ops):
        pytest.skip(f"{row.name} has no {' and '.join(sorted(trial.needs - set(row.ops)))}")
    for k, config in enumerate(configurations(row)):
        random = np.random.default_rng([k, len(trial.name)])
        scene = scenes.scene("planted rows", 33, 7, config.dtype, random)
        setup = Setup(row, scene, config, replace(config, l2=0.5), random, Tally())
        trial.run(setup)
        for bound_row in setup.bound_rows:
            bound_row.finish()


def test_law_6_the_same_bits(row):
    for dtype in ("float64",) if row.compiles_per_shape else row.dtypes:
        random = np.random.default_rng(6)
        scene = scenes.scene("ordinary data", *scenes.LARGE[0], dtype, random)
        config = Config(dtype=dtype, l2=0.1)
        REPETITION.run(Setup(row, scene, config, config, random, Tally()))


def test_law_4_nothing_is_allocated_after_a_warm_up(row):
    """Of the host; no array of m or of n elements, and nothing kept, however small."""
    if row.allocates:
        pytest.skip(f"{row.name} declares that it allocates")
    problem = synthetic_problem(4096, 256, "float64")
    for config in (Config(optimizer=GD()), Config(optimizer=ADAM, l2=0.1)):
        workspace = row.bind(problem, config)
        operations = [getattr(workspace, op) for op in Op if op in row.ops and op is not Op.TRAIN]
        if Op.TRAIN in row.ops:
            operations.append(lambda train=workspace.train: train(3))
        workspace.step()
        for operation in operations:
            for _ in range(3):
                operation()
            workspace.synchronize()
            assert peak_bytes(operation, workspace) < 256 * 8, f"{row.name}: {operation}"


def peak_bytes(operation, workspace):
    """What Python's allocators, NumPy's among them, gave out at most beyond what they held before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        operation()
        workspace.synchronize()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
