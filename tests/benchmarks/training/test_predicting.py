"""Predictions: columns are found by name, and a score stands beside them where it can be told."""

import numpy as np
import pytest

from stepbench.training.outputs import prediction_lines, write_files
from stepbench.training.predicting import predict
from stepkernels.problem import ProblemError
from trainings import CANCER, random_frame, trained_on


def test_predictions_come_with_a_score_where_the_labels_are_known(model):
    predictions = predict(model, CANCER)
    assert predictions.score.accuracy > 0.95
    lines = predictions.to_csv().splitlines()
    assert lines[0] == "prediction,probability of malignant"
    assert len(lines) == 570


def model_of(frame, tmp_path):
    """A model in a file, trained on a frame in learn.csv."""
    frame.to_csv(tmp_path / "learn.csv", index=False)
    return write_files(trained_on(tmp_path / "learn.csv"), tmp_path / "model.npz")[0]


def test_columns_are_found_by_name(tmp_path):
    frame = random_frame("abc")
    path = model_of(frame, tmp_path)
    frame[["c", "b", "a"]].to_csv(tmp_path / "new.csv", index=False)
    known, new = predict(path, str(tmp_path / "learn.csv")), predict(path, str(tmp_path / "new.csv"))
    np.testing.assert_array_equal(known.predicted, new.predicted)
    assert known.score is not None
    assert new.score is None


def test_a_column_that_is_not_there_is_named(tmp_path):
    frame = random_frame("abc")
    path = model_of(frame, tmp_path)
    frame[["a", "b"]].to_csv(tmp_path / "short.csv", index=False)
    with pytest.raises(ProblemError, match=r"short.csv has no column c, which model.npz was trained on"):
        predict(path, str(tmp_path / "short.csv"))


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda kinds: kinds, "The model was trained on learn.csv: of rows it has seen, a score says little."),
        (lambda kinds: ["up"] * len(kinds), "No score: the column 'kind' does not hold down and up, and these alone."),
        (lambda kinds: [None, *kinds[1:]], "No score. learn.csv: the column 'kind' has no value in row 1"),
    ],
)
def test_a_score_that_is_not_or_says_little_is_explained(tmp_path, change, note):
    """The labels are not needed to predict: whatever is wrong with them, every row gets its class."""
    frame = random_frame("ab")
    path = model_of(frame, tmp_path)
    frame.assign(kind=change(list(frame.kind))).to_csv(tmp_path / "learn.csv", index=False)
    predictions = predict(path, str(tmp_path / "learn.csv"))
    assert len(predictions.predicted) == 60
    assert (predictions.score is None) == note.startswith("No score")
    assert prediction_lines(predictions)[-1].startswith(note)
