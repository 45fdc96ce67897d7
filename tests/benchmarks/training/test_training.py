"""`train` and `predict`: what is learned, written, refused, and left alone."""

import errno
import re
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from runs import ROOT, environment, stepbench
from stepbench.training.curves import cost_figure, roc_figure
from stepbench.training.fitting import train
from stepbench.training.model_file import VERSION, load_model
from stepbench.training.outputs import files_of, prediction_lines, require_absent, training_lines, write_files
from stepbench.training.predicting import predict
from stepbench.training.settings import Training
from stepkernels import LogisticRegression
from stepkernels.problem import ProblemError

CANCER = "breast-cancer"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def silent(_iteration, _cost):
    pass


@pytest.fixture(scope="module")
def trained():
    return train(CANCER, Training(), silent)


@pytest.fixture
def model(trained, tmp_path):
    return write_files(trained, tmp_path / "model.npz")[0]


def mapped_file(path, rows=20_000, columns=6):
    """Columns on scales of their own, the first and the last informative, and the label behind them."""
    random = np.random.default_rng(0)
    X = random.standard_normal((rows, columns)) * np.logspace(0, 3, columns) + 50.0
    y = (X[:, 0] - 50.0) + (X[:, -1] - 50.0) / 1e3 + 0.5 * random.standard_normal(rows) > 0
    np.save(path, np.column_stack([X, y]))
    return path


# Training ------------------------------------------------------------------------------------------------------------


def test_the_held_out_score_is_of_rows_not_learned_from(trained):
    assert (trained.rows, trained.score.rows) == (426, 143)
    assert trained.score.accuracy > 0.95
    assert trained.score.auc > 0.99
    assert 0.6 < trained.score.majority < 0.65


@pytest.mark.parametrize("standardize", [True, False])
def test_the_scaling_is_of_the_rows_learned_from_and_reported(standardize):
    trained = train(CANCER, Training(standardize=standardize, steps=5, optimizer="gd", tol=0.0), silent)
    scaled = not (trained.model.mean == 0.0).all()
    assert scaled == standardize
    assert any("tandardized" in note for note in trained.notes)


@pytest.mark.parametrize(
    ("settings", "iterations"),
    [
        ({"optimizer": "gd"}, 30),
        ({"optimizer": "adam", "learning_rate": 0.05}, 30),
        ({"optimizer": "adam", "batch_size": 32}, 30),
    ],
)
def test_every_optimizer_trains_as_many_steps_as_asked(settings, iterations):
    trained = train(CANCER, Training(steps=iterations, tol=0.0, **settings), silent)
    assert len(trained.costs) == iterations
    assert trained.costs[-1] < trained.costs[0]
    assert trained.score.accuracy > 0.9


def test_stopping_short_is_told():
    trained = train(CANCER, Training(steps=3), silent)
    assert any("Not converged: after 3 iterations" in note for note in trained.notes)


def test_a_file_left_on_disk_trains_to_the_same_accuracy(tmp_path):
    path = str(mapped_file(tmp_path / "data.npy"))
    whole = train(path, Training(on_disk=False), silent)
    settings = Training(on_disk=True, optimizer="adam", batch_size=500, learning_rate=0.01)
    on_disk = train(path, settings, silent)
    assert len(on_disk.costs) == 10
    assert on_disk.score.accuracy == pytest.approx(whole.score.accuracy, abs=0.01)
    assert any("stayed on disk" in note for note in on_disk.notes)


def test_adam_reaches_the_accuracy_of_the_autograd_row():
    """The mark's 2,000 steps; its time is measured by stepbench.evidence.training_marks."""
    settings = {"optimizer": "adam", "steps": 2000, "learning_rate": 0.01, "tol": 0.0}
    fused = train(CANCER, Training(row="auto", **settings), silent)
    autograd = train(CANCER, Training(row="torch-autograd-cpu", **settings), silent)
    assert fused.score.accuracy == autograd.score.accuracy


TRAIN_FROM_DISK = """
import resource, sys, threading
from stepbench.training.fitting import train
from stepbench.training.settings import Training

def status(name):
    line = next(line for line in open("/proc/self/status") if line.startswith(name))
    return int(line.split()[1]) * 1024

small, big, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
wanted = Training(on_disk=True, optimizer="adam", learning_rate=0.01, steps=2)
train(small, wanted, lambda *_: None)  # loads and compiles
held = peak = status("RssAnon")
resource.setrlimit(resource.RLIMIT_DATA, (status("VmData") + limit,) * 2)
done = threading.Event()

def watch():
    global peak
    while not done.wait(0.005):
        peak = max(peak, status("RssAnon"))

threading.stack_size(1 << 20)
watcher = threading.Thread(target=watch, daemon=True)
watcher.start()
trained = train(big, wanted, lambda *_: None)
done.set()
watcher.join()
print(peak - held, trained.score.accuracy)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="anonymous memory is read from /proc")
def test_a_file_four_times_the_limit_trains_within_it(tmp_path):
    """The limit is on anonymous memory, and imposed: what exceeded it would be refused."""
    small = mapped_file(tmp_path / "small.npy", columns=32)
    limit, parts = 128 * 2**20, np.load(small)
    rows = 4 * limit // parts[0].nbytes + 1
    data = np.lib.format.open_memmap(tmp_path / "big.npy", mode="w+", dtype=np.float64, shape=(rows, parts.shape[1]))
    for start in range(0, rows, len(parts)):
        data[start : start + len(parts)] = parts[: rows - start]
    data.flush()
    finished = subprocess.run(
        [sys.executable, "-c", TRAIN_FROM_DISK, str(small), str(tmp_path / "big.npy"), str(limit)],
        capture_output=True, text=True, env=environment(), check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    grown, accuracy = map(float, finished.stdout.split())
    assert grown <= limit
    assert accuracy > 0.8


# Files ---------------------------------------------------------------------------------------------------------------


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
    model = train(path, Training(standardize=False, l2=0.1, steps=50, optimizer="gd", tol=0.0), silent).model
    X = np.load(path)[:, :6]
    classifier = LogisticRegression()
    classifier.coef_, classifier.intercept_, classifier.n_features_in_ = model.w[None], model.b[None], 6
    classifier.classes_ = model.classes
    np.testing.assert_allclose(model.margins(X), classifier.decision_function(X))


def test_figures_show_the_cost_and_the_roc_curve(trained):
    (cost,), (roc,) = cost_figure(trained).axes, roc_figure(trained).axes
    np.testing.assert_array_equal(cost.lines[0].get_ydata(), trained.costs)
    np.testing.assert_array_equal(roc.lines[1].get_ydata(), trained.score.true_positive_rates)
    assert f"{trained.score.auc:.4f}" in " ".join(text.get_text() for text in roc.texts)


def test_interrupted_writing_leaves_the_old_model(trained, model, monkeypatch):
    before = model.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(ProblemError, match="Writing failed: No space left on device"):
        write_files(trained, model)
    assert model.read_bytes() == before
    assert sorted(path.name for path in model.parent.iterdir()) == sorted(
        path.name for path in files_of(model).values()
    )


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


# Prediction ----------------------------------------------------------------------------------------------------------


def test_predictions_come_with_a_score_where_the_labels_are_known(model):
    predictions = predict(model, CANCER)
    assert predictions.score.accuracy > 0.95
    lines = predictions.to_csv().splitlines()
    assert lines[0] == "prediction,probability of malignant"
    assert len(lines) == 570


def test_columns_are_found_by_name(tmp_path):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.standard_normal((60, 3)), columns=["a", "b", "c"])
    frame["kind"] = np.where(frame.a > frame.b, "up", "down")
    frame.to_csv(tmp_path / "learn.csv", index=False)
    frame[["c", "b", "a"]].to_csv(tmp_path / "new.csv", index=False)
    frame[["a", "b"]].to_csv(tmp_path / "short.csv", index=False)
    trained = train(str(tmp_path / "learn.csv"), Training(), silent)
    path = write_files(trained, tmp_path / "model.npz")[0]
    known, new = predict(path, str(tmp_path / "learn.csv")), predict(path, str(tmp_path / "new.csv"))
    np.testing.assert_array_equal(known.predicted, new.predicted)
    assert known.score is not None
    assert new.score is None
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
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.standard_normal((60, 2)), columns=["a", "b"])
    frame["kind"] = np.where(frame.a > frame.b, "up", "down")
    frame.to_csv(tmp_path / "learn.csv", index=False)
    path = write_files(train(str(tmp_path / "learn.csv"), Training(), silent), tmp_path / "model.npz")[0]
    frame.assign(kind=change(list(frame.kind))).to_csv(tmp_path / "learn.csv", index=False)
    predictions = predict(path, str(tmp_path / "learn.csv"))
    assert len(predictions.predicted) == 60
    assert (predictions.score is None) == note.startswith("No score")
    assert prediction_lines(predictions)[-1].startswith(note)


# Bad input -----------------------------------------------------------------------------------------------------------

BAD_TRAININGS = {
    "share": ({"held_out": 1.5}, "share held out is 1.5"),
    "too few": ({"held_out": 0.001}, "0.001 of 569 rows cannot be held out"),
    "steps": ({"steps": 0}, "steps is 0; it must be at least 1"),
    "batch": ({"batch_size": 0, "optimizer": "adam"}, "batch_size is 0; it must be at least 1"),
    "seed": ({"seed": -1}, "seed is -1; it must be at least 0"),
    "rate": ({"learning_rate": 0.1}, "lbfgs finds its own steps"),
    "on disk": ({"on_disk": True}, "Only an .npy file can be left on disk"),
    "row": ({"row": "numpy"}, "no row called 'numpy'"),
    "optimizer": ({"optimizer": "sgd"}, "optimizer is 'sgd'"),
    "target": ({"target": "species"}, "has no column 'species'"),
    "numeric target": ({"target": "mean radius"}, "target 'mean radius' has 456 classes"),
}


@pytest.mark.parametrize(("settings", "sentence"), BAD_TRAININGS.values(), ids=list(BAD_TRAININGS))
def test_a_bad_setting_is_a_sentence(settings, sentence):
    with pytest.raises(ProblemError, match=sentence), warnings.catch_warnings():
        train(CANCER, Training(**settings), silent)


def learn_csv(tmp_path, **columns):
    pd.DataFrame(columns).to_csv(tmp_path / "data.csv", index=False)
    return train(str(tmp_path / "data.csv"), Training(), silent)


def test_a_class_of_one_row_is_a_sentence(tmp_path):
    with pytest.raises(ProblemError, match="Only one row is of the class b: it cannot be learned from and held out"):
        learn_csv(tmp_path, x=np.arange(20.0), kind=["a"] * 19 + ["b"])


def test_a_column_too_large_to_standardize_is_named(tmp_path):
    with pytest.raises(ProblemError, match="variance of the column 'x' overflows"):
        learn_csv(tmp_path, x=[1e300, -1e300] * 10, kind=["a", "b"] * 10)


def test_columns_of_no_use_leave_the_start(tmp_path):
    """Nothing to learn is no error: both classes are guessed alike, and there is no cost to draw."""
    trained = learn_csv(tmp_path, x=[1.0] * 40, kind=["a", "b"] * 20)
    assert len(trained.costs) == 0
    assert any("Constant, and so of no use: x" in note for note in trained.notes)
    assert any("0 iterations; the start, all zeros, is an optimum" in line for line in training_lines(trained))
    write_files(trained, tmp_path / "model.npz")


def test_a_column_that_is_not_finite_is_named(tmp_path):
    data = np.load(mapped_file(tmp_path / "data.npy"))
    data[7, 2] = np.inf
    np.save(tmp_path / "data.npy", data)
    with pytest.raises(ProblemError, match="column '2' holds inf in row 8"):
        train(str(tmp_path / "data.npy"), Training(), silent)


def test_sorted_rows_on_disk_are_refused(tmp_path):
    data = np.load(mapped_file(tmp_path / "data.npy"))
    np.save(tmp_path / "data.npy", data[np.argsort(data[:, -1])])
    with pytest.raises(ProblemError, match="Shuffle the file's rows"):
        train(str(tmp_path / "data.npy"), Training(on_disk=True, optimizer="adam"), silent)


def test_lbfgs_cannot_learn_from_disk(tmp_path):
    with pytest.raises(ProblemError, match="use --optimizer adam"):
        train(str(mapped_file(tmp_path / "data.npy")), Training(on_disk=True), silent)


# The commands --------------------------------------------------------------------------------------------------------


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


def test_a_place_that_is_none_for_a_file_is_refused_before_training(tmp_path):
    for path, sentence in ((tmp_path, "is a folder; name a file"), (tmp_path / "a" / "b.npz", "cannot be written")):
        for force in (False, True):
            with pytest.raises(ProblemError, match=sentence):
                require_absent([path], force=force)


@pytest.mark.slow
def test_the_readmes_commands_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^stepbench ((?:train|predict) .*)$", README, re.MULTILINE)
    assert len(commands) == 2
    for command in commands:
        finished = stepbench(*command.split())
        assert finished.returncode == 0, finished.stderr
    assert len((tmp_path / "predictions.csv").read_text().splitlines()) == 570


def test_the_readmes_classifier_works(capsys):
    (code,) = re.findall(r"```python\n([^`]*stepkernels import LogisticRegression.*?)```", README, re.DOTALL)
    exec(code, {})
    assert float(capsys.readouterr().out) > 0.98


@pytest.mark.slow
def test_a_refused_training_writes_nothing(tmp_path):
    finished = stepbench("train", CANCER, "--target", "species", "--out", tmp_path / "m.npz")
    assert finished.returncode == 2
    assert "has no column 'species'" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not list(tmp_path.iterdir())
