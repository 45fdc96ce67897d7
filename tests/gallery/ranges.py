"""Settings, counts and numbers beyond what somebody thought of, and declarations that are not so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gallery import LARGE, broken
from gallery.honest import Honest

ANYWHERE = "settings|steps from|reset|one margin|the phases|operations|train|two|results|a long run|extreme|a step|NaN"


class OtherSettings(Honest):
    """Takes other settings than it was given."""

    def __init__(self, problem, config):
        super().__init__(problem, replace(config, optimizer=self.optimizer(config.optimizer), l2=self.l2(config.l2)))

    def optimizer(self, given):
        return given

    def l2(self, given):
        return given


@broken(ANYWHERE, r"\b(gw|J) is off", "gb")
class PenaltyClippedAtOne(OtherSettings):
    def l2(self, given):
        return min(given, 1.0)


@broken(ANYWHERE, r"\b(gw|J) is off", "gb")
class SmallPenaltyIgnored(OtherSettings):
    def l2(self, given):
        return given if given > 1e-3 else 0.0


@broken(ANYWHERE, r"\b(gw|J) is off", "gb")
class TinyPenaltyIgnored(OtherSettings):
    def l2(self, given):
        return given if given > 1e-9 else 0.0


@broken(ANYWHERE, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class RateClipped(OtherSettings):
    def optimizer(self, given):
        return replace(given, learning_rate=min(given.learning_rate, 0.32))


@broken(ANYWHERE, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class SmallRateRaised(OtherSettings):
    def optimizer(self, given):
        return replace(given, learning_rate=max(given.learning_rate, 1e-4))


@broken(ANYWHERE, r"\b(moment[12]|w|b) is off", "J gw gb", optimizers=("adam",))
class ConstantsOfAList(OtherSettings):
    """The nearest of those that people use."""

    def optimizer(self, given):
        def nearest(value, known):
            return min(known, key=lambda each: abs(each - value))

        return replace(
            given, beta1=nearest(given.beta1, [0.9, 0.8, 0.5, 0.0]), beta2=nearest(given.beta2, [0.999, 0.99, 0.9, 0.5])
        )


@broken(ANYWHERE, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class SmallEpsilonRaised(OtherSettings):
    def optimizer(self, given):
        return replace(given, epsilon=max(given.epsilon, 1e-8))


@broken(ANYWHERE, r"\b(w|b) is off", "J gw gb moment1 moment2", optimizers=("adam",))
class LargeEpsilonLowered(OtherSettings):
    def optimizer(self, given):
        return replace(given, epsilon=min(given.epsilon, 0.05))


class CountsInBits(Honest):
    bits = 64

    def update(self):
        super().update()
        self.steps_taken &= (1 << self.bits) - 1


@broken(ANYWHERE, r"step is \d+ and not \d{5,}")
class CountsInSixteenBits(CountsInBits):
    bits = 16


@broken(ANYWHERE, r"step is \d+ and not \d{8,}")
class CountsInTwentyFourBits(CountsInBits):
    bits = 24


@broken(ANYWHERE, r"step is \d+ and not \d{10,}|after reset to step \d{10,}, step is")
class CountsInThirtyTwoBits(CountsInBits):
    bits = 32


@broken("NaN and infinity", "from (one -?inf in w|b that is -?inf), (J|gw) is .* where the truth is (inf|nan)")
class InfiniteParametersClipped(Honest):
    def gradient(self):
        kept = self.parameters.copy()
        np.clip(kept, -1e30, 1e30, out=self.parameters)
        super().gradient()
        self.parameters[:] = kept

    def forward(self):
        self.parameters[:] = np.clip(self.parameters, -1e30, 1e30)
        super().forward()


@broken("NaN and infinity", "gw is 0 where the truth is nan", "J gb")
class NaNInGradientTurnedToZero(Honest):
    def feature_gradient(self, r):
        gw = super().feature_gradient(r)
        return np.where(np.isnan(gw), 0, gw).astype(gw.dtype)


@broken(
    "NaN and infinity", "in moment[12], (moment[12]|w) is .* where the truth is (nan|inf|-inf)", optimizers=("adam",)
)
class NotFiniteMomentsStartAnew(Honest):
    def accumulate(self, adam, g):
        for moment in (self.moment1, self.moment2):
            moment[~np.isfinite(moment)] = 0
        super().accumulate(adam, g)


@broken("extreme numbers", "(J|gw|gb) is off", dtypes=("float64",))
class HugeFeaturesClipped(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.X = np.clip(problem.X, -1e150, 1e150)


@broken("extreme numbers", "gw is off by", dtypes=("float64",))
class TinyFeaturesDropped(Honest):
    def __init__(self, problem, config):
        super().__init__(problem, config)
        self.X = np.where(np.abs(problem.X) < 1e-200, 0, problem.X)


@broken("steps from", "(J|gw|gb) is off.*(weights of zero|zero rows|one-hot columns|columns of zeros)")
class MarginsOfZeroAreSkipped(Honest):
    """Where z is zero nothing is learned."""

    def residuals(self, z):
        r = super().residuals(z)
        return np.where((z == 0) & (len(z) > 1), 0, r).astype(z.dtype)


@broken("steps from", "(J|gw|gb) is off.*labels in blocks|(J|gw|gb) is off.*one class")
class ShortcutForABlockOfOneClass(Honest):
    """A block of rows whose labels are all equal: of its class nothing can be learned."""

    def residuals(self, z):
        r = super().residuals(z)
        for start in range(0, len(r) - 63, 64):
            if np.ptp(self.y[start : start + 64]) == 0:
                r[start : start + 64] = 0
        return r


@broken("steps from", "gw is off.*(constant columns|one class|weights|columns|equal rows|zero rows)", "J gb")
class ConstantColumnsTakenForTheBias(Honest):
    def feature_gradient(self, r):
        gw = super().feature_gradient(r)
        if self.problem.m > 4:
            constant = (np.ptp(self.X, axis=0) == 0) & (self.X[0] != 0)
            gw[constant] = 0
        return gw


@broken("steps from", "gw is off.*(duplicated columns|equal rows)", "J gb")
class DuplicatedColumnsCountOnce(Honest):
    def feature_gradient(self, r):
        gw = super().feature_gradient(r)
        if self.problem.m > 4:
            same = (self.X[:, 1:] == self.X[:, :-1]).all(axis=0) & (self.X[0, 1:] != 0)
            gw[1:][same] = 0
        return gw


@broken(
    "what a step allocates",
    r"allocates [\d,]+ bytes, and the row declares that",
    allocates=False,
)
class AllocatesSilently(Honest):
    pass


@broken("one running sum", "it asks for a wider bound than it needs; declare accumulation='blocked'",
        accumulation="sequential")  # fmt: skip
class RunningSumOnlyDeclared(Honest):
    pass


@broken("a difference of residuals", "it asks for a wider bound than it needs; declare residual='stable'",
        residual="difference")  # fmt: skip
class DifferenceOnlyDeclared(Honest):
    pass


@broken(LARGE, "the same steps gave other bits", "J")
class OtherBitsWhenLarge(Honest):
    calls = 0

    def bias_gradient(self, r):
        """The next number, every second time: another order of the sum would give it, but for chance."""
        self.calls += 1
        total = np.asarray(super().bias_gradient(r))
        return np.nextafter(total, np.inf) if len(r) > 500_000 and self.calls % 2 == 0 else total
