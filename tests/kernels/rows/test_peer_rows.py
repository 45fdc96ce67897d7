"""What is peculiar to the rows a user would pick instead: the compiled loop, torch, JAX, scikit-learn."""

import sys
import sysconfig

import numpy as np
import pytest

from stepkernels import GD, Adam, Config, probe, synthetic_problem
from stepkernels.catalog import CATALOG

TORCH_ON_CPU = ("torch-manual-cpu", "torch-autograd-cpu")


def bind(name, problem=None, **settings):
    """The row on this problem, or a small one; a skip with the row's own reason where it cannot run."""
    if reason := CATALOG[name].unavailable():
        pytest.skip(reason)
    config = Config(**settings)
    return CATALOG[name].bind(problem or synthetic_problem(569, 30, config.dtype), config)


# The compiled loop.


def test_a_float32_loop_computes_in_float32():
    """No addition, product or quotient of doubles in the machine code of the float32 specialization."""
    numba = pytest.importorskip("numba")
    from stepkernels.rows import numba_loop

    scalar, vector, matrix = numba.float32, numba.float32[::1], numba.float32[:, ::1]
    adam = numba.types.NamedUniTuple(scalar, 6, numba_loop.AdamScalars)
    signatures = {
        numba_loop.forward: (matrix, vector, vector, scalar, scalar, vector),
        numba_loop.backward: (matrix, vector, vector, scalar, vector, vector),
        numba_loop.descend: (vector, vector, scalar),
        numba_loop.descend_adam: (vector, vector, vector, vector, adam, scalar, scalar),
    }
    for function, signature in signatures.items():
        fresh = numba.njit(function.py_func)  # what was loaded from the cache cannot be inspected
        fresh.compile(signature)
        code = fresh.inspect_llvm(fresh.signatures[0])
        assert "float" in code
        assert not [op for op in ("fadd", "fsub", "fmul", "fdiv") if f"{op} double" in code]


# torch.


@pytest.mark.parametrize("name", TORCH_ON_CPU)
def test_torch_shares_a_row_major_x_on_the_cpu(name):
    problem = synthetic_problem(100, 7)
    assert bind(name, problem).X.data_ptr() == problem.X.ctypes.data


@pytest.mark.parametrize("name", TORCH_ON_CPU)
def test_torch_takes_a_column_major_x(name):
    problem = synthetic_problem(100, 7)
    column_major = type(problem)(np.asfortranarray(problem.X), problem.y)
    snapshots = []
    for each in (problem, column_major):
        workspace = bind(name, each)
        workspace.step()
        snapshots.append(workspace.snapshot())
    assert np.array_equal(snapshots[0].w, snapshots[1].w)


@pytest.mark.parametrize("optimizer", [GD(), Adam()], ids=lambda optimizer: optimizer.name)
def test_the_penalty_of_autograd_spares_the_bias(optimizer):
    """gw moves by l2·w; gb and the next b not by a bit, and no optimizer decays anything."""
    w = np.linspace(-1.0, 1.0, 30)
    snapshots = []
    for l2 in (0.0, 0.5):
        workspace = bind("torch-autograd-cpu", optimizer=optimizer, l2=l2)
        assert all(group["weight_decay"] == 0 for group in workspace.optimizer.param_groups)
        workspace.reset(w=w, b=0.75)
        workspace.step()
        snapshots.append(workspace.snapshot())
    without, penalized = snapshots
    assert (penalized.gb, penalized.b) == (without.gb, without.b)
    np.testing.assert_allclose(penalized.gw - without.gw, 0.5 * w, atol=1e-15)


def test_autograd_updates_with_the_gradients_of_its_reset():
    """They are NaN: parameters that stayed as they were would hide an update without a gradient."""
    workspace = bind("torch-autograd-cpu")
    workspace.step()
    workspace.reset()
    workspace.update()
    assert np.isnan(workspace.snapshot().w).all()


@pytest.mark.parametrize("optimizer", [GD(), Adam()], ids=lambda optimizer: optimizer.name)
def test_the_manual_gradient_allocates_no_tensor(optimizer):
    """Asked of torch's own profiler, since Python's knows nothing of tensors."""
    profiler = pytest.importorskip("torch.profiler")
    workspace = bind("torch-manual-cpu", optimizer=optimizer, l2=0.1)
    workspace.step()
    with profiler.profile(activities=[profiler.ProfilerActivity.CPU], profile_memory=True) as profile:
        workspace.step()
    operations = {event.key: event.self_cpu_memory_usage for event in profile.key_averages()}
    assert "aten::sigmoid" in operations
    assert not {name: size for name, size in operations.items() if size and name != "[memory]"}


@pytest.mark.slow
def test_more_problems_can_be_compiled_than_the_compiler_keeps_of_one_function():
    """torch.compile gives up on a function after eight, here after two; all of four are compiled."""
    pytest.importorskip("torch")
    import torch._dynamo

    with torch._dynamo.config.patch(cache_size_limit=2):
        workspaces = [bind("torch-compiled-cpu", synthetic_problem(40, n)) for n in range(1, 5)]
        for workspace in workspaces:
            workspace.step()
            assert np.isfinite(workspace.snapshot().J)


def test_a_row_that_needs_a_compiler_says_that_there_is_none(monkeypatch):
    row = CATALOG["torch-compiled-cpu"]
    if reason := probe.missing_library(row.library):
        pytest.skip(reason)
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert "no C++ compiler was found (looked for no-such-compiler)" in row.unavailable()
    monkeypatch.setenv("CC", "no-such-compiler")
    assert "set CC" in probe.missing_compiler("c")


def test_a_compiler_without_pythons_headers_is_not_enough(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", sys.executable)  # any program will do
    monkeypatch.setattr(sysconfig, "get_path", lambda _: str(tmp_path))
    assert "Python.h" in probe.missing_compiler("c++")
    (tmp_path / "Python.h").touch()
    assert probe.missing_compiler("c++") is None


# JAX.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_jax_keeps_its_dtype_and_leaves_the_process_as_it_was(dtype):
    workspace = bind("jax-jit-cpu", dtype=dtype, optimizer=Adam(), l2=0.1)
    import jax

    before = jax.config.jax_enable_x64
    workspace.step()
    workspace.train(3)
    assert {array.dtype.name for array in workspace.point} == {dtype, "int64"}  # steps are counted beyond 2³¹
    assert workspace.costs.dtype == dtype
    assert jax.config.jax_enable_x64 == before


def test_jax_never_writes_into_the_arrays_it_is_given():
    """It may view a host array, and is allowed to write into what it owns: the two must not meet."""
    given = [np.full(65, 0.5) for _ in range(3)]
    problem = synthetic_problem(256, 64)
    X = problem.X.copy()
    workspace = bind("jax-jit-cpu", problem, optimizer=Adam())
    for _ in range(3):
        workspace.reset(w=given[0][:-1], moments=(given[1], given[2]))
        before = workspace.snapshot()
        workspace.step()
        workspace.train(2)
        workspace.snapshot()
        assert all((array == 0.5).all() for array in (*given, before.w, before.moment1))
    assert np.array_equal(problem.X, X)


# scikit-learn.


def test_the_loss_of_scikit_learn_gets_the_threads_of_the_process():
    workspace = bind("sklearn-loss")
    from threadpoolctl import threadpool_info

    pools = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"]
    assert workspace.threads in pools
