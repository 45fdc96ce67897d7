"""The fused row in C++: every step against the truth, how it is divided, and how it is built, kept and refused."""

from __future__ import annotations

import math
import multiprocessing
import platform
import stat
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_features

from runs import environment
from stepkernels import GD, Adam, Config, Problem, ProblemError, synthetic_problem
from stepkernels.agreement import Traits, compare, expect_step
from stepkernels.catalog import CATALOG
from stepkernels.probe import library_version, missing_library
from stepkernels.problem import STORAGES
from stepkernels.reference import Point
from stepkernels.rows.cpp_fused import SOURCE, STEPS_WORTH_A_TEAM, Division, Workspace, build, division_of

pytestmark = pytest.mark.skipif(missing_library("c++") is not None, reason=missing_library("c++") or "")

DTYPES = ("float32", "float64")
OPTIMIZERS = (GD(learning_rate=0.5), Adam(learning_rate=0.01))
# Two and three shares at every size, however small: what the rule would leave to one thread.
DIVISIONS = {"one": Division(), "in turn": Division(3), "in parallel": Division(2, in_parallel=True)}

# 1×1; primes on both sides of a vector and of the rows at once; one row, one column; more rows than share a logarithm;
# groups and a rest; rows wider than a cache.
SHAPES = [(1, 1), (1, 7), (7, 1), (13, 17), (97, 129), (257, 5), (1153, 2), (66, 50), (17, 1000), (5, 9001)]


def workspace_of(problem, config, division=DIVISIONS["one"], tiles=None):
    return Workspace(problem, config, division, build.built(SOURCE), tiles)


def started(problem, scale=1.0):
    """The problem from random parameters."""
    random = np.random.default_rng(1)
    return Problem(problem.X, problem.y, scale * random.standard_normal(problem.n), float(random.standard_normal()))


def agreement_of(workspace, steps=1):
    """The worst step, each judged from the workspace's own state before it."""
    problem, config, traits = workspace.problem, workspace.config, Traits.of(CATALOG["cpp-fused"])
    results = []
    for _ in range(steps):
        expected = expect_step(problem, config, Point.of(workspace.snapshot()), traits)
        workspace.step()
        results.append(compare(workspace.snapshot(), expected, config.dtype))
    return max(results, key=lambda result: result.worst)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("m", "n"), SHAPES)
@pytest.mark.parametrize("division", DIVISIONS.values(), ids=DIVISIONS)
@pytest.mark.parametrize("tiles", [True, False], ids=["tiles", "rows"])
def test_steps_agree_with_the_truth(tiles, division, m, n, dtype, optimizer):
    config = Config(dtype=dtype, optimizer=optimizer, l2=0.125)
    result = agreement_of(workspace_of(started(synthetic_problem(m, n, dtype)), config, division, tiles), steps=3)
    assert result.agrees, result.reason


@pytest.mark.parametrize("tiles", [True, False], ids=["tiles", "rows"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("margin", [1.0, 30.0, 90.0, 700.0, 1e4])
def test_extreme_margins_stay_accurate(margin, dtype, tiles):
    random = np.random.default_rng(2)
    X = np.concatenate([np.linspace(-1, 1, 200), 10.0 ** random.uniform(-6, 0, 200)])[:, None]
    problem = Problem(X.astype(dtype), random.integers(0, 2, 400).astype(dtype), np.array([margin]))
    result = agreement_of(workspace_of(problem, Config(dtype=dtype), tiles=tiles))
    assert result.agrees, result.reason


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("margin", [20.0, 60.0])
def test_a_tiny_cost_keeps_its_digits(margin, dtype):
    """Every row right by a margin: a product of 1 + e would round each e away, and the cost would be zero."""
    problem = Problem(np.ones((1000, 1), dtype), np.ones(1000, dtype), np.array([margin]))
    workspace = workspace_of(problem, Config(dtype=dtype))
    workspace.gradient()
    np.testing.assert_allclose(workspace.snapshot().J, math.log1p(math.exp(-margin)), rtol=40 * np.finfo(dtype).eps)


@pytest.mark.parametrize("tiles", [True, False], ids=["tiles", "rows"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [959, 960, 961, 2500])
def test_losses_of_more_rows_than_share_a_logarithm_agree(m, dtype, tiles):
    """All margins at zero, where the product of 1 + exp(−|t|) is largest: 2 a row."""
    result = agreement_of(workspace_of(synthetic_problem(m, 30, dtype), Config(dtype=dtype), tiles=tiles))
    assert result.agrees, result.reason


@pytest.mark.parametrize("tiles", [True, False], ids=["tiles", "rows"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: optimizer.name)
def test_the_bits_are_those_of_the_shares_whoever_works_them_off(optimizer, tiles):
    """In turn, on threads of a step, and in a team of a training: the same costs and parameters to the last bit."""
    problem, steps = synthetic_problem(700, 9), STEPS_WORTH_A_TEAM
    found = []
    for division in (Division(2), Division(2, in_parallel=True)):
        team, alone = (workspace_of(problem, Config(optimizer=optimizer, l2=0.1), division, tiles) for _ in range(2))
        team.train(steps)
        alone.train(steps - 1)
        alone.step()
        found += [(each.w.tobytes(), float(each.b), float(each.J)) for each in (team.snapshot(), alone.snapshot())]
    assert len(set(found)) == 1


def test_more_shares_than_rows():
    for threads in (3, 8):
        for m, n in ((1, 5), (2, 5), (7, 5), (33, 3)):
            division = Division(threads, in_parallel=True)
            result = agreement_of(workspace_of(started(synthetic_problem(m, n)), Config(l2=0.1), division))
            assert result.agrees, result.reason


def test_a_second_thread_only_where_it_pays():
    assert division_of(100, 7, 64) == Division()
    assert division_of(569, 30, 64) == Division(2)
    assert division_of(100_000, 100, 2) == Division(2, in_parallel=True)
    assert division_of(100_000, 100, 1) == Division()


def test_a_small_x_is_copied_and_a_large_one_is_viewed():
    problem, config = synthetic_problem(569, 30), Config()
    assert not np.shares_memory(workspace_of(problem, config).X, problem.X)
    assert np.shares_memory(workspace_of(problem, config, tiles=False).X, problem.X)
    whole = synthetic_problem(50_000, 50)
    block = Problem(whole.X[300:428], whole.y[300:428])
    assert np.shares_memory(workspace_of(block, config).X, whole.X)


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda X: np.repeat(X, 2, axis=1)[:, ::2]], ids=["F", "strided"])
def test_x_in_any_layout(layout):
    problem = synthetic_problem(200, 30)
    for tiles in (True, False):
        result = agreement_of(workspace_of(Problem(layout(problem.X), problem.y), Config(), tiles=tiles))
        assert result.agrees, result.reason


@pytest.mark.parametrize("tiles", [True, False], ids=["tiles", "rows"])
@pytest.mark.parametrize("storage", STORAGES)
def test_steps_agree_with_the_truth_of_a_narrower_x(storage, tiles):
    """Numbers that float16 has without all its digits are among them."""
    random = np.random.default_rng(4)
    for m, n in SHAPES:
        X = random.standard_normal((m, n)) * 2.0 ** random.uniform(-20.0, 2.0, n)
        problem = started(Problem(X.astype(np.float32), random.integers(0, 2, m).astype(np.float32)).stored(storage))
        for optimizer, division in product(OPTIMIZERS, DIVISIONS.values()):
            config = Config(dtype="float32", optimizer=optimizer, l2=0.125, storage=storage)
            result = agreement_of(workspace_of(problem, config, division, tiles), steps=2)
            assert result.agrees, (m, n, result.reason)


def test_a_narrower_x_is_kept_narrow():
    problem = synthetic_problem(3000, 50, "float32")
    for storage, size in (("float16", 2), ("bfloat16", 2), ("int8", 1)):
        config = Config(dtype="float32", storage=storage)
        kept = [workspace_of(problem.stored(storage), config, tiles=tiles).X for tiles in (False, True)]
        assert [X.dtype.itemsize for X in kept] == [size, size]
        assert kept[0].nbytes == problem.X.size * size


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are widths of x86")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("processor", ["x86-64", "haswell"])
def test_the_vectors_of_other_processors_agree_as_well(processor, dtype, monkeypatch, tmp_path):
    """What one without AVX2 gets, and without AVX-512: other lanes, rows in a group and rows that share a logarithm."""
    if processor == "haswell" and not get_host_cpu_features().get("avx2"):
        pytest.skip("this processor has no AVX2")
    monkeypatch.setenv("STEPBENCH_BUILD_DIR", str(tmp_path))
    monkeypatch.setattr(build, "OPTIONS", (*build.OPTIONS, f"-march={processor}"))
    library = build.built.__wrapped__(SOURCE)
    for m, n in (*SHAPES, (2500, 30)):
        for tiles, storage in product((True, False), (None, *STORAGES) if dtype == "float32" else (None,)):
            config = Config(dtype=dtype, l2=0.125, storage=storage)
            for problem in (synthetic_problem(m, n, dtype), started(synthetic_problem(m, n, dtype))):
                kept = problem if storage is None else problem.stored(storage)
                result = agreement_of(Workspace(kept, config, Division(2), library, tiles))
                assert result.agrees, (m, n, tiles, storage, result.reason)


# How it is built


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder of its own to build in, as for a process that has built nothing yet."""
    monkeypatch.setenv("STEPBENCH_BUILD_DIR", str(tmp_path / "built"))
    monkeypatch.setattr(build, "built", build.built.__wrapped__)
    return tmp_path


def compiler_that(folder, monkeypatch, does):
    """A compiler that is a script."""
    script = folder / "compiler"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("CXX", str(script))


def test_a_compiler_that_fails_is_a_sentence_with_its_first_lines(elsewhere, monkeypatch):
    compiler_that(elsewhere, monkeypatch, "for line in $(seq 100); do echo error $line >&2; done; exit 3")
    with pytest.raises(ProblemError, match=r"compiler failed \(exit status 3\):\nerror 1\nerror 2\n") as raised:
        build.built(SOURCE)
    assert "error 100" not in str(raised.value)


def test_a_compiler_that_fails_leaves_nothing_behind(elsewhere, monkeypatch):
    compiler_that(elsewhere, monkeypatch, 'case "$*" in *-dM*) ;; *) exit 1;; esac')
    with pytest.raises(ProblemError, match="exit status 1"):
        build.built(SOURCE)
    assert list((elsewhere / "built").iterdir()) == []


def test_what_was_built_is_used_the_second_time(elsewhere, monkeypatch):
    build.built(SOURCE)
    (kept,) = (elsewhere / "built").iterdir()
    before = kept.stat().st_mtime_ns
    monkeypatch.setattr(build, "compile_to", None)
    build.built(SOURCE)
    assert kept.stat().st_mtime_ns == before


def test_other_code_is_another_library(elsewhere):
    build.built(SOURCE)
    changed = elsewhere / SOURCE.name
    changed.write_text(SOURCE.read_text() + "// changed\n")
    build.built(changed)
    assert len(list((elsewhere / "built").iterdir())) == 2


def test_processes_that_build_at_once_all_compute(tmp_path):
    code = (
        "from stepkernels import Config, synthetic_problem\n"
        "from stepkernels.catalog import CATALOG\n"
        "workspace = CATALOG['cpp-fused'].bind(synthetic_problem(60, 4), Config())\n"
        "workspace.step()\n"
        "print(float(workspace.snapshot().J))\n"
    )
    variables = environment(STEPBENCH_BUILD_DIR=str(tmp_path))
    children = [
        subprocess.Popen([sys.executable, "-c", code], env=variables, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    printed = {child.communicate(timeout=120)[0] for child in children}
    assert len(printed) == 1
    assert float(printed.pop()) == pytest.approx(math.log(2))
    assert [file.suffix for file in tmp_path.iterdir()] == [".so"]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("STEPBENCH_BUILD_DIR", str(tmp_path / "file"))
    with pytest.raises(ProblemError, match="where nothing can be written; name another folder"):
        build.folder()


def test_without_a_wish_it_is_the_users_cache_or_a_folder_of_this_process(tmp_path, monkeypatch):
    monkeypatch.delenv("STEPBENCH_BUILD_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert build.folder() == tmp_path / "stepbench"
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert build.folder() == build.folder()
    assert build.folder().name.startswith("stepkernels-")


def test_without_a_compiler_the_row_says_so(monkeypatch):
    assert CATALOG["cpp-fused"].unavailable() is None
    assert any(letter.isdigit() for letter in library_version("c++"))
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert "no C++ compiler was found (looked for no-such-compiler)" in CATALOG["cpp-fused"].unavailable()
    assert library_version("c++") == "unknown"


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="nothing forks here")
def test_a_workspace_that_was_bound_before_a_fork_refuses_and_one_on_one_thread_goes_on():
    code = (
        "import multiprocessing\n"
        "from stepkernels import Config, ProblemError, synthetic_problem\n"
        "from stepkernels.catalog import CATALOG\n"
        "problem = synthetic_problem(12_500, 9)\n"
        "single, parallel = (CATALOG[name].bind(problem, Config()) for name in ('cpp-fused', 'cpp-fused-parallel'))\n"
        "def step(workspace):\n"
        "    try:\n"
        "        workspace.step()\n"
        "    except ProblemError as error:\n"
        "        print(error)\n"
        "    else:\n"
        "        print('done')\n"
        "for workspace in (single, parallel):\n"
        "    step(workspace)\n"
        "    child = multiprocessing.get_context('fork').Process(target=step, args=(workspace,))\n"
        "    child.start()\n"
        "    child.join()\n"
    )
    child = subprocess.run(
        [sys.executable, "-uc", code], capture_output=True, text=True, check=True, timeout=120,
        env=environment(OMP_NUM_THREADS="2"),
    )  # fmt: skip
    assert child.stdout.splitlines()[:3] == ["done"] * 3
    assert "This workspace cannot compute here: this process was forked" in child.stdout
