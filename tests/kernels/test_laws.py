"""The laws in the docstring of `Workspace`, for every row of the catalogue that can run here.

Most are trials of `stepbench check`, so that a stranger's kernel is held to the same; here each is asked of each row in
each dtype with each optimizer, and each of these with a penalty and without. Law 4, and X and y of law 3, are tested
here alone.
"""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from stepbench.checking import scenes, trials
from stepbench.checking.tally import Tally
from stepbench.checking.trials import LONG_RUN, MARGINS, NOTHING_PUT_OFF, REPETITION, STATEFUL, STEPS_TRIAL, Setup
from stepkernels import GD, Adam, Config, Op, synthetic_problem

TRIALS = {trial.run: trial for trial in (STEPS_TRIAL, *STATEFUL, MARGINS, LONG_RUN, NOTHING_PUT_OFF)}
LAWS = {
    "1 the parts of a step make the step": trials.phases,
    "1 training is as many steps": trials.training,
    "2 each step agrees from the row's own state": trials.steps,
    "2 a step agrees at every margin": trials.margins,
    "2 NaN and infinity give what the truth has": trials.not_a_number,
    "2 two workspaces in turn do not disturb each other": trials.alternation,
    "2 thousands of steps lead to where they should": trials.long_run,
    "3 the work is done when synchronize returns": trials.nothing_put_off,
    "3 a snapshot is done and stays as it is": trials.results_demanded_again,
    "5 outputs are NaN after reset until written": trials.resets,
    "7 a gradient may be asked for again": trials.gradient_again,
    "7 forward and backward may be called again": trials.phases_again,
}
ADAM = Adam(learning_rate=0.02, beta1=0.8, beta2=0.99, epsilon=1e-4)
OPTIMIZERS = (GD(learning_rate=0.05), ADAM)


def configurations(row, trial):
    """Every dtype with every optimizer that the row has, and l2 with each of either: every two settings meet.

    Two of them where each takes its time.
    """
    if row.compiles_per_shape or trial is trials.long_run:
        yield Config(dtype="float32", optimizer=OPTIMIZERS[0], l2=0.125)
        yield Config(dtype="float64", optimizer=ADAM)
        return
    for d, dtype in enumerate(row.dtypes):
        for o, optimizer in enumerate(OPTIMIZERS):
            if row.unsupported(Config(dtype=dtype, optimizer=optimizer)) is None:
                yield Config(dtype=dtype, optimizer=optimizer, l2=(0.125, 0.0)[(d + o) % 2])


def test_every_trial_is_asked_of_every_row():
    assert set(LAWS.values()) == set(TRIALS)


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")  # of infinity less infinity, which is asked for
@pytest.mark.parametrize("law", LAWS)
def test_law(row, law):
    trial = TRIALS[LAWS[law]]
    if not trial.needs <= set(row.ops):
        pytest.skip(f"{row.name} has no {' and '.join(sorted(trial.needs - set(row.ops)))}")
    for k, config in enumerate(configurations(row, trial)):
        random = np.random.default_rng([k, len(trial.name)])
        scene = scenes.scene("planted rows", 33, 7, config.dtype, random)
        setup = Setup(row, scene, config, replace(config, l2=0.5), random, Tally())
        trial.run(setup)
        for bound_row in setup.bound_rows:
            bound_row.finish()


def operations_of(row, workspace):
    """Everything that the row declares, as calls without arguments; of train three steps."""
    calls = {op: getattr(workspace, op) for op in Op if op in row.ops}
    if Op.TRAIN in calls:
        calls[Op.TRAIN] = lambda: workspace.train(3)
    return calls


def test_law_3_x_and_y_are_never_written(row):
    for dtype in row.dtypes:
        problem = synthetic_problem(33, 7, dtype)
        X, y = problem.X.copy(), problem.y.copy()
        workspace = row.bind(problem, Config(dtype=dtype, l2=0.125))
        for operation in operations_of(row, workspace).values():
            operation()
        workspace.snapshot()
        np.testing.assert_array_equal(problem.X, X)
        np.testing.assert_array_equal(problem.y, y)


def test_law_4_nothing_is_allocated_after_a_warm_up(row):
    """Of the host; no array of m or of n elements, and nothing kept, however small."""
    if row.allocates:
        pytest.skip(f"{row.name} declares that it allocates")
    problem = synthetic_problem(4096, 256, "float64")
    for config in (Config(optimizer=GD()), Config(optimizer=ADAM, l2=0.1)):
        workspace = row.bind(problem, config)
        workspace.step()
        for op, operation in operations_of(row, workspace).items():
            for _ in range(3):
                operation()
            workspace.synchronize()
            assert peak_bytes(operation, workspace) < 256 * 8, f"{row.name}: {op}"


def test_law_6_the_same_bits(row):
    for dtype in ("float64",) if row.compiles_per_shape else row.dtypes:
        random = np.random.default_rng(6)
        scene = scenes.scene("ordinary data", *scenes.LARGE[0], dtype, random)
        config = Config(dtype=dtype, l2=0.1)
        REPETITION.run(Setup(row, scene, config, config, random, Tally()))


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
