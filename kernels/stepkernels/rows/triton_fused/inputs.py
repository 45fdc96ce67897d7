"""What the kernels are given: X as the device keeps it, and the settings of a step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stepkernels.problem import Adam, Array, Config
from stepkernels.problem.storage import kept_of

WORD_BYTES = 16
NARROWEST_PADDED = 17  # features; below, padding would cost more than wide words gain
WIDEST = 4096  # features of a row that is kept in registers


def shareable(X: Array, storage: str | None) -> tuple[NDArray[Any], Array]:
    """What is kept of X (m, n), of types that a tensor can share: bits of sixteen as whole numbers."""
    bits, scales = kept_of(np.ascontiguousarray(X), storage)
    return (bits.view(np.int16) if bits.dtype == np.uint16 else bits), scales


def as_numbers(X: torch.Tensor, storage: str | None) -> torch.Tensor:
    """Bits of sixteen as the numbers that they are; nothing is copied."""
    return X if storage in (None, "int8") else X.view(getattr(torch, str(storage)))


def word_of(n: int, item_bytes: int) -> int:
    """Elements in a word that every row begins with: 1 where X is not padded for it."""
    return WORD_BYTES // item_bytes if NARROWEST_PADDED <= n <= WIDEST else 1


def settings_of(config: Config) -> Array:
    """float64: learning rate, l2, β1, β2, log β1, log β2, ε; zeros where the optimizer has none. log 0 is −∞."""
    match config.optimizer:
        case Adam() as adam:
            betas = (adam.beta1, adam.beta2)
            logarithms = (math.log(beta) if beta > 0 else -math.inf for beta in betas)
            return np.array([adam.learning_rate, config.l2, *betas, *logarithms, adam.epsilon])
        case descent:
            return np.array([descent.learning_rate, config.l2, 0, 0, 0, 0, 0])
