"""What `stepbench train` does: a table in, a model and an honest score out.

What is held out is scored, and seen by neither the scaling nor the parameters. The rows to learn from are trained on
whole, or pass through memory a block at a time where the file stays on disk.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from stepbench.cases.data_table import blocks
from stepbench.cases.label_text import Labels, few
from stepbench.cases.standardizing import Scaling, scaling_of, standardize
from stepbench.training.model_file import Model
from stepbench.training.model_parts import NO_INDICES
from stepbench.training.scores import Score, score_of
from stepbench.training.settings import Training, require_sensible
from stepbench.training.split import Split, split
from stepkernels.classifier.estimator import LogisticRegression
from stepkernels.classifier.hyperparameters import OF_ALL_ROWS
from stepkernels.classifier.solution import Report
from stepkernels.problem import Array, ProblemError
from stepreports.telling.text import counted

STEPS, EPOCHS, EPOCHS_ON_DISK = 1000, 100, 10  # at most, unless told otherwise

Learned = tuple[LogisticRegression, Array, list[str]]  # the classifier, its costs, and what there is to say about them


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
    data = split(source, wanted)
    X, labels = data.X[data.known], data.labels[data.known] == data.classes[1]  # the classes may be any two values
    scaling, note = chosen_scaling(X, data.columns, wanted.standardize)
    learn = train_in_blocks if data.on_disk else train_whole
    classifier, costs, notes = learn(X, labels, scaling, wanted, report)
    model = model_of(classifier, scaling, data)
    margins = model.margins(data.X[data.unseen], np.arange(len(data.X))[data.unseen])
    return Trained(
        model=model,
        costs=costs,
        iteration="epoch" if data.on_disk or wanted.batch_size else "iteration",
        rows=len(X),
        score=score_of(model, margins, data.labels[data.unseen] == model.classes[1]),
        notes=[*data.notes, note, *notes],
    )


def chosen_scaling(X: Array, columns: Sequence[str], wanted: bool) -> tuple[Scaling, str]:
    """The scaling of the columns, in words too; one that changes nothing unless wanted."""
    if not wanted:
        none = Scaling(mean=np.zeros(len(columns)), scale=np.ones(len(columns)), constant=np.zeros(len(columns), bool))
        return none, "The columns were left as they are, not standardized."
    scaling = scaling_of(X, columns)
    note = f"Standardized {counted(len(columns), 'column')} to zero mean and unit variance."
    if constant := [column for column, same in zip(columns, scaling.constant, strict=True) if same]:
        note += f" Constant, and so of no use: {few(constant)}."
    return scaling, note


def train_whole(X: Array, labels: Labels, scaling: Scaling, wanted: Training, report: Report) -> Learned:
    """Train on all the rows at once, or in batches of them."""
    steps = wanted.steps or (EPOCHS if wanted.batch_size else STEPS)
    classifier = classifier_for(X, wanted, max_iter=steps, batch_size=wanted.batch_size, verbose=report)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        classifier.fit(standardize(X, scaling.mean, scaling.scale), labels)
    return classifier, classifier.costs_, [str(warning.message) for warning in caught]


def train_in_blocks(X: Array, labels: Labels, scaling: Scaling, wanted: Training, report: Report) -> Learned:
    """As `train_whole`, a block of rows in memory at a time, in a new order each epoch; a cost for each epoch."""
    if wanted.optimizer in OF_ALL_ROWS:
        raise ProblemError(
            "These data stay on disk, and only gd and adam need no more than a part; use --optimizer adam."
        )
    classifier = classifier_for(X, wanted)
    random = np.random.default_rng(wanted.seed)
    parts, classes = list(blocks(X, wanted.batch_size)), np.unique(labels)
    costs = []
    for epoch in range(1, (wanted.steps or EPOCHS_ON_DISK) + 1):
        for index in random.permutation(len(parts)):
            part = parts[index]
            classifier.partial_fit(standardize(X[part], scaling.mean, scaling.scale), labels[part], classes=classes)
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
        dtype=wanted.dtype or ("float32" if wanted.storage or X.dtype == np.float32 else "float64"),
        storage=wanted.storage,
        random_state=wanted.seed,
        **settings,
    )


def model_of(classifier: LogisticRegression, scaling: Scaling, data: Split) -> Model:
    """What a prediction needs of all this, and where it came from."""
    return Model(
        w=classifier.coef_[0],
        b=classifier.intercept_.reshape(()),
        mean=scaling.mean,
        scale=scaling.scale,
        classes=data.classes,
        columns=np.array(data.columns),
        target=np.array(data.target),
        trained_on=np.array(data.table),
        row=np.array(classifier.row_),
        optimizer=np.array(classifier.optimizer_),
        named=np.array(int(data.named)),
        counted_from=np.array(NO_INDICES if data.counted_from is None else data.counted_from),
    )
