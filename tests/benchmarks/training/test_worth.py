"""What a model is worth: each number is that of its definition, and the coefficients are those of the data as read."""

import json

import numpy as np
import pytest
from scipy.special import expit

from stepbench.cases.datasets import open_table
from stepbench.training.model_file import load_model
from stepbench.training.predicting import predict
from stepbench.training.scores import score_of
from stepbench.training.worth import as_json, coefficient_lines, coefficients, score_lines
from stepkernels.problem import ProblemError
from trainings import CANCER

Z = np.array([-3.0, -2.0, -0.5, 0.5, 1.0, 4.0])
POSITIVE = np.array([False, False, True, False, True, True])


@pytest.fixture
def score(trained):
    return score_of(trained.model, Z, POSITIVE, threshold=0.7)


def test_the_score_is_that_of_its_definitions(score):
    p = expit(Z)
    assert score.confusion.tolist() == [[3, 0], [1, 2]]  # above 0.7 are the last two
    assert (score.accuracy, score.precision, score.recall) == pytest.approx((5 / 6, 1.0, 2 / 3))
    assert score.log_loss == pytest.approx(-np.log(np.where(POSITIVE, p, 1 - p)).mean())
    pairs = [(a > b) for a in Z[POSITIVE] for b in Z[~POSITIVE]]
    assert score.auc == pytest.approx(np.mean(pairs))


def test_the_calibration_counts_every_row_in_the_bin_of_its_probability(score):
    p = expit(Z)
    assert sum(each.rows for each in score.calibration) == len(Z)
    for each in score.calibration:
        inside = (p > each.low) & (p <= each.high)
        assert each.rows == inside.sum()
        assert (each.predicted, each.observed) == pytest.approx((p[inside].mean(), POSITIVE[inside].mean()))


def test_the_coefficients_give_the_models_margins_on_the_data_as_they_were_read(trained):
    model = trained.model
    X = open_table(CANCER).features([str(column) for column in model.columns])
    found, intercept = coefficients(model)
    assert list(found) == [str(column) for column in model.columns]
    np.testing.assert_allclose(X @ np.array(list(found.values())) + intercept, model.margins(X), rtol=1e-9, atol=1e-8)


def test_everything_is_told_and_stands_in_the_json(trained):
    told = json.loads(json.dumps(as_json(trained), allow_nan=False))
    assert set(told["coefficients"]) == {str(column) for column in trained.model.columns}
    assert np.sum(told["held_out"]["confusion"]) == told["held_out"]["rows"] == trained.score.rows
    lines = [*score_lines(trained.score, trained.model), *coefficient_lines(trained.model)]
    assert max(map(len, lines[1:-14])) <= 60
    assert lines[-1].split()[0] == "intercept"


@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.99])
def test_a_row_is_taken_for_the_second_class_above_the_threshold(model, threshold):
    predictions = predict(model, CANCER, threshold=threshold)
    second = load_model(model).classes[1]
    np.testing.assert_array_equal(predictions.predicted == second, predictions.probabilities > threshold)
    assert predictions.score.threshold == threshold


@pytest.mark.parametrize("threshold", [0.0, 1.0, -1.0, float("nan"), float("inf")])
def test_what_is_no_threshold_is_refused(model, threshold):
    with pytest.raises(ProblemError, match="it must lie between 0 and 1"):
        predict(model, CANCER, threshold=threshold)
