"""The commands `train` and `predict`, and the README's words about them."""

import re

import pytest
from typer.testing import CliRunner

from brought_files import brought
from runs import ROOT, stepbench
from stepbench.cli import app
from trainings import CANCER

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_commands_train_predict_and_overwrite_only_by_force(tmp_path):
    out = tmp_path / "cancer.npz"
    first = stepbench("train", CANCER, "--out", out)
    assert first.returncode == 0, first.stderr
    assert "Held out: 143 rows, accuracy 9" in first.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cancer-cost.svg", "cancer-roc.svg", "cancer.npz"]
    before = out.read_bytes()
    again = stepbench("train", CANCER, "--out", out)
    assert (again.returncode, out.read_bytes()) == (2, before)
    assert "--force overwrites it" in again.stderr
    assert stepbench("train", CANCER, "--out", out, "--force", "--steps", "3").returncode == 0
    predicted = stepbench("predict", out, CANCER)
    assert predicted.returncode == 0, predicted.stderr
    assert len(predicted.stdout.splitlines()) == 570
    assert "accuracy" in predicted.stderr


@pytest.mark.slow
def test_the_readmes_commands_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = re.findall(r"^stepbench ((?:train|predict) .*)$", README, re.MULTILINE)
    commands = [command for command in found if "data.npy" not in command]  # which is somebody's, and large
    assert len(commands) == 2
    for command in commands:
        finished = stepbench(*command.split())
        assert finished.returncode == 0, finished.stderr
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 570


def test_the_readmes_classifier_works(capsys):
    (code,) = re.findall(r"```python\n([^`]*stepkernels import LogisticRegression.*?)```", README, re.DOTALL)
    exec(code, {})
    assert float(capsys.readouterr().out) > 0.98


def ended(*arguments):
    """The command, carried out in this process."""
    return CliRunner().invoke(app, [*map(str, arguments)])


def test_the_commands_take_what_is_said_of_a_file(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow")
    out = tmp_path / "m.npz"
    headerless, indexed = brought("headerless_text_label.csv"), brought("feature_is_the_index.parquet")
    assert "say --no-header" in ended("train", headerless, "--out", out).stderr
    assert ended("train", headerless, "--out", out, "--no-header").exit_code == 0
    assert ended("predict", out, headerless).exit_code == 0
    kept = ended("train", indexed, "--out", out, "--force")
    assert "the pandas index 'x' became the column 'x'" in kept.stdout
    dropped = ended("train", indexed, "--out", out, "--force", "--drop-index")
    assert "× 1 column," in dropped.stdout
    said = ("--held-out", "0.5", "--zero-based", "yes")
    counted = ended("train", brought("counted_from_0_new.svmlight"), *said, "--out", out, "--force")
    assert "× 3 columns," in counted.stdout
    assert ended("predict", out, brought("counted_from_0_new.svmlight"), "--zero-based", "auto").exit_code == 0


@pytest.mark.slow
def test_a_refused_training_writes_nothing(tmp_path):
    finished = stepbench("train", CANCER, "--target", "species", "--out", tmp_path / "m.npz")
    assert finished.returncode == 2
    assert "has no column 'species'" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not list(tmp_path.iterdir())
