"""The struct Step of fused_step.cu, which every kernel takes by value: addresses, sizes and settings."""

from __future__ import annotations

import math

import numpy as np

from stepkernels.problem import Adam, Config

POINTERS = ("X", "sign", "parameters", "gradients", "moment1", "moment2", "J", "partials", "counters")
_DOUBLES = ("learning_rate", "beta1", "beta2", "log_beta1", "log_beta2", "epsilon", "l2")
STEP = np.dtype(
    [
        *((name, np.intp) for name in POINTERS),
        ("m", np.int64),
        *((name, np.int32) for name in ("n", "rows", "lanes", "adam")),
        *((name, np.float64) for name in _DOUBLES),
    ]
)
"""The struct Step of fused_step.cu: the same fields in the same order, none of which needs padding."""


def optimizer_fields(config: Config) -> dict[str, float]:
    """The fields of STEP that say how to update. log β makes βᵗ = exp(t·log β); β = 0 gives −∞, and 0."""
    match config.optimizer:
        case Adam() as adam:
            logarithms = (math.log(beta) if beta > 0 else -math.inf for beta in (adam.beta1, adam.beta2))
            log_beta1, log_beta2 = logarithms
            return {
                "adam": 1, "learning_rate": adam.learning_rate, "epsilon": adam.epsilon,
                "beta1": adam.beta1, "beta2": adam.beta2, "log_beta1": log_beta1, "log_beta2": log_beta2,
            }  # fmt: skip
        case descent:
            return {"adam": 0, "learning_rate": descent.learning_rate}
