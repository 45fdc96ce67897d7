"""Updates of a state in NumPy's arrays, in place, where a step's time is not in them."""

from __future__ import annotations

import numpy as np

from stepkernels.problem import Adam, Array


def descend(parameters_out: Array, gradients: Array, learning_rate: float) -> None:
    """Gradient descent in place: parameters ← parameters − lr·gradients, both (n + 1,)."""
    parameters_out -= learning_rate * gradients


def descend_adam(
    parameters_out: Array, gradients: Array, moment1_out: Array, moment2_out: Array, optimizer: Adam, step: int
) -> None:
    """Adam in place, the update numbered `step`; every array (n + 1,)."""
    correction1, correction2 = optimizer.bias_corrections(step)
    moment1_out *= optimizer.beta1
    moment1_out += (1 - optimizer.beta1) * gradients
    moment2_out *= optimizer.beta2
    moment2_out += (1 - optimizer.beta2) * np.square(gradients)
    denominator = np.sqrt(moment2_out / correction2) + optimizer.epsilon
    parameters_out -= (optimizer.learning_rate / correction1) * moment1_out / denominator
