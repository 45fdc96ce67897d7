"""Honest kernels that look unlike one another: the judge must reject none of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from gallery.honest import Honest
from gallery.narrow_storages import Narrow
from stepkernels import Config, Implementation, Op, Problem, Snapshot
from stepkernels.problem import STORAGES, Array

HONEST: dict[str, tuple[type, dict[str, Any]]] = {}


def honest(**declared: Any):
    def register(kernel: type) -> type:
        HONEST[kernel.__name__] = kernel, declared
        return kernel

    return register


def control(name: str, dtype: str) -> Implementation:
    options = MappingProxyType({"name": name})
    declared = {"ops": tuple(Op), "allocates": True, **HONEST[name][1]}
    return Implementation(name=name, module=__name__, options=options, dtypes=(dtype,), **declared)


def bind(problem: Problem, config: Config, name: str):
    return HONEST[name][0](problem, config)


honest()(Honest)
honest(storages=STORAGES)(Narrow)


@honest()
class DigitsToSpare(Honest):
    """float64 inside, whatever the row's dtype; the update is made with digits that the stored gradient lacks."""

    def margins(self):
        return self.X.astype(float) @ self.w.astype(float) + float(self.b[0])

    def backward(self):
        r = self.residuals(self.z)
        self.exact = np.append(r @ self.X / self.problem.m + self.config.l2 * self.w, r.mean())
        self.gradients[:] = self.exact

    def adam(self, adam):
        self.accumulate(adam, self.exact)
        self.parameters -= adam.learning_rate * self.quotient(adam)

    def descend(self, learning_rate):
        self.parameters[:] = self.parameters.astype(float) - learning_rate * self.exact


@honest(residual="difference")
class Difference(Honest):
    """What people write: p − y, and softplus(z) − y·z."""

    def losses(self, z):
        return np.logaddexp(0, z) - self.y * z

    def residuals(self, z):
        return 1 / (1 + np.exp(-z)) - self.y


@honest(accumulation="sequential", max_work=2e5)
class RowByRow(Honest):
    """One running sum over the rows, in the row's dtype."""

    def feature_gradient(self, r):
        gw = np.zeros_like(self.w)
        for residual, x in zip(r, self.X, strict=True):
            gw += residual * x
        return gw / self.m + self.real(self.config.l2) * self.w


@honest(accumulation="sequential", max_work=2e5)
class OneSumOfAll(RowByRow):
    """m + n terms in one running sum, the penalty's before the rows'."""

    def cost(self, z):
        terms = [self.real(0.5 * self.config.l2) * self.w * self.w, self.losses(z) / self.m]
        return np.cumsum(np.concatenate(terms))[-1]

    def feature_gradient(self, r):
        gw = self.real(self.config.l2) * self.w
        for residual, x in zip(r, self.X, strict=True):
            gw += residual * x / self.m
        return gw


@honest()
class TileByTile(Honest):
    """Partial sums of 64 rows, then their sum."""

    def feature_gradient(self, r):
        partial = np.add.reduceat(r[:, None] * self.X, np.arange(0, len(r), 64), axis=0)
        return partial.sum(axis=0) / self.m + self.real(self.config.l2) * self.w


@honest()
class DividesBeforeItSums(Honest):
    def feature_gradient(self, r):
        return (r * (1 / self.m)) @ self.X + self.real(self.config.l2) * self.w

    def bias_gradient(self, r):
        return (r * (1 / self.m)).sum()

    def cost(self, z):
        return (self.losses(z) * (1 / self.m)).sum() + self.penalty()


@honest()
class FlushesSubnormals(Honest):
    """As fast-math libraries and GPUs do."""

    def flushed(self, values: Array) -> Array:
        return np.where(np.abs(values) < np.finfo(self.config.dtype).tiny, 0, values).astype(self.config.dtype)

    def margins(self):
        return self.flushed(self.X) @ self.flushed(self.w) + self.b

    def losses(self, z):
        return self.flushed(super().losses(z))

    def residuals(self, z):
        return self.flushed(super().residuals(z))

    def accumulate(self, adam, g):
        super().accumulate(adam, self.flushed(g))
        self.moment1[:], self.moment2[:] = self.flushed(self.moment1), self.flushed(self.moment2)


@honest()
class RoundedBetas(Honest):
    """1 − β after β was rounded to the row's dtype."""

    def accumulate(self, adam, g):
        beta1, beta2 = self.real(adam.beta1), self.real(adam.beta2)
        self.moment1[:] = beta1 * self.moment1 + (1 - beta1) * g
        self.moment2[:] = beta2 * self.moment2 + (1 - beta2) * g * g


@honest()
class InterpolatedMoments(Honest):
    def accumulate(self, adam, g):
        self.moment1 += self.real(1 - adam.beta1) * (g - self.moment1)
        self.moment2 += self.real(1 - adam.beta2) * (g * g - self.moment2)


@honest()
class CorrectionInTheRate(Honest):
    """The paper's more efficient order: lr·√c2/c1, and ε·√c2."""

    def quotient(self, adam):
        correction1, correction2 = self.corrections(adam, self.steps_taken)
        rate, epsilon = self.real(correction2**0.5 / correction1), self.real(adam.epsilon * correction2**0.5)
        return rate * self.moment1 / (np.sqrt(self.moment2) + epsilon)


@honest(deterministic=False)
class AnyOrder(Honest):
    """Atomics, as it were: the order of the rows is another every time."""

    random = np.random.default_rng()

    def backward(self):
        r, order = self.residuals(self.z), self.random.permutation(len(self.z))
        gw = r[order] @ self.X[order]
        self.gw[:] = gw / self.m + self.real(self.config.l2) * self.w
        self.gb[0] = r[order].sum() / self.m


@honest()
class WorksInSynchronize(Honest):
    """Launches, and waits where a device would."""

    due = 0

    def step(self):
        self.due += 1

    def synchronize(self):
        due, self.due = self.due, 0
        for _ in range(due):
            Honest.gradient(self)
            Honest.update(self)

    def gradient(self):
        self.synchronize()
        super().gradient()

    def forward(self):
        self.synchronize()
        super().forward()

    def update(self):
        self.synchronize()
        super().update()

    def train(self, steps):
        costs = self.reserve_costs(steps)
        for k in range(steps):
            self.gradient()
            self.update()
            costs[k] = self.J[0]


@dataclass(frozen=True)
class Everything:
    """The state of a functional kernel: new arrays every step, none of them written to."""

    J: Array
    w: Array
    b: Array
    gw: Array
    gb: Array
    moment1: Array
    moment2: Array
    step: int


@honest(ops=(Op.STEP,), optimizers=("gd",))
class Functional:
    """step alone, gradient descent alone, no shared base class, read-only snapshots."""

    def __init__(self, problem, config):
        self.problem, self.config = problem, config
        self.reset()

    def reset(self, w=None, b=None, moments=None, step=0):
        dtype, n = self.config.dtype, self.problem.n
        nan, zeros = np.full((), np.nan, dtype), np.zeros(n + 1, dtype)
        self.state = Everything(
            J=nan,
            w=np.array(self.problem.w0 if w is None else w),
            b=np.asarray(self.problem.b0 if b is None else b, dtype),
            gw=np.full(n, np.nan, dtype),
            gb=nan,
            moment1=zeros,
            moment2=zeros,
            step=step,
        )

    def step(self):
        s, X, y, l2 = self.state, self.problem.X, self.problem.y, self.config.l2
        t = (1 - 2 * y) * (X @ s.w + s.b)
        r = (1 - 2 * y) * np.exp(-np.logaddexp(0, -t))
        J = np.logaddexp(0, t).mean() + 0.5 * l2 * (s.w @ s.w)
        gw, gb = X.T @ r / len(y) + l2 * s.w, r.mean()
        rate = self.config.optimizer.learning_rate
        rounded = [np.asarray(v, self.config.dtype) for v in (J, gw, gb, s.w - rate * gw, s.b - rate * gb)]
        J, gw, gb, w, b = rounded
        self.state = replace(s, J=J, gw=gw, gb=gb, w=w, b=b, step=s.step + 1)

    def synchronize(self):
        pass

    def snapshot(self):
        fields = {name: np.array(value) for name, value in vars(self.state).items() if name != "step"}
        for array in fields.values():
            array.flags.writeable = False
        return Snapshot(step=self.state.step, **fields)
