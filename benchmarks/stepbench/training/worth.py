"""A model and its score in words and as JSON: what it is worth, and what each column adds to its margin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from stepbench.training.fitting import Trained
from stepbench.training.model_file import Model
from stepbench.training.scores import Score

SCHEMA = 1
MOST_COEFFICIENTS = 12  # on a terminal; the JSON has them all
_CURVE = ("false_positive_rates", "true_positive_rates")


def coefficients(model: Model) -> tuple[dict[str, float], float]:
    """Of each column by its name, for data as they were read, and the intercept: z = Σ coefficient·x + intercept."""
    w = model.w.astype(np.float64) / model.scale
    return dict(zip(map(str, model.columns), w.tolist(), strict=True)), float(model.b) - float(w @ model.mean)


def score_lines(score: Score, model: Model) -> Iterator[str]:
    """The confusion matrix, precision and recall, and the calibration, in columns."""
    first, second = map(str, model.classes)
    found = f"precision {score.precision:.1%}, recall {score.recall:.1%}"
    yield f"Taken for {second} above a probability of {score.threshold:g}: {found}."
    yield from _columns(
        ["", f"taken for {first}", f"for {second}"],
        *([f"  {label}", *map(str, row)] for label, row in zip((first, second), score.confusion.tolist(), strict=True)),
    )
    yield f"Calibration, by the predicted probability of {second}:"
    yield from _columns(
        ["  between", "rows", "predicted", "observed"],
        *([f"  {b.low:.1f} and {b.high:.1f}", str(b.rows), f"{b.predicted:.3f}", f"{b.observed:.3f}"]
          for b in score.calibration),
    )  # fmt: skip


def coefficient_lines(model: Model) -> Iterator[str]:
    """The columns that weigh most once they are of one scale, with their coefficients on the scale of the data."""
    found, intercept = coefficients(model)
    weights = np.abs(model.w.astype(np.float64))
    names = [str(model.columns[k]) for k in np.argsort(-weights, kind="stable")[:MOST_COEFFICIENTS]]
    more = len(found) - len(names)
    told = f", those of the {len(names)} columns that weigh most of {len(found)}" if more else ""
    yield f"Coefficients for the data as they were read{told}; positive speaks for {model.classes[1]}:"
    yield from _columns(*([f"  {name}", f"{found[name]:+.4g}"] for name in names), ["  intercept", f"{intercept:+.4g}"])


def as_json(trained: Trained) -> dict[str, Any]:
    """Everything that is told of a training."""
    model = trained.model
    found, intercept = coefficients(model)
    return {
        "schema": SCHEMA,
        "data": str(model.trained_on),
        "target": str(model.target),
        "classes": model.classes.tolist(),
        "row": str(model.row),
        "optimizer": str(model.optimizer),
        "rows": trained.rows,
        "costs": trained.costs.tolist(),
        "notes": list(trained.notes),
        "held_out": score_as_json(trained.score),
        "coefficients": found,
        "intercept": intercept,
    }


def score_as_json(score: Score) -> Mapping[str, Any]:
    """Without the ROC curve, which is a figure."""
    told = {each.name: getattr(score, each.name) for each in fields(score) if each.name not in _CURVE}
    bins = [bin_of._asdict() for bin_of in score.calibration]
    return told | {"confusion": score.confusion.tolist(), "calibration": bins}


def _columns(*lines: list[str]) -> Iterator[str]:
    """Cells below one another, the first to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for name, *numbers in lines:
        cells = (number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True))
        yield "  ".join([name.ljust(widths[0]), *cells]).rstrip()
