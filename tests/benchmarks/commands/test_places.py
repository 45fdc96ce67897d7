"""Places to write to: tried before the work, and nothing is left behind by trying."""

import os

import pytest

from runs import stepbench
from stepbench.commands.places import require_absent, require_writable
from stepkernels.problem import ProblemError
from trainings import CANCER


def test_a_folder_that_is_missing_is_no_fault_and_not_yet_made(tmp_path):
    require_writable(tmp_path / "a" / "b" / "model.npz")
    assert not list(tmp_path.iterdir())


def test_a_folder_is_no_place_for_a_file(tmp_path):
    with pytest.raises(ProblemError, match="is a folder; name a file"):
        require_writable(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ProblemError, match="cannot be written"):
        require_writable(tmp_path / "file" / "model.npz")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_to_is_a_sentence(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ProblemError, match="cannot be written"):
        require_writable(tmp_path / "a" / "model.npz")


def test_a_file_is_overwritten_by_force_alone(tmp_path):
    (tmp_path / "file").write_text("")
    require_absent(tmp_path / "file", force=True)
    with pytest.raises(ProblemError, match="exists already; --force overwrites it"):
        require_absent(tmp_path / "file", force=False)


@pytest.mark.parametrize("out", ["/", ".", "file/model.npz"])
def test_a_place_is_refused_before_the_data_are_read(tmp_path, monkeypatch, out):
    """The data do not exist: were they looked at first, the sentence would be about them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    for command in (("train", "absent.csv"), ("predict", "absent.npz", "absent.csv")):
        finished = stepbench(*command, "--out", out)
        assert finished.returncode == 2
        assert "absent" not in finished.stderr
        assert "is a folder" in finished.stderr or "cannot be written" in finished.stderr


@pytest.mark.slow
def test_folders_are_made_for_a_model_and_for_predictions(tmp_path):
    model, predictions = tmp_path / "new" / "models" / "m.npz", tmp_path / "other" / "p.csv"
    assert stepbench("train", CANCER, "--out", model, "--steps", "3").returncode == 0
    assert stepbench("predict", model, CANCER, "--out", predictions).returncode == 0
    assert len(predictions.read_text().splitlines()) == 570
