"""What a model is worth on rows with known labels."""

from __future__ import annotations

from dataclasses import dataclass

from sklearn.metrics import roc_auc_score, roc_curve

from stepbench.cases.label_text import Labels
from stepbench.training.model_file import Model
from stepkernels.problem import Array


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


def score_of(model: Model, z: Array, labels: Labels) -> Score:
    """Judge the margins z (m,) by the labels (m,); both classes must be among them."""
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
