"""Predictions as CSV: read back unchanged, whatever the classes are called, and safe to open in a spreadsheet."""

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepbench.training.predicting import Predictions, notes_on_safety, safe_in_a_spreadsheet

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
FORMULA_SIGNS = "=+-@＝＋－＠"


def predictions_of(trained, first, second):
    model = dataclasses.replace(trained.model, classes=np.array([first, second]))
    labels = model.classes[np.array([0, 1, 1, 0])]
    chances = np.array([0.1, 0.9, 1 / 3, 1e-12])
    return Predictions(model=model, predicted=labels, probabilities=chances, score=None, notes=())


@given(first=TEXT, second=TEXT)
def test_pandas_reads_back_what_was_predicted(trained, first, second):
    if first == second:
        return
    predictions = predictions_of(trained, first, second)
    again = pd.read_csv(
        io.StringIO(predictions.to_csv(), newline=""), dtype=str, keep_default_na=False, na_filter=False
    )
    assert list(again.columns) == ["prediction", f"probability of {second}"]
    assert list(again.prediction) == [safe_in_a_spreadsheet(label) for label in predictions.predicted]
    assert list(map(float, again.iloc[:, 1])) == [0.1, 0.9, 0.333333, 1e-12]


@given(st.sampled_from(FORMULA_SIGNS), TEXT, st.sampled_from(["", " ", "\t", "\r", "\n"]))
def test_no_label_begins_as_a_formula_does(sign, rest, space):
    safe = safe_in_a_spreadsheet(space + sign + rest)
    assert safe.lstrip()[0] not in FORMULA_SIGNS or float(safe) is not None


@given(TEXT.filter(lambda text: text.lstrip()[:1] not in FORMULA_SIGNS))
def test_other_labels_are_written_as_they_are(text):
    assert safe_in_a_spreadsheet(text) == text


@pytest.mark.parametrize("number", ["-1", "+1", "-1.0", "+.5", "-1e-3", "0"])
def test_a_number_with_a_sign_is_no_formula(number):
    assert safe_in_a_spreadsheet(number) == number


@pytest.mark.parametrize("text", ["=1+1", "-2+3", "+cmd|' /C calc'!A0", "@SUM(A1)", "-inf", "- none"])
def test_what_a_spreadsheet_would_run_is_quoted_and_said(text):
    assert safe_in_a_spreadsheet(text) == f"'{text}"
    assert text in notes_on_safety(np.array(["a", text]))[0]
    assert notes_on_safety(np.array(["a", "-1"])) == []
