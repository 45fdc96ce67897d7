"""What a model is worth on rows with known labels, by scikit-learn's metrics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

from stepbench.training.model_file import EVEN, Model
from stepkernels.problem import Array

BINS = 10  # of equal width, of the predicted probability


class Bin(NamedTuple):
    """The rows whose predicted probability of the second class lies between two tenths."""

    low: float
    high: float
    rows: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How well the classes of rows with known labels are told apart.

    majority   the accuracy of always guessing the commoner class
    log_loss   the mean of −log of the probability given to the right class
    auc        the area under the ROC curve, which the false and true positive rates of the second class draw
    threshold  the probability of the second class above which a row is taken for it
    confusion  (2, 2) rows, by their class and by that which they were taken for
    precision  the share of the rows taken for the second class that are of it; 0 where none was
    recall     the share of the rows of the second class that were taken for it
    calibration  the bins with rows: what was predicted, and what share was of the second class
    """

    rows: int
    accuracy: float
    majority: float
    log_loss: float
    auc: float
    threshold: float
    confusion: NDArray[np.int64]
    precision: float
    recall: float
    calibration: tuple[Bin, ...]
    false_positive_rates: Array
    true_positive_rates: Array


def score_of(model: Model, z: Array, positive: NDArray[np.bool_], threshold: float = EVEN) -> Score:
    """Judge the margins z (m,) of rows that are of the second class or not, (m,); both must be among them."""
    probabilities = expit(z)
    taken = model.predict(z, threshold)[0] == model.classes[1]
    false_positives, true_positives, _ = roc_curve(positive, z)
    return Score(
        rows=len(positive),
        accuracy=float(accuracy_score(positive, taken)),
        majority=float(max(positive.mean(), 1 - positive.mean())),
        log_loss=float(log_loss(positive, probabilities, labels=[False, True])),
        auc=float(roc_auc_score(positive, z)),
        threshold=threshold,
        confusion=confusion_matrix(positive, taken, labels=[False, True]),
        precision=float(precision_score(positive, taken, zero_division=0.0)),
        recall=float(recall_score(positive, taken)),
        calibration=calibration_of(positive, probabilities),
        false_positive_rates=false_positives,
        true_positive_rates=true_positives,
    )


def calibration_of(positive: NDArray[np.bool_], probabilities: Array) -> tuple[Bin, ...]:
    """What scikit-learn's calibration curve says, with how many rows each bin has; it leaves out those with none."""
    observed, predicted = calibration_curve(positive, probabilities, n_bins=BINS)
    edges = np.linspace(0.0, 1.0, BINS + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], probabilities), minlength=BINS)  # as calibration_curve bins them
    full = np.flatnonzero(counts)
    return tuple(
        Bin(float(edges[k]), float(edges[k + 1]), int(counts[k]), float(p), float(o))
        for k, p, o in zip(full, predicted, observed, strict=True)
    )
