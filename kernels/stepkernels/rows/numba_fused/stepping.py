"""Steps in compiled code: the updates, `train` on one thread or on the pool, and a team's member's share of it."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepkernels.problem import Adam, Array, Config
from stepkernels.rows.numba_fused.addresses import call_at, given_or_at, matrix_at, vector_at
from stepkernels.rows.numba_fused.gradient import accumulate, finish, gradient
from stepkernels.rows.numba_fused.pipeline import CompiledPlan
from stepkernels.rows.numba_fused.team import meet
from stepkernels.simd import compiled, compiled_within


@compiled
def descend(parameters_out: Array, gradients: Array, learning_rate: float) -> None:
    """Gradient descent in place: parameters ← parameters − lr·gradients, all (n + 1,)."""
    for j in range(len(gradients)):
        parameters_out[j] -= learning_rate * gradients[j]


@compiled
def descend_adam(
    parameters_out: Array,
    gradients: Array,
    moment1_out: Array,
    moment2_out: Array,
    rates: tuple[float, float, float, float],
    corrections: Array,
) -> None:
    """Adam in place, every array (n + 1,).

    rates: learning rate, β1, β2, ε; corrections (2,) = 1 − β1ᵗ, 1 − β2ᵗ. In float64, rounded when stored.
    """
    learning_rate, beta1, beta2, epsilon = rates
    for j in range(len(gradients)):
        g = float(gradients[j])
        moment1_out[j] = beta1 * moment1_out[j] + (1.0 - beta1) * g
        moment2_out[j] = beta2 * moment2_out[j] + (1.0 - beta2) * g * g
        root = math.sqrt(moment2_out[j] / corrections[1])
        parameters_out[j] -= learning_rate * (moment1_out[j] / corrections[0]) / (root + epsilon)


@compiled_within
def operands(scratch: Array, weighted: Array | None, addresses: Array) -> tuple[Array, Array, Array, Array, Array]:
    """What `gradient` takes and X and scratch do not tell: scales, signs, parameters, totals, gradients."""
    scales, signs = vector_at(addresses, 6, scratch.dtype), given_or_at(weighted, addresses, 0, np.int8)
    parameters, totals = vector_at(addresses, 1, scratch.dtype), matrix_at(addresses, 2, np.float64)
    return scales, signs, parameters, totals, vector_at(addresses, 3, scratch.dtype)


@compiled
def train(
    X: Array,
    weighted: Array | None,
    scratch_out: Array,
    addresses: Array,
    l2: float,
    m: int,
    block: int,
    plan: CompiledPlan,
    address: int,
    learning_rate: float,
    costs_out: Array,
) -> None:
    """A step of gradient descent for each of the costs, and its J before the update into them.

    Arrays as `gradient` takes them, all but X and scratch by their addresses, as `operands` has them; signs that have
    weights in are given as `weighted`, which is None without weights. `accumulate` lies at the address.
    """
    scales, signs, parameters, totals, gradients = operands(scratch_out, weighted, addresses)
    for k in range(len(costs_out)):
        costs_out[k] = gradient(
            X, scales, signs, parameters, l2, m, block, plan, scratch_out, totals, gradients, address
        )
        descend(parameters, gradients, learning_rate)


@compiled
def train_adam(
    X: Array,
    weighted: Array | None,
    scratch_out: Array,
    addresses: Array,
    l2: float,
    m: int,
    block: int,
    plan: CompiledPlan,
    address: int,
    rates: tuple[float, float, float, float],
    corrections: Array,
    costs_out: Array,
) -> None:
    """As `train`, with Adam; both moments behind the other addresses; corrections (steps, 2)."""
    scales, signs, parameters, totals, gradients = operands(scratch_out, weighted, addresses)
    moment1, moment2 = (vector_at(addresses, 4, scratch_out.dtype), vector_at(addresses, 5, scratch_out.dtype))
    for k in range(len(costs_out)):
        costs_out[k] = gradient(
            X, scales, signs, parameters, l2, m, block, plan, scratch_out, totals, gradients, address
        )
        descend_adam(parameters, gradients, moment1, moment2, rates, corrections[k])


class Data(NamedTuple):
    """What a training only reads.

    X (m, n), or tiles of it, or the bits of a narrower storage; scales (n,), what its columns were divided by, or (0,);
    signs = 1 − 2y, int8 (m + a vector,), or with weights s·(1 − 2y) in the dtype computed in, (1, m + a vector), in the
    order the rows are met in; the penalty; the rows, and those of a block, which is a tile or a group; whether rows are
    read apart, and how many elements ahead lines are asked for.
    """

    X: Array
    scales: Array
    signs: NDArray[Any]
    l2: float
    m: int
    block: int
    plan: CompiledPlan


class Member(NamedTuple):
    """What a member of a team has to itself: its number, scratch as `gradient` takes it, and the whole state."""

    number: int
    scratch: Array
    parameters: Array
    gradients: Array
    moment1: Array
    moment2: Array


@compiled
def train_in_team(
    data: Data,
    member: Member,
    totals_out: Array,
    arrivals_out: Array,
    address: int,
    rates: tuple[float, float, float, float],
    corrections: Array,
    costs_out: Array,
) -> None:
    """As `train` or `train_adam`, by a member of a team: it accumulates its share, and makes every update for itself.

    totals (2, shares, n and more) and arrivals are the team's: one meeting a step suffices, because totals alternate.
    corrections (steps, 2), or (0, 2) for gradient descent. Member 0 writes the costs.
    """
    X, scales, signs, l2, m, block, plan = data
    number, scratch, parameters, gradients, moment1, moment2 = member
    members = totals_out.shape[1]
    for k in range(len(costs_out)):
        totals = totals_out[k % 2]
        call_at(accumulate, address, (X, scales, signs, parameters, m, block, plan, scratch, totals, np.int64(number)))
        meet(arrivals_out, (k + 1) * members)
        J = finish(totals, scales, parameters, l2, m, gradients)
        if number == 0:
            costs_out[k] = J
        if len(corrections) > 0:
            descend_adam(parameters, gradients, moment1, moment2, rates, corrections[k])
        else:
            descend(parameters, gradients, rates[0])


def rates_of(config: Config) -> tuple[float, float, float, float]:
    """Learning rate, β1, β2, ε, the last three zero under gradient descent; compiled for floats, never for an int 1."""
    match config.optimizer:
        case Adam() as adam:
            return float(adam.learning_rate), float(adam.beta1), float(adam.beta2), float(adam.epsilon)
        case descent:
            return float(descent.learning_rate), 0.0, 0.0, 0.0
