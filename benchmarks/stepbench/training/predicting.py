"""What `stepbench predict` does: a model and a table in, the class of each row out, scored where that is known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stepbench.cases.data_table import Labels, Table, few, require_finite
from stepbench.cases.datasets import open_table
from stepbench.training.model_file import Model, load_model
from stepbench.training.scores import Score, score_of
from stepkernels.problem import Array, ProblemError


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
    table = open_table(source, width=len(model.columns))
    z = model.margins(features_of(table, model, model_path))
    predicted, probabilities = model.predict(z)
    score, note = score_of_known(model, z, table) if str(model.target) in table.columns else (None, None)
    return Predictions(model=model, predicted=predicted, probabilities=probabilities, score=score, note=note)


def features_of(table: Table, model: Model, model_path: Path) -> Array:
    """The columns (m, n) of a table that a model was trained on."""
    columns = [str(column) for column in model.columns]
    if absent := [column for column in columns if column not in table.columns]:
        raise ProblemError(
            f"{table.name} has no column {few(absent)}, which {model_path.name} was trained on. "
            f"Columns: {few(table.columns)}."
        )
    X = table.features(columns)
    require_finite(X, columns, table.name)
    return X


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
