"""Training on ranks: the optimum of one process, by one command or under torchrun, and its refusals."""

import os
import subprocess
import sys
import weakref
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from stepbench.cases import data_table
from stepbench.cases.standardizing import Scaling, joined, moments_of, scaling_by, scaling_of, standardize
from stepbench.cli import app
from stepbench.commands.train_on_ranks import ARROW_MEMORY
from stepbench.training.model_file import load_model
from stepbench.training.sharded import checkpoints, sharded_fit
from stepbench.training.sharded.block_share import BlockShare
from stepbench.training.sharded.checkpoints import Keeper, load_checkpoint
from stepbench.training.sharded.rows_of_rank import ArrayRows
from stepbench.training.sharded.sharded_fit import able_row, moments_in_blocks
from stepkernels import Config, LogisticRegression, Problem, ProblemError
from stepkernels.catalog import CATALOG
from trainings import mapped_file

ROWS, HELD_OUT = 1_000, 0.25
BORDER = round(ROWS * (1 - HELD_OUT))
EXACT = ("--tol", "1e-9", "--steps", "30000")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return mapped_file(tmp_path_factory.mktemp("ranks") / "data.npy", rows=ROWS)


@pytest.fixture(scope="module")
def optimum(data):
    """Of one process, on the rows that are learned from."""
    return optimum_of(np.load(data)[:BORDER])


def optimum_of(table):
    X, y = table[:, :-1], table[:, -1]
    scaling = scaling_of(X, list(map(str, range(X.shape[1]))))
    return LogisticRegression(l2=1e-3, tol=1e-10).fit(standardize(X, scaling.mean, scaling.scale), y)


def run(*arguments, under=(), cwd=None, **variables):
    command = [sys.executable, "-m", *under, "stepbench", "train", *map(str, arguments)]
    return subprocess.run(
        command, env={**os.environ, **variables}, cwd=cwd, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture
def refused(monkeypatch):
    """What the command says in this process, where it refuses before any other is started."""

    def refused(*arguments):
        monkeypatch.setenv(*ARROW_MEMORY)  # as it does itself, for good
        finished = CliRunner().invoke(app, ["train", *map(str, arguments)])
        assert finished.exit_code == 2, finished.output
        assert "Traceback" not in finished.output
        return finished.stderr

    return refused


def torchrun(ranks):
    return ("torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks), "-m")


def assert_same_optimum(model, optimum):
    np.testing.assert_allclose(model.w, optimum.coef_[0], atol=1e-6)
    np.testing.assert_allclose(model.b, optimum.intercept_[0], atol=1e-6)


@pytest.mark.parametrize(
    ("ranks", "settings"),
    [
        (1, ()),
        (3, ()),
        (2, ("--optimizer", "gd")),
        (2, ("--optimizer", "adam", "--learning-rate", "0.03", "--on-disk")),
    ],
)
def test_every_optimizer_reaches_the_optimum_of_one_process(data, optimum, tmp_path, ranks, settings):
    finished = run(data, "--ranks", ranks, *EXACT, *settings, "--out", tmp_path / "model.npz")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("Written: ") == 1
    assert "Not converged" not in finished.stdout
    assert_same_optimum(load_model(tmp_path / "model.npz"), optimum)


def test_the_command_is_a_rank_under_torchrun(data, optimum, tmp_path):
    finished = run(data, *EXACT, "--out", tmp_path / "model.npz", under=torchrun(2))
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.count("Written: ") == 1
    assert_same_optimum(load_model(tmp_path / "model.npz"), optimum)


@pytest.mark.parametrize("settings", [(), ("--on-disk",)], ids=["in-memory", "on-disk"])
def test_row_groups_of_several_files_are_shared(data, tmp_path, settings):
    """Of each the last rows are held out, so that what is learned does not depend on the number of ranks."""
    table = pd.DataFrame(np.load(data), columns=[*"abcdef", "kind"])
    (tmp_path / "parts").mkdir()
    for k in range(3):
        part = table[k::3].reset_index(drop=True)
        part.to_parquet(tmp_path / "parts" / f"{k}.parquet", row_group_size=100)
    known = []
    for k in range(3):
        part = table[k::3].to_numpy()
        groups = [part[start : start + 100] for start in range(0, len(part), 100)]
        known += [group[: round(len(group) * (1 - HELD_OUT))] for group in groups]
    finished = run(tmp_path / "parts", "--ranks", 2, *EXACT, *settings, "--out", tmp_path / "model.npz")
    assert finished.returncode == 0, finished.stderr
    assert ("The features stay on disk" in finished.stdout) == bool(settings)
    model = load_model(tmp_path / "model.npz")
    assert model.columns.tolist() == list("abcdef")
    assert_same_optimum(model, optimum_of(np.concatenate(known)))


def test_moments_of_parts_are_those_of_the_whole():
    random = np.random.default_rng(0)
    X = random.standard_normal((300, 4)) * [1, 1e3, 1e-3, 0] + [1e6, 0, 5, 14.62]
    whole = moments_of(X)
    parts = joined([moments_of(X[:7]), moments_of(X[7:8]), moments_of(X[8:])])
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-14, atol=1e-12)
    np.testing.assert_allclose(parts.variance, whole.variance, rtol=1e-9, atol=1e-20)
    assert parts.rows == 300
    assert parts.alike.tolist() == [False, False, False, True]
    scaling = scaling_by(parts, list("abcd"))
    assert scaling.constant.tolist() == [False, False, False, True]
    assert scaling.mean[3] == 14.62


def test_moments_are_joined_block_by_block_to_those_of_all_blocks():
    """No more than the moments of two blocks are held."""
    X = np.random.default_rng(0).standard_normal((300, 4)) + 5.0
    made = []

    class Blocks(ArrayRows):
        def blocks(self):
            for start in range(0, 300, 30):
                assert sum(mean() is not None for mean in made) <= 2
                yield slice(start, start + 30), X[start : start + 30]

    def noted(block):
        found = moments_of(block)
        made.append(weakref.ref(found.mean))
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharded_fit, "moments_of", noted)
        found = moments_in_blocks(Blocks(X))
    expected = joined([moments_of(X[start : start + 30]) for start in range(0, 300, 30)])
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.variance, expected.variance)
    assert moments_in_blocks(ArrayRows(X[:0])) is None


def test_a_column_that_is_constant_on_each_rank_alone_is_not_constant():
    parts = joined([moments_of(np.full((5, 1), 1.0)), moments_of(np.full((5, 1), 2.0))])
    assert parts.alike.tolist() == [False]
    np.testing.assert_allclose(parts.variance, [0.25])


def test_rows_taken_a_block_at_a_time_have_the_gradient_of_all(monkeypatch):
    monkeypatch.setattr(data_table, "CACHED_ELEMENTS", 100)
    random = np.random.default_rng(0)
    X, y = random.standard_normal((101, 5)) * 3 + 7, (random.random(101) < 0.5).astype(float)
    scaling = scaling_of(X, list("abcde"))
    row = CATALOG["numpy-blas"]
    blocked = BlockShare(ArrayRows(X), y, scaling, "float64", lambda problem: row.bind(problem, Config()))
    whole = row.bind(Problem(standardize(X, scaling.mean, scaling.scale), y), Config())
    w = random.standard_normal(5)
    for workspace in (blocked, whole):
        workspace.reset(w, 0.5)
        workspace.gradient()
    for name in ("J", "gw", "gb"):
        np.testing.assert_allclose(getattr(blocked.snapshot(), name), getattr(whole.snapshot(), name), rtol=1e-12)


def test_a_training_goes_on_from_its_checkpoint(data, optimum, tmp_path, refused):
    short = run(data, "--ranks", 2, "--steps", "3", "--checkpoint", tmp_path / "kept", "--out", tmp_path / "a.npz")
    assert short.returncode == 0, short.stderr
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["checkpoint.npz"]
    arguments = (data, "--ranks", 2, "--checkpoint", tmp_path / "kept", "--out", tmp_path / "b.npz")
    state = (tmp_path / "kept" / "checkpoint.npz").read_bytes()
    for options, told in (
        (
            ("--resume", "--l2", "0.5"),
            "of a training with other settings (lbfgs, l2 0.001, held out 0.25, standardized)",
        ),
        ((), "is the state of an earlier training; go on from it with --resume, or choose another"),
    ):
        assert told in refused(*arguments, *options)
        assert (tmp_path / "kept" / "checkpoint.npz").read_bytes() == state
    longer = run(*arguments, "--resume", *EXACT)
    assert longer.returncode == 0, longer.stderr
    assert "Went on from iteration 1 of an earlier training." in longer.stdout
    assert_same_optimum(load_model(tmp_path / "b.npz"), optimum)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--ranks", "0"), "--ranks is 0; it must be from 1"),
        (("--ranks", "2", "--timeout", "0"), "--timeout is no time to wait"),
        (("--ranks", "2", "--timeout", "1e15"), "it must be more than 0, and at most 86,400 seconds"),
        (("--ranks", "2", "--timeout", "nan"), "--timeout is no time to wait"),
        (("--ranks", "2", "--resume"), "--resume needs --checkpoint DIR"),
        (("--ranks", "2", "--resume", "--checkpoint", "kept"), "There is no checkpoint kept/checkpoint.npz; start"),
        (("--ranks", "2", "--checkpoint", ""), "--checkpoint needs a folder"),
        (("--ranks", "2", "--batch-size", "5"), "leave out --batch-size"),
        (("--ranks", "2", "--storage", "int8"), "leave out --storage"),
        (("--checkpoint", "kept"), "--checkpoint and --resume are for a training on ranks"),
    ],
)
def test_what_ranks_cannot_do_is_refused_before_they_start(data, tmp_path, monkeypatch, refused, arguments, told):
    monkeypatch.chdir(tmp_path)
    assert told in refused(data, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_what_one_rank_refuses_all_refuse_and_nothing_is_written(data, tmp_path):
    finished = run("nowhere.npy", "--ranks", 2, cwd=tmp_path)
    assert finished.returncode == 2, finished.stderr
    assert "There is no data set called 'nowhere.npy', and no such file" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("settings", [(), ("--on-disk",)], ids=["in-memory", "on-disk"])
def test_a_cost_that_overflows_is_told_by_all_ranks_in_the_same_words(data, tmp_path, settings):
    arguments = (data, "--ranks", 2, "--optimizer", "gd", "--learning-rate", "1e6", "--out", tmp_path / "model.npz")
    finished = run(*arguments, *settings)
    assert finished.returncode == 2, finished.stderr
    told = [line for line in finished.stderr.splitlines() if line]
    assert len(told) == 2
    assert told[0] == told[1]
    assert told[0].startswith("The cost overflowed by iteration ")
    assert told[0].endswith(" Choose a smaller learning_rate.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.inf, np.nan, 1e300])
def test_rows_taken_a_block_at_a_time_have_a_cost_that_is_not_finite_where_the_parameters_are_not(value):
    X, y = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([0.0, 1.0])
    scaling = Scaling(mean=np.zeros(2), scale=np.full(2, 1e-9), constant=np.zeros(2, bool))
    row = CATALOG["numpy-blas"]
    share = BlockShare(ArrayRows(X), y, scaling, "float64", lambda problem: row.bind(problem, Config()))
    share.reset(np.full(2, value), 0.0)
    share.gradient()
    assert not np.isfinite(share.snapshot().J)


@pytest.mark.parametrize(
    ("row", "told"), [("torch-compiled-cpu", "only takes whole steps"), ("torch-distributed-cpu", "ranks of its own")]
)
def test_a_row_that_cannot_take_a_share_is_refused(row, told):
    with pytest.raises(ProblemError, match=told):
        able_row(row, 100)


def test_a_checkpoint_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "kept").write_text("a file, and no folder")
    state = CATALOG["numpy-blas"].bind(Problem([[1.0], [2.0]], [0, 1]), Config()).snapshot()
    with pytest.raises(ProblemError, match=r"checkpoint\.npz could not be written \(.*\)\. Make room, and go on"):
        Keeper(tmp_path / "kept", "gd", "data").keep(state, 7)


@pytest.mark.parametrize("name", ["w", "b", "moment1", "moment2"])
def test_a_state_that_is_not_finite_is_not_kept(tmp_path, monkeypatch, name):
    monkeypatch.setattr(checkpoints, "EVERY_SECONDS", 0.0)
    keeper = Keeper(tmp_path, "gd", "data")
    state = CATALOG["numpy-blas"].bind(Problem([[1.0], [2.0]], [0, 1]), Config()).snapshot()
    keeper.keep(state, 7)
    keeper.keep(replace(state, **{name: np.full_like(getattr(state, name), np.inf)}), 8)
    assert load_checkpoint(tmp_path, "gd", "data").iterations == 7
    keeper.keep(state, 9)
    assert load_checkpoint(tmp_path, "gd", "data").iterations == 9


def test_no_checkpoint_a_damaged_one_and_one_of_another_training_are_told(tmp_path):
    with pytest.raises(ProblemError, match=r"There is no checkpoint .*; start without --resume"):
        load_checkpoint(tmp_path, "gd")
    state = CATALOG["numpy-blas"].bind(Problem([[1.0], [2.0]], [0, 1]), Config()).snapshot()
    Keeper(tmp_path, "gd", "data").keep(state, 7)
    assert load_checkpoint(tmp_path, "gd", "data").iterations == 7
    assert load_checkpoint(tmp_path, "gd").iterations == 7
    with pytest.raises(ProblemError, match=r"with other settings \(gd\), not with these \(adam\)"):
        load_checkpoint(tmp_path, "adam")
    with pytest.raises(ProblemError, match=r"with other data \(data\), not with these \(others\)"):
        load_checkpoint(tmp_path, "gd", "others")
    whole = (tmp_path / "checkpoint.npz").read_bytes()
    (tmp_path / "checkpoint.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ProblemError, match="is no checkpoint that Stepbench wrote, or it is cut off"):
        load_checkpoint(tmp_path, "gd")
