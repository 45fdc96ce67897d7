"""Rung 14, compiled pure functions: the matrix form through JAX, compiled by XLA, on the CPU or a GPU.

XLA fuses the vector operations between the two products with X; the products stay library calls, so X is read twice,
and beyond the caches a step is bound by that. A step is one dispatch. `train` is a `lax.scan`: all steps run inside one
compiled program, where torch_compiled.py returns to Python after each; at small sizes that is a multiple. Arrays are
immutable, so each operation takes the whole state and returns a new one. The old one is donated, and XLA writes into
its buffers; temporaries are still allocated in every call.

JAX computes in float32 unless told otherwise, and telling it for the whole process would change other people's arrays:
everything here happens inside `jax.enable_x64`, which costs a call about a microsecond. In a float32 problem Python's
numbers take the arrays' dtype, so it stays in float32. `HIGHEST` keeps a GPU from rounding X to TF32.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array as DeviceArray

from stepkernels.interface import Snapshot
from stepkernels.problem import GD, Adam, Array, Config, Problem
from stepkernels.state import State

dot = functools.partial(jnp.dot, precision=jax.lax.Precision.HIGHEST)


class Point(NamedTuple):
    """The state on the device: vectors (n + 1,), the bias last; J and the number of updates taken, 0-d."""

    parameters: DeviceArray
    gradients: DeviceArray
    moment1: DeviceArray
    moment2: DeviceArray
    J: DeviceArray
    updates: DeviceArray


def gradient(X: DeviceArray, sign: DeviceArray, point: Point, *, l2: float) -> Point:
    """J and the gradients at a point. X (m, n); sign = 1 − 2y (m,).

    t = (1 − 2y)·z; loss = softplus(t) and r = (1 − 2y)·σ(t) neither overflow nor cancel.
    """
    w, b = point.parameters[:-1], point.parameters[-1]
    t = sign * (dot(X, w) + b)
    r = sign * jax.nn.sigmoid(t)
    J = jax.nn.softplus(t).mean() + 0.5 * l2 * dot(w, w)
    gradients = jnp.append(dot(r, X) / len(X) + l2 * w, r.mean())
    return point._replace(J=J, gradients=gradients)


def update(point: Point, *, optimizer: GD | Adam) -> Point:
    """The next parameters, and moments, from the gradients of a point."""
    point = point._replace(updates=point.updates + 1)
    match optimizer:
        case Adam():
            return descend_adam(point, optimizer)
        case _:
            return point._replace(parameters=point.parameters - optimizer.learning_rate * point.gradients)


def descend_adam(point: Point, adam: Adam) -> Point:
    """Adam's update numbered `point.updates`."""
    moment1 = adam.beta1 * point.moment1 + (1 - adam.beta1) * point.gradients
    moment2 = adam.beta2 * point.moment2 + (1 - adam.beta2) * point.gradients**2
    correction1, correction2 = (
        one_minus_power(beta, point.updates).astype(moment1.dtype) for beta in (adam.beta1, adam.beta2)
    )
    change = adam.learning_rate / correction1 * moment1 / (jnp.sqrt(moment2 / correction2) + adam.epsilon)
    return point._replace(parameters=point.parameters - change, moment1=moment1, moment2=moment2)


def one_minus_power(beta: float, step: DeviceArray) -> DeviceArray:
    """1 − βᵗ in float64, to the last digit also for β close to 1."""
    return -jnp.expm1(step.astype("float64") * (math.log(beta) if beta else -math.inf))


def step(X: DeviceArray, sign: DeviceArray, point: Point, *, optimizer: GD | Adam, l2: float) -> Point:
    return update(gradient(X, sign, point, l2=l2), optimizer=optimizer)


def train(
    X: DeviceArray, sign: DeviceArray, point: Point, *, steps: int, optimizer: GD | Adam, l2: float
) -> tuple[Point, DeviceArray]:
    """The point after so many steps, and the cost before each of them."""

    def next_step(point: Point, _: None) -> tuple[Point, DeviceArray]:
        point = step(X, sign, point, optimizer=optimizer, l2=l2)
        return point, point.J

    return jax.lax.scan(next_step, point, length=steps)


class Compiled:
    """The four operations with a configuration's settings as constants."""

    def __init__(self, optimizer: GD | Adam, l2: float) -> None:
        settings: dict[str, Any] = {"optimizer": optimizer, "l2": l2}
        self.gradient = jax.jit(functools.partial(gradient, l2=l2), donate_argnames="point")
        self.update = jax.jit(functools.partial(update, optimizer=optimizer), donate_argnames="point")
        self.step = jax.jit(functools.partial(step, **settings), donate_argnames="point")
        self.train = jax.jit(functools.partial(train, **settings), static_argnames="steps", donate_argnames="point")


compiled = functools.lru_cache(Compiled)  # so that a second problem of the same shape and settings compiles nothing


class Workspace(State):
    """The host's arrays of `State` are the way in and out; between them the state lives on the device."""

    point: Point

    def __init__(self, problem: Problem, config: Config, device: str) -> None:
        super().__init__(problem, config)
        self.device = jax.devices(device)[0]
        self.compiled = compiled(config.optimizer, config.l2)
        with jax.enable_x64(True):
            self.X, self.sign = jax.device_put((np.ascontiguousarray(problem.X), 1 - 2 * problem.y), self.device)
        self.reset()
        self.gradient()  # compiles, as do the next two
        self.update()
        self.step()
        self.reset()

    def gradient(self) -> None:
        with jax.enable_x64(True):
            self.point = self.compiled.gradient(self.X, self.sign, self.point)

    def update(self) -> None:
        with jax.enable_x64(True):
            self.point = self.compiled.update(self.point)

    def step(self) -> None:
        with jax.enable_x64(True):
            self.point = self.compiled.step(self.X, self.sign, self.point)

    def train(self, steps: int) -> None:
        """Compiles when it first meets this number of steps."""
        with jax.enable_x64(True):
            self.point, self.costs = self.compiled.train(self.X, self.sign, self.point, steps=steps)

    def synchronize(self) -> None:
        for array in self.point:
            array.block_until_ready()

    def reset(
        self,
        w: Array | None = None,
        b: float | None = None,
        moments: tuple[Array, Array] | None = None,
        step: int = 0,
    ) -> None:
        super().reset(w, b, moments, step)
        host = self.parameters, self.gradients, self.moment1, self.moment2, self.J[0], np.int64(step)
        with jax.enable_x64(True):
            # A copy: JAX may keep a view of a host array, and the first operation would write into it.
            self.point = Point(*jax.device_put(host, self.device, may_alias=False))

    def snapshot(self) -> Snapshot:
        self.synchronize()
        with jax.enable_x64(True):  # of a copy: JAX keeps what it once read, and a second snapshot would read nothing
            point, costs = jax.tree.map(jnp.copy, (self.point, self.costs))
        for name in ("parameters", "gradients", "moment1", "moment2", "J"):
            getattr(self, name)[...] = np.asarray(getattr(point, name))
        self.costs = np.asarray(costs)
        self.steps_taken = int(point.updates)
        return super().snapshot()


def bind(problem: Problem, config: Config, device: str) -> Workspace:
    """Copies X to the device ("cpu" or "cuda"), unless the CPU can use it where it lies; compiles."""
    return Workspace(problem, config, device)
