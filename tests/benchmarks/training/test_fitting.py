"""Training: what is learned of which rows, and what is said of it."""

import numpy as np
import pytest

from stepbench.training.outputs import training_lines, write_files
from stepbench.training.settings import Training
from stepbench.training.split import split
from stepkernels.problem import STORAGES, ProblemError
from trainings import CANCER, csv_file, mapped_file, trained_on


def test_the_held_out_score_is_of_rows_not_learned_from(trained):
    assert (trained.rows, trained.score.rows) == (426, 143)
    assert trained.score.accuracy > 0.95
    assert trained.score.auc > 0.99
    assert 0.6 < trained.score.majority < 0.65


def test_the_scaling_is_of_the_rows_learned_from_and_reported(trained):
    data = split(CANCER, Training())
    known = data.X[data.known]
    np.testing.assert_allclose(trained.model.mean, known.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(trained.model.scale, known.std(axis=0), rtol=1e-12)
    assert trained.notes == ["Standardized 30 columns to zero mean and unit variance."]


@pytest.mark.parametrize("storage", STORAGES)
def test_features_kept_in_fewer_bits_score_as_well(trained, storage):
    narrow = trained_on(CANCER, storage=storage)
    assert narrow.model.w.dtype == np.float32
    assert abs(narrow.score.accuracy - trained.score.accuracy) < 0.02
    np.testing.assert_allclose(narrow.model.w, trained.model.w, atol=0.2)  # of weights up to 1.7


def test_columns_are_left_as_they_are_where_that_is_asked():
    trained = trained_on(CANCER, standardize=False, steps=5, optimizer="gd", tol=0.0)
    assert (trained.model.mean == 0.0).all()
    assert (trained.model.scale == 1.0).all()
    assert trained.notes[0] == "The columns were left as they are, not standardized."


@pytest.mark.parametrize(
    ("settings", "iterations"),
    [
        ({"optimizer": "gd"}, 30),
        ({"optimizer": "adam", "learning_rate": 0.05}, 30),
        ({"optimizer": "adam", "batch_size": 32}, 30),
    ],
)
def test_every_optimizer_trains_as_many_steps_as_asked(settings, iterations):
    trained = trained_on(CANCER, steps=iterations, tol=0.0, **settings)
    assert len(trained.costs) == iterations
    assert trained.costs[-1] < trained.costs[0]
    assert trained.score.accuracy > 0.9


def test_stopping_short_is_told():
    trained = trained_on(CANCER, steps=3)
    assert any("Not converged: after 3 iterations" in note for note in trained.notes)


def test_a_file_left_on_disk_trains_to_the_same_accuracy(tmp_path):
    path = mapped_file(tmp_path / "data.npy")
    whole = trained_on(path, on_disk=False)
    on_disk = trained_on(path, on_disk=True, optimizer="adam", batch_size=500, learning_rate=0.01)
    assert len(on_disk.costs) == 10
    assert on_disk.score.accuracy == pytest.approx(whole.score.accuracy, abs=0.01)
    assert any("stayed on disk" in note for note in on_disk.notes)


def test_lbfgs_cannot_learn_from_disk(tmp_path):
    with pytest.raises(ProblemError, match="use --optimizer adam"):
        trained_on(mapped_file(tmp_path / "data.npy"), on_disk=True)


def test_adam_reaches_the_accuracy_of_the_autograd_row():
    """The mark's 2,000 steps; its time is measured by stepbench.evidence.training_marks."""
    settings = {"optimizer": "adam", "steps": 2000, "learning_rate": 0.01, "tol": 0.0}
    fused = trained_on(CANCER, row="auto", **settings)
    autograd = trained_on(CANCER, row="torch-autograd-cpu", **settings)
    assert fused.score.accuracy == autograd.score.accuracy


def test_a_column_too_large_to_standardize_is_named(tmp_path):
    with pytest.raises(ProblemError, match="variance of the column 'x' overflows"):
        trained_on(csv_file(tmp_path / "data.csv", x=[1e300, -1e300] * 10, kind=["a", "b"] * 10))


def test_columns_of_no_use_leave_the_start(tmp_path):
    """Nothing to learn is no error: both classes are guessed alike, and there is no cost to draw."""
    trained = trained_on(csv_file(tmp_path / "data.csv", x=[14.62] * 40, kind=["a", "b"] * 20))
    assert len(trained.costs) == 0
    assert any("Constant, and so of no use: x" in note for note in trained.notes)
    assert any("0 iterations; the start, all zeros, is an optimum" in line for line in training_lines(trained))
    write_files(trained, tmp_path / "model.npz")
