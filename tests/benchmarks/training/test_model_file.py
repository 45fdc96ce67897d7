"""A model's file: it predicts as the model did, holds no code, and what is no model is a sentence."""

import numpy as np
import pytest

from stepbench.training.model_file import VERSION, load_model
from stepbench.training.predicting import predict
from stepkernels import LogisticRegression
from stepkernels.problem import ProblemError
from trainings import CANCER, mapped_file, trained_on


def test_a_model_predicts_as_it_did_before_it_was_saved(trained, model):
    again = load_model(model)
    X = np.random.default_rng(0).standard_normal((50, 30)) * trained.model.scale + trained.model.mean
    np.testing.assert_array_equal(again.margins(X), trained.model.margins(X))
    assert list(again.classes) == ["benign", "malignant"]


def test_a_model_holds_no_pickled_object(model):
    with np.load(model, allow_pickle=False) as archive:
        assert {archive[name].dtype.kind for name in archive.files} <= {"U", "f", "i"}


def test_a_models_margins_are_the_classifiers(tmp_path):
    path = str(mapped_file(tmp_path / "data.npy", rows=2000))
    model = trained_on(path, standardize=False, l2=0.1, steps=50, optimizer="gd", tol=0.0).model
    X = np.load(path)[:, :6]
    classifier = LogisticRegression()
    classifier.coef_, classifier.intercept_, classifier.n_features_in_ = model.w[None], model.b[None], 6
    classifier.classes_ = model.classes
    np.testing.assert_allclose(model.margins(X), classifier.decision_function(X))


def other_version(path):
    with np.load(path) as archive:
        np.savez(path, **{**{name: archive[name] for name in archive.files}, "version": VERSION + 1})


def single_array(path):
    with path.open("wb") as stream:
        np.save(stream, np.ones(3))


BAD_MODELS = {
    "missing": (lambda path: path.unlink(), "There is no model"),
    "empty": (lambda path: path.write_bytes(b""), "not a model that Stepbench wrote, or it is cut off"),
    "cut": (lambda path: path.write_bytes(path.read_bytes()[:1000]), "not a model that Stepbench wrote, or it is cut"),
    "text": (lambda path: path.write_text("w,b\n"), "not a model that Stepbench wrote"),
    "npy": (single_array, "not a model that Stepbench wrote"),
    "another npz": (lambda path: np.savez(path, X=np.ones(3)), "is not a model that Stepbench wrote"),
    "version": (other_version, f"is a model of version {VERSION + 1}; this Stepbench reads version {VERSION}"),
    "parts": (lambda path: np.savez(path, format="stepbench-logistic-regression", version=1), "lacks parts"),
}


@pytest.mark.parametrize(("spoil", "sentence"), BAD_MODELS.values(), ids=list(BAD_MODELS))
def test_a_file_that_is_no_model_is_a_sentence(model, spoil, sentence):
    spoil(model)
    with pytest.raises(ProblemError, match=sentence):
        predict(model, CANCER)
