"""A model without an intercept on rows that all have one: b is put back to zero after every operation.

No row knows of it, and w learns what it would if there were no b: its gradient is taken at b = 0, and neither update
mixes the parameters. The price is that the state is read and written at each step, so that there is no training of
many steps in one call.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stepkernels.interface import Snapshot, Workspace, with_gradient
from stepkernels.problem import Array


class WithoutIntercept:
    """A workspace whose b, gb and moments of b are zero, whatever the workspace within makes of them."""

    def __init__(self, workspace: Workspace) -> None:
        self.within = workspace
        self.reset()

    def step(self) -> None:
        self.within.step()
        self.state = without_bias(self.within.snapshot())
        self.within.reset(self.state.w, 0.0, (self.state.moment1, self.state.moment2), self.state.step)

    def gradient(self) -> None:
        with_gradient(self.within).gradient()
        self.state = without_bias(self.within.snapshot())

    def synchronize(self) -> None:
        self.within.synchronize()

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,  # noqa: ARG002  it is zero
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        self.within.reset(w, 0.0, moments, step)
        self.state = without_bias(self.within.snapshot())

    def snapshot(self) -> Snapshot:
        return self.state


def without_bias(state: Snapshot) -> Snapshot:
    """The state with zeros for all that belongs to b."""
    for moment in (state.moment1, state.moment2):
        moment[-1] = 0.0
    return replace(state, b=np.zeros_like(state.b), gb=np.zeros_like(state.gb))
