"""What `stepbench train` and `stepbench predict` do: a table in, a model and an honest score out.

Part of the rows is held out: neither the scaling nor the parameters see it. A table in memory is split at random, by
class, and trained on whole. An .npy file larger than half the free memory stays on disk, mapped: its last rows are held
out and the others pass through memory a block at a time, so its rows should be in no particular order.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import train_test_split

from stepbench.cases.data_table import Labels, Table, blocks, choose_target, few, require_finite, two_classes
from stepbench.cases.datasets import open_table
from stepbench.cases.standardizing import scaling_of, standardize
from stepbench.training.model_file import Model, load_model
from stepkernels.classifier.batches import is_memory_mapped
from stepkernels.classifier.choice import AUTO
from stepkernels.classifier.estimator import LBFGS, LogisticRegression
from stepkernels.classifier.solution import Report
from stepkernels.problem import Array, ProblemError
from stepreports.telling.text import counted

STEPS, EPOCHS, EPOCHS_ON_DISK = 1000, 100, 10  # at most, unless told otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What the user asked for. `steps` are epochs where rows come in batches; None means the default."""

    target: str | None = None
    row: str = AUTO
    optimizer: str = LBFGS
    steps: int | None = None
    learning_rate: float | None = None
    l2: float = 1e-3
    tol: float = 1e-4
    batch_size: int | None = None
    dtype: str | None = None
    held_out: float = 0.25
    standardize: bool = True
    on_disk: bool | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well the classes of rows with known labels are told apart.

    majority  the accuracy of always guessing the commoner class
    auc       the area under the ROC curve, which the false and true positive rates of the second class draw
    """

    rows: int
    accuracy: float
    majority: float
    auc: float
    false_positive_rates: Array
    true_positive_rates: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A model, how it was reached, and what it is worth on rows it has not seen.

    costs  one for each iteration, which is an epoch where rows come in batches
    """

    model: Model
    costs: Array
    iteration: str
    rows: int
    score: Score
    notes: Sequence[str]


def train(source: str, wanted: Training, report: Report) -> Trained:
    """Learn a table's target. Raises `ProblemError` for data or settings it cannot work with."""
    require_sensible(wanted)
    table = open_table(source)
    columns, target = choose_target(table, wanted.target)
    X, labels = table.features(columns), table.labels(target)
    classes = two_classes(labels, table.name, target)
    require_finite(X, columns, table.name)
    on_disk = stays_on_disk(X, wanted.on_disk)
    known, unseen = (last_rows if on_disk else random_rows)(labels, wanted)
    features = X[known]
    mean, scale, note = scaling(features, columns, wanted.standardize)
    learn = train_in_blocks if on_disk else train_whole
    classifier, costs, notes = learn(features, labels[known], mean, scale, wanted, report)
    model = Model(
        w=classifier.coef_[0],
        b=classifier.intercept_.reshape(()),
        mean=mean,
        scale=scale,
        classes=classes,
        columns=np.array(columns),
        target=np.array(target),
        trained_on=np.array(table.name),
        row=np.array(classifier.row_),
        optimizer=np.array(wanted.optimizer),
    )
    return Trained(
        model=model,
        costs=costs,
        iteration="epoch" if on_disk or wanted.batch_size else "iteration",
        rows=len(features),
        score=score_of(model, model.margins(X[unseen]), labels[unseen]),
        notes=[note, *notes],
    )


def require_sensible(wanted: Training) -> None:
    """Raise `ProblemError` for what the classifier does not check itself."""
    if not 0.0 < wanted.held_out < 1.0:
        raise ProblemError(f"The share held out is {wanted.held_out}; it must lie between 0 and 1.")
    for name, value in (("steps", wanted.steps), ("batch_size", wanted.batch_size)):
        if value is not None and value < 1:
            raise ProblemError(f"{name} is {value}; it must be at least 1.")
    if not 0 <= wanted.seed < 2**32:
        raise ProblemError(f"seed is {wanted.seed}; it must be at least 0 and below 2³².")
    if wanted.learning_rate is not None and wanted.optimizer == LBFGS:
        raise ProblemError("lbfgs finds its own steps and takes no learning rate; use --optimizer gd or adam with one.")


def stays_on_disk(X: Array, asked: bool | None) -> bool:
    """Whether rows are read a block at a time: as asked, else where X is mapped and more than half the free memory."""
    if asked and not is_memory_mapped(X):
        raise ProblemError("Only an .npy file can be left on disk; convert the data with numpy.save.")
    return bool(is_memory_mapped(X) and X.nbytes > psutil.virtual_memory().available / 2) if asked is None else asked


def random_rows(labels: Labels, wanted: Training) -> tuple[Any, Any]:
    """The rows to learn from and those held out, drawn from each class alike."""
    classes, counts = np.unique(labels, return_counts=True)
    if counts.min() < 2:
        rare = classes[counts.argmin()]
        raise ProblemError(f"Only one row is of the class {rare}: it cannot be learned from and held out as well.")
    try:
        known, unseen = train_test_split(
            np.arange(len(labels)), test_size=wanted.held_out, stratify=labels, random_state=wanted.seed
        )
    except ValueError:
        raise ProblemError(
            f"{wanted.held_out:.3g} of {len(labels)} rows cannot be held out with both classes on both sides. "
            "Choose another share with --held-out."
        ) from None
    return known, unseen


def last_rows(labels: Labels, wanted: Training) -> tuple[Any, Any]:
    """The rows to learn from and those held out, which are the last: views of a memory map."""
    border = round(len(labels) * (1 - wanted.held_out))
    for part in (labels[:border], labels[border:]):
        if len(np.unique(part)) < 2:
            raise ProblemError(
                "The last rows are held out, and on one side of that border is one class only. Shuffle the file's rows."
            )
    return slice(None, border), slice(border, None)


def scaling(X: Array, columns: Sequence[str], wanted: bool) -> tuple[Array, Array, str]:
    """The mean and the scale of each column, in words too; 0 and 1 unless wanted."""
    if not wanted:
        return np.zeros(len(columns)), np.ones(len(columns)), "The columns were left as they are, not standardized."
    found = scaling_of(X, columns)
    note = f"Standardized {counted(len(columns), 'column')} to zero mean and unit variance."
    if constant := [column for column, same in zip(columns, found.constant, strict=True) if same]:
        note += f" Constant, and so of no use: {few(constant)}."
    return found.mean, found.scale, note


def train_whole(
    X: Array, labels: Labels, mean: Array, scale: Array, wanted: Training, report: Report
) -> tuple[LogisticRegression, Array, list[str]]:
    """The classifier, its costs, and what there is to say about them."""
    steps = wanted.steps or (EPOCHS if wanted.batch_size else STEPS)
    classifier = classifier_for(X, wanted, max_iter=steps, batch_size=wanted.batch_size, verbose=report)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        classifier.fit(standardize(X, mean, scale), labels)
    return classifier, classifier.costs_, [str(warning.message) for warning in caught]


def train_in_blocks(
    X: Array, labels: Labels, mean: Array, scale: Array, wanted: Training, report: Report
) -> tuple[LogisticRegression, Array, list[str]]:
    """As `train_whole`, a block of rows in memory at a time, in a new order each epoch; a cost for each epoch."""
    if wanted.optimizer == LBFGS:
        raise ProblemError("These data stay on disk, and lbfgs needs all of them at once; use --optimizer adam.")
    classifier = classifier_for(X, wanted)
    random = np.random.default_rng(wanted.seed)
    parts, classes = list(blocks(X, wanted.batch_size)), np.unique(labels)
    costs = []
    for epoch in range(1, (wanted.steps or EPOCHS_ON_DISK) + 1):
        for index in random.permutation(len(parts)):
            part = parts[index]
            classifier.partial_fit(standardize(X[part], mean, scale), labels[part], classes=classes)
            report(epoch, classifier.costs_[-1])
        costs.append(classifier.costs_[-len(parts) :].mean())
    return classifier, np.array(costs), [f"The file stayed on disk: {counted(len(parts), 'block')} of rows an epoch."]


def classifier_for(X: Array, wanted: Training, **settings: Any) -> LogisticRegression:
    return LogisticRegression(
        row=wanted.row,
        optimizer=wanted.optimizer,
        learning_rate=wanted.learning_rate,
        l2=wanted.l2,
        tol=wanted.tol,
        dtype=wanted.dtype or ("float32" if X.dtype == np.float32 else "float64"),
        random_state=wanted.seed,
        **settings,
    )


def score_of(model: Model, z: Array, labels: Labels) -> Score:
    """Judge the margins z by the labels, of which both classes must be among."""
    positive = labels == model.classes[1]
    false_positives, true_positives, _ = roc_curve(positive, z)
    return Score(
        rows=len(labels),
        accuracy=float(((z > 0) == positive).mean()),
        majority=float(max(positive.mean(), 1 - positive.mean())),
        auc=float(roc_auc_score(positive, z)),
        false_positive_rates=false_positives,
        true_positive_rates=true_positives,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """The likelier class of each row and the probability of the second class; a score where the labels are known.

    note  why there is no score though there are labels, or what to think of it; or None
    """

    model: Model
    predicted: Labels
    probabilities: Array
    score: Score | None
    note: str | None

    def to_csv(self) -> str:
        """A line a row, under a header."""
        header = f"prediction,probability of {self.model.classes[1]}"
        pairs = zip(self.predicted, self.probabilities, strict=True)
        return "\n".join([header, *(f"{label},{probability:.6g}" for label, probability in pairs), ""])


def predict(model_path: Path, source: str) -> Predictions:
    """Apply a model to a table with the columns it was trained on. Raises `ProblemError` where one is missing."""
    model = load_model(model_path)
    columns = [str(column) for column in model.columns]
    table = open_table(source, width=len(columns))
    if absent := [column for column in columns if column not in table.columns]:
        raise ProblemError(
            f"{table.name} has no column {few(absent)}, which {model_path.name} was trained on. "
            f"Columns: {few(table.columns)}."
        )
    X = table.features(columns)
    require_finite(X, columns, table.name)
    z = model.margins(X)
    predicted, probabilities = model.predict(z)
    score, note = score_of_known(model, z, table) if str(model.target) in table.columns else (None, None)
    return Predictions(model=model, predicted=predicted, probabilities=probabilities, score=score, note=note)


def score_of_known(model: Model, z: Array, table: Table) -> tuple[Score | None, str | None]:
    """The score against the labels that stand in the table, and what there is to say of it."""
    try:
        labels = table.labels(str(model.target))
    except ProblemError as error:
        return None, f"No score. {error}"
    if not np.array_equal(np.unique(labels), model.classes):
        first, second = model.classes
        return None, f"No score: the column {str(model.target)!r} does not hold {first} and {second}, and these alone."
    seen = str(model.trained_on) == table.name
    note = f"The model was trained on {table.name}: of rows it has seen, a score says little." if seen else None
    return score_of(model, z, labels), note
