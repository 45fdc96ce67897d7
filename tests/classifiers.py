"""What the tests of the classifier share: its ways of training, and all that it learned in one array."""

import numpy as np

VARIANTS = {
    "newton": {"optimizer": "newton-cholesky"},
    "lbfgs": {"optimizer": "lbfgs"},
    "gd": {"optimizer": "gd"},
    "adam": {"optimizer": "adam", "learning_rate": 0.05},
    "batches": {"optimizer": "adam", "learning_rate": 0.05, "batch_size": 16},
    "numpy-blas": {"row": "numpy-blas"},
}


def parameters(classifier):
    return np.append(classifier.coef_[0], classifier.intercept_)
