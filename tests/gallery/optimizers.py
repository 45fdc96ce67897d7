"""Mistakes of the update."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gallery import STEPS, broken
from gallery.honest import Honest


@broken(STEPS, "moment1 is off.*moment2 is off", "J gw gb", optimizers=("adam",))
class MomentsSwapped(Honest):
    def accumulate(self, adam, g):
        super().accumulate(replace(adam, beta1=adam.beta2, beta2=adam.beta1), g)


@broken(STEPS, "moment1 is off", "J gw gb w", optimizers=("adam",))
class BiasWithoutMoments(Honest):
    def adam(self, adam):
        b = self.b - self.real(adam.learning_rate) * self.gb
        super().adam(adam)
        self.b[:], self.moment1[-1], self.moment2[-1] = b, 0, 0


class OtherQuotient(Honest):
    def quotient(self, adam):
        correction1, correction2 = map(self.real, self.corrections(adam, self.steps_taken))
        return self.formula(correction1, correction2, self.real(adam.epsilon))


@broken(STEPS, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class EpsilonInsideTheRoot(OtherQuotient):
    def formula(self, correction1, correction2, epsilon):
        return self.moment1 / correction1 / np.sqrt(self.moment2 / correction2 + epsilon)


@broken(STEPS, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class EpsilonForgotten(OtherQuotient):
    def formula(self, correction1, correction2, epsilon):
        return self.moment1 / correction1 / np.sqrt(self.moment2 / correction2 + self.real(1e-30))


@broken(STEPS, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class EpsilonBeforeTheCorrection(OtherQuotient):
    def formula(self, correction1, correction2, epsilon):
        return self.moment1 / correction1 * np.sqrt(correction2) / (np.sqrt(self.moment2) + epsilon)


@broken(STEPS, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class CorrectionOfTheNextStep(Honest):
    def corrections(self, adam, step):
        return super().corrections(adam, step + 1)


@broken(STEPS, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class OnlyTheFirstMomentCorrected(Honest):
    def corrections(self, adam, step):
        return super().corrections(adam, step)[0], 1.0


@broken(f"{STEPS}|settings|two workspaces", r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class CorrectionDroppedLater(Honest):
    def corrections(self, adam, step):
        return super().corrections(adam, step) if step <= 500 else (1.0, 1.0)


@broken(STEPS, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class CorrectionsAtTheSecondStepForever(Honest):
    def corrections(self, adam, step):
        return super().corrections(adam, min(step, 2))


@broken(STEPS, "moment2 is off", "J gw gb moment1", optimizers=("adam",))
class MagnitudeInsteadOfSquare(Honest):
    def accumulate(self, adam, g):
        old = self.moment2.copy()
        super().accumulate(adam, g)
        self.moment2[:] = self.real(adam.beta2) * old + self.real(1 - adam.beta2) * np.abs(g)


@broken(STEPS, "moment2 is off", "J gw gb moment1", optimizers=("adam",))
class LargestSecondMomentKept(Honest):
    """AMSGrad, without saying so."""

    def accumulate(self, adam, g):
        old = self.moment2.copy()
        super().accumulate(adam, g)
        self.moment2[:] = np.maximum(old, self.moment2)


@broken(STEPS, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class MomentsUsedBeforeTheyAreUpdated(Honest):
    def adam(self, adam):
        quotient = self.quotient(adam)
        self.accumulate(adam, self.gradients)
        self.parameters -= self.real(adam.learning_rate) * quotient


@broken(f"{STEPS}|settings|two workspaces", r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class Nesterov(Honest):
    def quotient(self, adam):
        kept = self.moment1.copy()
        self.moment1[:] = self.real(adam.beta1) * kept + self.real(1 - adam.beta1) * self.gradients
        quotient = super().quotient(adam)
        self.moment1[:] = kept
        return quotient


@broken(STEPS, r"\b(moment[12]|w|b) is off", "J gw gb", optimizers=("adam",))
class ConstantsOfThePaper(Honest):
    def adam(self, adam):
        super().adam(replace(adam, beta1=0.9, beta2=0.999, epsilon=1e-8))


@broken(STEPS, r"\b(w|b) is off", "J gw gb")
class DefaultLearningRate(Honest):
    def __init__(self, problem, config):
        default = type(config.optimizer)().learning_rate
        super().__init__(problem, replace(config, optimizer=replace(config.optimizer, learning_rate=default)))


@broken(STEPS, r"\b(w|b) is off", "J gw gb")
class UpdatedTwice(Honest):
    def update(self):
        super().update()
        super().update()
        self.steps_taken -= 1


@broken(STEPS, r"\b(w|b) is off", "J gw gb")
class GradientClipped(Honest):
    def update(self):
        kept = self.gradients.copy()
        self.gradients[:] = np.clip(kept, -0.25, 0.25)
        super().update()
        self.gradients[:] = kept


@broken(STEPS, r"\b(w|b) is off", "J gw gb", optimizers=("gd",))
class MomentumNobodyAskedFor(Honest):
    velocity = 0.0

    def descend(self, learning_rate):
        self.velocity = 0.9 * self.velocity + self.gradients
        self.parameters[:] -= self.real(learning_rate) * self.velocity

    def reset(self, *args, **kwargs):
        super().reset(*args, **kwargs)
        self.velocity = 0.0


@broken(STEPS, "J is off", "gw gb w b")
class CostAfterTheUpdate(Honest):
    def step(self):
        super().step()
        self.J[0] = self.cost(self.margins())


@broken(STEPS, "J is off", "gw gb w b")
class CostOfThePreviousStep(Honest):
    previous: float | None = None

    def reset(self, *args, **kwargs):
        super().reset(*args, **kwargs)
        self.previous = None

    def step(self):
        super().step()
        kept = self.J[0]
        self.J[0] = kept if self.previous is None else self.previous
        self.previous = kept


@broken(STEPS, "(gw|gb) is off")
class GradientsNotZeroed(Honest):
    def backward(self):
        kept = np.nan_to_num(self.gradients)
        super().backward()
        self.gradients += kept
