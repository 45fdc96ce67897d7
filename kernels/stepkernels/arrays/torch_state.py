"""The state of a step in torch tensors, for the rows that compute with them; only such rows import this."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from stepkernels.problem import Array, Config, Problem
from stepkernels.state import State


class Tensors:
    """Dense tensors of one device ("cpu" or "cuda")."""

    def __init__(self, device: str) -> None:
        self.device = device

    def empty(self, length: int, dtype: str) -> torch.Tensor:
        return torch.empty(length, dtype=getattr(torch, dtype), device=self.device)

    def write(self, array: torch.Tensor, values: Array) -> None:
        array.copy_(torch.tensor(values))

    def read(self, array: torch.Tensor) -> Array:
        return array.numpy(force=True).copy()

    def share(self, values: NDArray[Any]) -> torch.Tensor:
        """A tensor over the memory of `values` on a CPU, a copy on a GPU. To be read only.

        Torch has no read-only tensors and warns that writing to this one would be undefined: no row does.
        """
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)
            return torch.from_numpy(values).to(self.device)


class TensorState(State):
    """The state, and X in row-major order, on one device; or `kept`, (m, n), in whose fewer bits a row keeps X."""

    library: Tensors

    def __init__(self, problem: Problem, config: Config, device: str, kept: NDArray[Any] | None = None) -> None:
        super().__init__(problem, config, Tensors(device))
        self.X = self.library.share(np.ascontiguousarray(problem.X) if kept is None else kept)

    def share_weights(self) -> torch.Tensor | None:
        """(m,) the weights of the rows, their mean 1; None without weights."""
        weights = self.problem.relative_weights(self.config.dtype)
        return None if weights is None else self.library.share(weights)

    def synchronize(self) -> None:
        if self.X.is_cuda:
            torch.cuda.synchronize()
