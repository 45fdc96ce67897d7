"""From a file to a prediction: new data are read as those learned from, and never with their columns shifted."""

import io

import numpy as np
import pandas as pd
import pytest

from brought_files import brought
from stepbench.cases.reading import Reading
from stepbench.training.predicting import predict
from stepkernels.problem import ProblemError
from trainings import trained_on

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((80, 4))
Y = (X @ [2.0, -1.0, 0.5, 3.0] > 0).astype(int)


@pytest.fixture
def learned(tmp_path):
    """A model in a file, of a file's data."""

    def learn(source, **settings):
        return trained_on(source, row="numpy-blas", **settings).model.save(tmp_path / "model.npz")

    return learn


@pytest.fixture
def saved(tmp_path):
    """An array or arrays in a file of their own."""

    def save(name, array=None, **arrays):
        np.save(tmp_path / name, array) if array is not None else np.savez(tmp_path / name, **arrays)
        return tmp_path / name

    return save


# svmlight ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["counted_from_0_new.svmlight", "counted_from_0_new_explicit.svmlight"])
def test_indices_count_as_in_the_data_learned_from(learned, name):
    predictions = predict(learned(brought("counted_from_0.svmlight")), str(brought(name)))
    assert predictions.score.accuracy == 1.0
    assert predictions.notes == []


def test_they_count_otherwise_when_that_is_said(learned):
    model = learned(brought("counted_from_0.svmlight"))
    shifted = predict(model, str(brought("counted_from_0_new.svmlight")), Reading(zero_based=False))
    assert shifted.score.accuracy == 0.25


def test_a_guess_in_training_is_said_and_a_file_that_belies_it_is_refused(learned, tmp_path):
    (tmp_path / "t.svm").write_text("1 1:2 2:1\n0 1:-2 2:1\n" * 20)
    trained = trained_on(tmp_path / "t.svm", row="numpy-blas")
    assert any("taken to count from 1" in note for note in trained.notes)
    (tmp_path / "new.svm").write_text("1 0:2 1:1\n")
    with pytest.raises(ProblemError, match="the index 0 occurs in row 1"):
        predict(learned(tmp_path / "t.svm"), str(tmp_path / "new.svm"))
    assert len(predict(learned(tmp_path / "t.svm"), str(tmp_path / "new.svm"), Reading(zero_based=True)).predicted) == 1


def test_an_index_beyond_the_columns_learned_from_is_refused(learned, tmp_path):
    (tmp_path / "new.svm").write_text("1 1:2 3:1\n-1 1:1\n")
    with pytest.raises(
        ProblemError, match=r"4 columns without names.*was trained on 3.*counted from 0.*--zero-based no"
    ):
        predict(learned(brought("counted_from_0.svmlight")), str(tmp_path / "new.svm"))


def test_a_model_of_arrays_leaves_the_base_a_guess_that_is_said(learned, saved, tmp_path):
    model = learned(saved("t.npz", X=X, y=Y))
    (tmp_path / "new.svm").write_text("1 1:2\n0 2:1\n")
    assert "taken to count from 1" in predict(model, str(tmp_path / "new.svm")).notes[0]
    (tmp_path / "new.svm").write_text("1 1:2\n0 4:1\n")
    assert not any("taken" in note for note in predict(model, str(tmp_path / "new.svm")).notes)


# Columns without names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", [1, 2, -1])
@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_another_width_is_refused_where_columns_have_no_names(learned, saved, kind, extra):
    model = learned(saved("t.npz", X=X, y=Y))
    wrong = np.column_stack([np.arange(80.0)] * extra + [X]) if extra > 0 else X[:, 1:]
    new = saved("new.npy", wrong) if kind == "npy" else saved("new.npz", X=wrong, y=Y)
    with pytest.raises(ProblemError, match=rf"{4 + extra} columns without names; model\.npz was trained on 4\."):
        predict(model, str(new))


def test_the_target_may_stand_behind_the_columns_as_it_did_or_be_left_out(learned, saved):
    model = learned(saved("t.npy", np.column_stack([X, Y])))
    with_target, without = (predict(model, str(saved("new.npy", new))) for new in (np.column_stack([X, Y]), X))
    np.testing.assert_array_equal(with_target.predicted, without.predicted)
    assert with_target.score.accuracy > 0.9
    assert without.score is None


def test_an_id_in_front_is_not_taken_for_a_column_that_pushes_another_into_the_targets_place(learned, saved):
    model = learned(saved("t.npy", np.column_stack([X, Y])))
    with pytest.raises(ProblemError, match=r"'4' does not hold the classes 0\.0, 1\.0: the columns seem to be others"):
        predict(model, str(saved("new.npy", np.column_stack([np.arange(80), X]))))


def test_a_target_that_is_not_known_yet_is_no_other_column(learned, saved):
    model = learned(saved("t.npy", np.column_stack([X, Y])))
    predictions = predict(model, str(saved("new.npy", np.column_stack([X, np.full(80, np.nan)]))))
    assert len(predictions.predicted) == 80
    assert "No score" in predictions.notes[0]


def test_a_target_among_the_columns_keeps_its_place(learned, saved):
    model = learned(saved("t.npy", np.column_stack([X[:, :2], Y, X[:, 2:]])), target="2")
    assert predict(model, str(saved("t.npy", np.column_stack([X[:, :2], Y, X[:, 2:]])))).score.accuracy > 0.9
    with pytest.raises(ProblemError, match=r"4 columns without names; .* was trained on 5"):
        predict(model, str(saved("new.npy", X)))


def test_a_y_of_the_wrong_shape_keeps_no_row_from_its_class(learned, saved):
    predictions = predict(learned(saved("t.npz", X=X, y=Y)), str(saved("new.npz", X=X, y=Y[:5])))
    assert len(predictions.predicted) == 80
    assert predictions.notes == ["No score. new.npz: 'y' has shape (5,); X asks for (80,)."]


# CSV and Parquet -----------------------------------------------------------------------------------------------------


def test_rows_without_a_header_are_read_as_those_learned_from(learned):
    model = learned(brought("headerless_text_label.csv"), reading=Reading(header=False))
    assert predict(model, str(brought("headerless_text_label.csv"))).score.rows == 40


def test_names_that_are_numbers_are_read_as_those_learned_from(learned, tmp_path):
    pd.DataFrame(X).assign(y=Y).to_csv(tmp_path / "t.csv", index=False)
    model = learned(tmp_path / "t.csv", reading=Reading(header=True))
    assert predict(model, str(tmp_path / "t.csv")).score.rows == 80


@pytest.mark.parametrize(("keep", "columns"), [(None, ["x", "z"]), (True, ["Unnamed: 0", "x", "z"])])
def test_a_column_that_counts_rows_is_a_column_for_the_model_that_learned_from_it(learned, keep, columns):
    trained = trained_on(brought("nameless_row_number.csv"), row="numpy-blas", reading=Reading(keep_index=keep))
    assert list(trained.model.columns) == columns
    model = learned(brought("nameless_row_number.csv"), reading=Reading(keep_index=keep))
    for asked in (Reading(), Reading(keep_index=keep)):
        assert predict(model, str(brought("nameless_row_number_new.csv")), asked).score.rows == 10


def test_a_model_of_a_pandas_index_finds_it_again_as_an_index_or_a_column(learned, tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow")
    model = learned(brought("feature_is_the_index.parquet"))
    pd.read_parquet(brought("feature_is_the_index.parquet")).reset_index().to_csv(tmp_path / "new.csv", index=False)
    index = predict(model, str(brought("feature_is_the_index.parquet")))
    column = predict(model, str(tmp_path / "new.csv"))
    np.testing.assert_array_equal(index.predicted, column.predicted)
    assert column.score.accuracy == index.score.accuracy


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("labels_with_commas.csv", {'No "way"', "Yes, surely"}),
        ("class_called_none.csv", {"Apnea", "None"}),
        ("labels_with_leading_zeros.csv", {"0071", "0123"}),
    ],
)
def test_predictions_are_read_back_as_the_labels_are_written(learned, name, classes):
    predictions = predict(learned(brought(name)), str(brought(name)))
    again = pd.read_csv(io.StringIO(predictions.to_csv()), dtype={"prediction": str}, keep_default_na=False)
    written = pd.read_csv(brought(name), dtype=str, keep_default_na=False).iloc[:, -1]
    assert set(again.prediction) == classes
    assert (again.prediction == written).mean() == predictions.score.accuracy


# Labels as text and as numbers ---------------------------------------------------------------------------------------


def test_text_and_numbers_score_against_one_another_with_a_note(learned, tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow")
    pd.DataFrame(X, columns=list("abcd")).assign(y=Y).to_csv(tmp_path / "t.csv", index=False)
    pd.DataFrame(X, columns=list("abcd")).assign(y=Y).to_parquet(tmp_path / "new.parquet")
    predictions = predict(learned(tmp_path / "t.csv"), str(tmp_path / "new.parquet"))
    assert predictions.score.accuracy > 0.9
    assert predictions.notes == ["The classes are numbers in the table and text in the model: 0 was taken for '0'."]


def test_values_too_large_for_a_model_are_a_sentence(learned, saved):
    model = learned(saved("t.npz", X=X, y=Y))
    large = np.where(np.arange(80)[:, None] == 6, 1.7e308, X)
    with pytest.raises(ProblemError, match="values of row 7 are too large for the model"), np.errstate(all="raise"):
        predict(model, str(saved("new.npz", X=large)))
