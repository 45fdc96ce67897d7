"""What `stepbench predict` does: a model and a table in, the class of each row out, scored where that is known."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stepbench.cases.csv_files import NUMBER
from stepbench.cases.data_table import Table, require_finite
from stepbench.cases.datasets import open_table
from stepbench.cases.label_text import Labels, few
from stepbench.cases.reading import AS_IT_LOOKS, Reading
from stepbench.training.known_labels import as_classes, spelt
from stepbench.training.model_file import EVEN, Model, load_model
from stepbench.training.scores import Score, score_of
from stepkernels.problem import Array, ProblemError
from stepreports.telling.text import counted

FORMULAS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # what a spreadsheet takes for the start of one


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """The likelier class of each row and the probability of the second class; a score where the labels are known.

    notes  what is to be said: of how the table was read, and why there is no score, or what to think of it
    """

    model: Model
    predicted: Labels
    probabilities: Array
    score: Score | None
    notes: Sequence[str]

    def to_csv(self) -> str:
        """A line a row, under a header, by the rules of CSV; a class that a spreadsheet would run begins with '."""
        first, second = (safe_in_a_spreadsheet(str(label)) for label in self.model.classes)
        stream = io.StringIO(newline="")
        # A lone carriage return ends a line, too, and the writer does not quote it by itself.
        every = "\r" in first + second
        lines = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL)
        lines.writerow(["prediction", f"probability of {self.model.classes[1]}"])
        are_second = self.predicted == self.model.classes[1]
        for is_second, probability in zip(are_second, self.probabilities, strict=True):
            lines.writerow([second if is_second else first, f"{probability:.6g}"])
        return stream.getvalue()


def safe_in_a_spreadsheet(text: str) -> str:
    """Text, with a ' before it where it begins as a formula does and is no number."""
    return f"'{text}" if text.lstrip()[:1] in FORMULAS and not NUMBER.fullmatch(text) else text


def notes_on_safety(classes: Labels) -> list[str]:
    changed = [text for text in map(str, classes) if safe_in_a_spreadsheet(text) != text]
    return [f"A spreadsheet would run {few(changed)} as a formula: a ' stands before it in the CSV."] if changed else []


def predict(model_path: Path, source: str, asked: Reading = AS_IT_LOOKS, threshold: float = EVEN) -> Predictions:
    """Apply a model to a table with the columns it was trained on. Raises `ProblemError` where one is missing.

    A row is taken for the second class where its probability is above the threshold.
    """
    require_threshold(threshold)
    model = load_model(model_path)
    table = open_table(source, min(model.widths(), default=len(model.columns)), model.reading(asked))
    require_width(table, model, model_path)
    z = model.margins(features_of(table, model, model_path))
    predicted, probabilities = model.predict(z, threshold)
    score, note = score_of_known(model, z, table, threshold) if has_target(table, model) else (None, None)
    notes = [*table.notes, *notes_on_safety(model.classes), *([note] if note else [])]
    return Predictions(model=model, predicted=predicted, probabilities=probabilities, score=score, notes=notes)


def require_threshold(threshold: float) -> None:
    """Raise `ProblemError` for what is no probability to draw the line at."""
    if not 0.0 < threshold < 1.0:  # nor NaN
        raise ProblemError(f"The threshold is {threshold:g}; it must lie between 0 and 1.")


def require_width(table: Table, model: Model, model_path: Path) -> None:
    """Raise `ProblemError` for columns without names of which one too many, or too few, would shift the others."""
    allowed, width = model.widths(), len(set(table.columns) - set(table.beside))
    if not table.numbered or not allowed or width in allowed:
        return
    several = f"{allowed[0]}, or {allowed[-1]} with the target behind them" if len(allowed) > 1 else str(allowed[0])
    indices = ""
    if table.counted_from is not None:
        indices = (
            f" Its indices were counted from {table.counted_from}; --zero-based "
            f"{'no' if table.counted_from == 0 else 'yes'} says otherwise."
        )
    raise ProblemError(
        f"{table.name} has {counted(width, 'column')} without names; {model_path.name} was trained on {several}. "
        f"Leave out what it has not learned from, such as a number of the row.{indices}"
    )


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


def has_target(table: Table, model: Model) -> bool:
    """Whether a table holds what the model was trained to tell, as far as that can be known.

    Raises `ProblemError` where a column at the target's place holds something else: the others are shifted, too.
    """
    target = str(model.target)
    if table.numbered and target in table.columns and target not in table.beside and holds_others(table, model):
        raise ProblemError(
            f"{table.name} has {counted(len(table.columns), 'column')} without names, as the data learned from, but "
            f"the column {target!r} does not hold the classes {few(model.classes)}: the columns seem to be others."
        )
    return target in table.columns or target in table.unfit


def holds_others(table: Table, model: Model) -> bool:
    """Whether the target's column holds anything but the model's classes; gaps are for the score to tell of."""
    try:
        labels = table.labels(str(model.target))
    except ProblemError:
        return False
    return not {spelt(label) for label in np.unique(labels)} <= {spelt(label) for label in model.classes}


def score_of_known(model: Model, z: Array, table: Table, threshold: float) -> tuple[Score | None, str | None]:
    """The score against the labels that stand in the table, and what there is to say of it."""
    target = str(model.target)
    try:
        labels = table.labels(target)
    except ProblemError as error:
        return None, f"No score. {error}"
    known, note = as_classes(labels, model.classes)
    if known is None:
        classes = " and ".join(map(str, model.classes))
        return None, f"No score: the column {target!r} does not hold {classes}, and these alone."
    seen = f"The model was trained on {table.name}: of rows it has seen, a score says little."
    notes = [note, seen if str(model.trained_on) == table.name else None]
    return score_of(model, z, known == model.classes[1], threshold), " ".join(filter(None, notes)) or None
