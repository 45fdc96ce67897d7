"""The rows of a rank, bound: first the row of the catalogue compiles, a rank at a time, then all read at once."""

from __future__ import annotations

import numpy as np

from stepbench.cases.data_table import cached_rows
from stepbench.cases.standardizing import Scaling, standardize
from stepbench.training.sharded.block_share import Bind, BlockShare
from stepbench.training.sharded.rows_of_rank import Rows
from stepkernels.interface import GradientWorkspace
from stepkernels.problem import Array, Problem


class BoundShare:
    """Where rows (m, n) go: standardized into memory, or where they stay on disk, through it a block at a time.

    y (m,) holds their labels, 0 or 1, in `dtype`; `bind` binds a problem.
    """

    def __init__(self, rows: Rows, y: Array, scaling: Scaling, dtype: str, bind: Bind, *, on_disk: bool) -> None:
        self.rows, self.y, self.scaling, self.dtype, self.bind = rows, y, scaling, dtype, bind
        # zeros take no memory before they are written to
        self.whole = None if on_disk else np.zeros((rows.m, rows.n), dtype)

    def compile(self) -> None:
        """Let the row compile, without a look at the data: for as many zeros as a block has.

        They are a part of the array that will hold all rows, because a row may go by the size of that.
        """
        length = min(self.rows.m, cached_rows(self.rows.n))
        zeros = np.zeros((length, self.rows.n), self.dtype) if self.whole is None else self.whole[:length]
        workspace = self.bind(Problem(zeros, self.y[:length]))
        workspace.gradient()
        workspace.synchronize()

    def read(self) -> GradientWorkspace:
        """The share, with all its rows in memory, once; or those on disk. Raises `ProblemError` for what overflows."""
        if self.whole is None:
            return BlockShare(self.rows, self.y, self.scaling, self.dtype, self.bind)
        for part, block in self.rows.blocks():
            self.whole[part] = standardize(block, self.scaling.mean, self.scaling.scale)
        share = self.bind(Problem(self.whole, self.y))
        share.gradient()
        share.synchronize()
        return share
