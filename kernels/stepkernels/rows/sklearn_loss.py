"""Rung 15, scikit-learn's own gradient: what its logistic regression descends, to be compared with.

`LinearModelLoss` around `HalfBinomialLoss` is what `sklearn.linear_model.LogisticRegression` hands to its solvers: the
two products with X are NumPy's, loss and residual come from one compiled loop over the samples, threaded with OpenMP,
in float64 whatever the dtype. It is what users have, and no faster than numpy_blas.py: every call allocates its outputs
and checks its inputs, which is most of a small problem's time. X is read twice, and beyond the caches that is the
bound. The update is NumPy's.

NumPy's BLAS and this loop have a pool of threads each, and either spins for a while when it has nothing to do. With no
more processors than threads in one pool, the loop's threads then wait until the scheduler takes those of BLAS off, and
the other way round: on two processors a step at 20,000 × 50 takes 8.0 ms in either dtype, two slices of 4 ms, and 0.8
with OMP_NUM_THREADS=1 or GOMP_SPINCOUNT=0. It is what users get, so it is timed as it is.

The loss picks a branch by the logit, and nothing overflows. Beyond a logit of 18 it takes exp(−z) for log1p(exp(−z)):
right to the last digit next to a cost of ordinary size, not in itself, so it is judged like a difference. These modules
are private to scikit-learn: they are imported here to be compared with, not to be relied upon.
"""

from __future__ import annotations

import numpy as np
from sklearn._loss import HalfBinomialLoss
from sklearn.linear_model._linear_loss import LinearModelLoss
from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

from stepkernels.arrays.numpy_updates import descend, descend_adam
from stepkernels.problem import Adam, Config, Problem, undisturbed
from stepkernels.state import State


class Workspace(State):
    """Host arrays for one problem; as many threads as OpenMP has in this process."""

    def __init__(self, problem: Problem, config: Config) -> None:
        super().__init__(problem, config)
        self.X = np.ascontiguousarray(problem.X)
        self.loss = LinearModelLoss(base_loss=HalfBinomialLoss(), fit_intercept=True)
        self.threads = _openmp_effective_n_threads()
        self.reset()

    @undisturbed
    def gradient(self) -> None:
        self.J[0], self.gradients[:] = self.loss.loss_gradient(
            self.parameters, self.X, self.problem.y, l2_reg_strength=self.config.l2, n_threads=self.threads
        )

    @undisturbed
    def update(self) -> None:
        self.steps_taken += 1
        match self.config.optimizer:
            case Adam() as adam:
                descend_adam(
                    self.parameters, self.gradients, self.moment1, self.moment2, adam, self.steps_taken
                )  # fmt: skip
            case descent:
                descend(self.parameters, self.gradients, descent.learning_rate)

    def step(self) -> None:
        self.gradient()
        self.update()


def bind(problem: Problem, config: Config) -> Workspace:
    """X is viewed when it is row-major, else copied."""
    return Workspace(problem, config)
