"""The gradient of rows that stay on disk: standardized and bound a block at a time, so that memory holds one block.

X is read once from the disk in each gradient, whatever the row does with a block. What one process that leaves a file
on disk cannot do, a full-batch step, many can, each of its own rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from stepbench.cases.standardizing import Scaling, standardize
from stepbench.training.sharded.rows_of_rank import Rows
from stepkernels.interface import GradientWorkspace, Snapshot
from stepkernels.problem import Array, Problem

Bind = Callable[[Problem], GradientWorkspace]


class BlockShare:
    """A workspace with gradient() over rows that are never all in memory, without a penalty.

    X has the rows (m, n), y (m,) their labels, 0 or 1; `bind` binds a block.
    """

    def __init__(self, X: Rows, y: Array, scaling: Scaling, dtype: str, bind: Bind) -> None:
        self.X, self.y, self.scaling, self.dtype, self.bind = X, y, scaling, dtype, bind
        self.reset()

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,  # noqa: ARG002  a gradient has none
        step: int = 0,  # noqa: ARG002
    ) -> None:
        n = self.X.n
        self.w = np.zeros(n, self.dtype) if w is None else np.array(w, self.dtype)
        self.b = float(b or 0.0)
        self.means = np.full(n + 2, np.nan)

    def gradient(self) -> None:
        sums = np.zeros_like(self.means)
        for part, block in self.X.blocks():
            X = standardize(block, self.scaling.mean, self.scaling.scale).astype(self.dtype, copy=False)
            workspace = self.bind(Problem(X, self.y[part]))
            workspace.reset(self.w, self.b)  # finite or not: what they come to tells whoever looks at J
            workspace.gradient()
            found = workspace.snapshot()
            sums += len(block) * np.concatenate([found.gw, [found.gb, found.J]])
        self.means = sums / self.X.m

    def step(self) -> None:
        raise NotImplementedError("a share of the rows has a gradient, and no step of its own")

    def synchronize(self) -> None:
        """Each block was done before the next was read."""

    def snapshot(self) -> Snapshot:
        none = np.zeros(len(self.w) + 1)
        J, gb = self.means[-1:].reshape(()), self.means[-2:-1].reshape(())
        return Snapshot(
            J=J, w=self.w, b=np.array(self.b), gw=self.means[:-2], gb=gb, moment1=none, moment2=none, step=0
        )  # fmt: skip
