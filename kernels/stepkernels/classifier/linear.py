"""What a trained model says of rows: from its coefficients alone, whatever found them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from stepkernels.classifier.wide_numbers import require_within_float64
from stepkernels.problem import Array, undisturbed


class LinearClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Tells two classes apart by the sign of z = Xw + b, the log-odds of the second.

    coef_       ndarray of shape (1, n_features)
    intercept_  ndarray of shape (1,)
    classes_    ndarray of shape (2,)
    """

    coef_: NDArray[np.floating]
    intercept_: NDArray[np.floating]
    classes_: NDArray[Any]

    @undisturbed
    def decision_function(self, X: ArrayLike) -> NDArray[np.floating]:
        """The margins z = Xw + b, (m,): positive for `classes_[1]`."""
        check_is_fitted(self)
        require_within_float64(X)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        z: Array = X @ self.coef_[0] + self.intercept_[0]
        return z

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The likelier class of each row, (m,)."""
        z = self.decision_function(X)
        predicted: NDArray[Any] = self.classes_[(z > 0).astype(np.intp)]
        return predicted

    @undisturbed
    def predict_proba(self, X: ArrayLike) -> NDArray[np.floating]:
        """The probability of each class, (m, 2). Neither is one minus the other, so both keep their small values."""
        z = self.decision_function(X)
        return np.column_stack([expit(-z), expit(z)])

    @undisturbed
    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.floating]:
        """The logarithm of each class's probability, (m, 2): finite also where the probability is too small to be."""
        z = self.decision_function(X)
        return np.column_stack([log_expit(-z), log_expit(z)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags
