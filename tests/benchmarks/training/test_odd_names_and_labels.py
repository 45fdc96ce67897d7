"""Labels that are no whole numbers, files whose names are no UTF-8, and streams in the place of files."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from runs import benchmarks, stepbench
from stepbench.cli import app
from stepbench.commands.endings import Status
from stepbench.training.model_file import load_model

RANDOM = np.random.default_rng(5)
X = RANDOM.standard_normal((60, 3))
Y = np.where(X[:, 0] > 0, 1.5, 0.5)


def as_npy(path):
    np.save(path / "half.npy", np.column_stack([X, Y]))
    return path / "half.npy"


def as_npz(path):
    np.savez(path / "half.npz", X=X, y=Y)
    return path / "half.npz"


def as_svmlight(path):
    lines = (f"{label} 1:{a} 2:{b} 3:{c}" for label, (a, b, c) in zip(Y, X, strict=True))
    (path / "half.svmlight").write_text("\n".join(lines) + "\n")
    return path / "half.svmlight"


@pytest.mark.parametrize("settings", [(), ("--on-disk", "--optimizer", "adam")], ids=["whole", "on disk"])
@pytest.mark.parametrize("written", [as_npy, as_npz, as_svmlight])
def test_two_numbers_are_two_classes_whatever_they_are(written, settings, tmp_path):
    if settings and written is not as_npy:
        pytest.skip("only an .npy file stays on disk")
    finished = CliRunner().invoke(app, ["train", str(written(tmp_path)), "--out", str(tmp_path / "m.npz"), *settings])
    assert finished.exit_code == Status.DONE, finished.stderr
    assert load_model(tmp_path / "m.npz").classes.tolist() == [0.5, 1.5]


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take names of UTF-8 alone")
def test_a_file_whose_name_is_no_text_is_learned_from_and_timed(tmp_path):
    path = tmp_path / os.fsdecode(b"gr\xf6.csv")
    rows = "\n".join(f"{a},{b},{int(a > 0)}" for a, b, _ in X)
    path.write_text(f"a,b,kind\n{rows}\n")
    finished = stepbench("train", path, "--out", tmp_path / "m.npz")
    assert finished.returncode == Status.DONE, finished.stderr
    assert str(load_model(tmp_path / "m.npz").trained_on) == r"gr\xf6.csv"
    finished = stepbench("run", "--data", path, "--rows", "numpy-blas", "--out", tmp_path / "run")
    assert finished.returncode == Status.DONE, finished.stderr
    assert {entry["extra_info"]["dataset"] for entry in benchmarks(tmp_path / "run")} == {r"gr\xf6.csv"}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_predictions_go_into_a_stream_and_a_full_one_is_74(tmp_path):
    data, model = as_npy(tmp_path), tmp_path / "m.npz"
    stepbench("train", data, "--out", model)
    shown = stepbench("predict", model, data, "--out", "/dev/stdout")
    assert shown.returncode == Status.DONE, shown.stderr
    assert shown.stdout.count("\n") > len(X)
    full = stepbench("predict", model, data, "--out", "/dev/full")
    assert full.returncode == 74
    assert "No space left on device" in full.stderr
    assert Path("/dev/stdout").is_symlink(), "a stream is written into, and not replaced"
