"""The gradient of a fused step: the rows in shares, their sums in one thread or in as many as there are shares.

What is added in which order depends on the shares, not on who works them off: the same bits on one thread, on Numba's
pool and in a team.
"""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import numpy as np
from numba import prange

from stepkernels.problem import Array
from stepkernels.rows.numba_fused.addresses import call_at
from stepkernels.rows.numba_fused.pipeline import CompiledPlan, accumulate_rows, bounds_of
from stepkernels.rows.numba_fused.residuals import LOSS, RESIDUAL
from stepkernels.rows.numba_fused.tiles import accumulate_tiles
from stepkernels.simd import VECTOR_BYTES, compiled, compiled_parallel, compiled_within


@compiled
def accumulate(
    X: Array,
    scales: Array,
    signs: Array,
    parameters: Array,
    m: int,
    block: int,
    plan: CompiledPlan,
    scratch_out: Array,
    totals_out: Array,
    share: int,
) -> None:
    """The sums Xᵀr, Σr and Σ loss over one share of the rows into its row of totals (shares, n and more).

    Of an X that was divided by scales, one for each column: the weights are multiplied by them here, the sums when they
    are finished. Without scales, which are then none, nothing is.
    """
    rows = bounds_of(share, len(totals_out), m, block)
    if len(scales) > 0:
        scratch, scaled = split(scratch_out, len(parameters))
        for j in range(len(scales)):
            scaled[j] = parameters[j] * scales[j]
        scaled[len(scales)] = parameters[len(scales)]
        parameters, scratch_out = scaled, scratch
    if X.ndim == 3:  # known when compiled, as below
        accumulate_tiles(X, signs, parameters, rows, block, scratch_out, totals_out[share])
    else:
        accumulate_rows(X, signs, parameters, rows, block, plan, scratch_out, totals_out[share])


@compiled_within
def split(scratch: Array, parameters: int) -> tuple[Array, Array]:
    """What is left of scratch, and so many elements at its end, behind which a vector may be loaded whole."""
    left = len(scratch) - elements_of_scaled(parameters)
    return scratch[:left], scratch[left : left + parameters]


@compiled
def elements_of_scaled(parameters: int) -> int:
    """The elements at the end of scratch that scaled parameters take, with a vector behind them."""
    return parameters + VECTOR_BYTES // 4


@compiled_parallel
def accumulate_in_parallel(
    X: Array,
    scales: Array,
    signs: Array,
    parameters: Array,
    m: int,
    block: int,
    plan: CompiledPlan,
    scratch_out: Array,
    totals_out: Array,
    address: int,
) -> None:
    """As `accumulate`, all shares, one thread of Numba's pool each."""
    for share in prange(len(totals_out)):
        scratch = scratch_out[share]
        call_at(
            accumulate,
            address,
            (X, scales, signs, parameters, m, block, plan, scratch, totals_out, np.int64(share)),
        )


@compiled_within
def finish(totals: Array, scales: Array, parameters: Array, l2: float, m: int, gradients_out: Array) -> float:
    """The cost J; writes gradients (n + 1,), the bias last. Shares are added in order."""
    n, shares, penalty, r_sum, loss = len(parameters) - 1, len(totals), 0.0, 0.0, 0.0
    for j in range(n):
        total = totals[0, j]
        for share in range(1, shares):
            total += totals[share, j]
        if len(scales) > 0:
            total *= scales[j]
        gradients_out[j] = total / m + l2 * parameters[j]
        penalty += float(parameters[j]) * float(parameters[j])
    for share in range(shares):
        r_sum += totals[share, RESIDUAL]
        loss += totals[share, LOSS]
    gradients_out[n] = r_sum / m
    return loss / m + 0.5 * l2 * penalty


@compiled
def gradient(
    X: Array,
    scales: Array,
    signs: Array,
    parameters: Array,
    l2: float,
    m: int,
    block: int,
    plan: CompiledPlan,
    scratch_out: Array,
    totals_out: Array,
    gradients_out: Array,
    address: int,
) -> float:
    """The cost J; writes gradients (n + 1,), the bias last.

    X (m, n), or tiles of it; scales as `accumulate` has them, signs as `Data` has them; parameters (n + 1,). totals
    (shares, n and more), float64, and scratch in the dtype computed in are overwritten: a row of scratch for each
    share, or one for one thread. `accumulate` lies at the address.
    """
    if scratch_out.ndim == 1:  # known when compiled: a step of one thread has no parallel code in it
        for share in range(len(totals_out)):
            call_at(
                accumulate,
                address,
                (X, scales, signs, parameters, m, block, plan, scratch_out, totals_out, np.int64(share)),
            )
    else:
        accumulate_in_parallel(X, scales, signs, parameters, m, block, plan, scratch_out, totals_out, address)
    J: float = finish(totals_out, scales, parameters, l2, m, gradients_out)
    return J
