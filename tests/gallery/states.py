"""Mistakes of the state: reset and snapshot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gallery import STEPS, broken
from gallery.honest import Honest
from stepkernels import Snapshot


@broken(f"{STEPS}|reset|extreme numbers", "after reset, moment1 is not", optimizers=("adam",))
class MomentsNotReset(Honest):
    def reset(self, w=None, b=None, moments=None, step=0):
        super().reset(w, b, moments or (self.moment1.copy(), self.moment2.copy()), step)


@broken(STEPS, "after reset, moment1 is not", optimizers=("adam",))
class GivenMomentsIgnored(Honest):
    def reset(self, w=None, b=None, moments=None, step=0):
        super().reset(w, b, None, step)


@broken(STEPS, "after reset to step")
class GivenStepIgnored(Honest):
    def reset(self, w=None, b=None, moments=None, step=0):
        super().reset(w, b, moments)


@broken(STEPS, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class CountsItsOwnSteps(Honest):
    own = 0

    def corrections(self, adam, step):
        self.own += 1
        return super().corrections(adam, self.own)


@broken("reset", "after reset, b is not")
class BiasOfZeroTakenForNone(Honest):
    def reset(self, w=None, b=None, moments=None, step=0):
        super().reset(w, b or None, moments, step)


@broken(STEPS, "after reset, w is not")
class StartsFromZero(Honest):
    def reset(self, w=None, b=None, moments=None, step=0):
        super().reset(np.zeros(self.problem.n) if w is None else w, b, moments, step)


@broken("reset|steps from", "after reset, (J|gw) is not NaN")
class OutputsNotPoisoned(Honest):
    def reset(self, *args, **kwargs):
        gradients, J = self.gradients.copy(), self.J.copy()
        super().reset(*args, **kwargs)
        self.gradients[:], self.J[:] = gradients, J


@broken(STEPS, "after reset, J is not NaN")
class SnapshotSwallowsNaN(Honest):
    def snapshot(self):
        snapshot = super().snapshot()
        return replace(snapshot, J=np.nan_to_num(snapshot.J))


@broken("NaN", "is .* where the truth is nan")
class DivergenceHidden(Honest):
    def step(self):
        self.parameters[:] = np.nan_to_num(self.parameters)
        super().step()


@broken(STEPS, "J is off by inf bounds.* not finite")
class CallersArraysKept(Honest):
    def reset(self, w=None, b=None, moments=None, step=0):
        super().reset(w, b, moments, step)
        if w is not None:
            self.w = w

    def update(self):
        self.parameters[:-1] = self.w
        super().update()


@broken(STEPS, "after step 1, step is 0 and not 1")
class StepsNotCounted(Honest):
    def step(self):
        super().step()
        self.steps_taken -= 1


@broken("results", "J of a snapshot changed after it was taken")
class SnapshotOfLiveBuffers(Honest):
    def snapshot(self):
        n = self.problem.n
        return Snapshot(
            J=self.J[0:1].reshape(()),
            w=self.parameters[:n],
            b=self.parameters[n:].reshape(()),
            gw=self.gradients[:n],
            gb=self.gradients[n:].reshape(()),
            moment1=self.moment1,
            moment2=self.moment2,
            step=self.steps_taken,
            costs=self.costs,
        )


@broken("train|results", "costs of a snapshot changed")
class CostsOfALiveBuffer(Honest):
    def snapshot(self):
        return replace(super().snapshot(), costs=self.costs)


@broken(STEPS, r"gb is float(32|64) of shape \(1,\), not float(32|64) of shape \(\)")
class ScalarsOfShapeOne(Honest):
    def snapshot(self):
        snapshot = super().snapshot()
        return replace(snapshot, gb=snapshot.gb.reshape(1))


@broken(STEPS, "J is float")
class CostInTheOtherType(Honest):
    def snapshot(self):
        snapshot = super().snapshot()
        other = np.float32 if self.config.dtype == "float64" else np.float64
        return replace(snapshot, J=snapshot.J.astype(other))
