"""Arithmetic for Triton's kernels, with errors of a few roundings in float32 as in float64.

In float32 `tl.exp`, `tl.log`, `/` and `tl.sqrt` are the hardware's approximations; exp gets a reduced argument here,
log1p is a series, and quotients and roots are the rounded ones.
"""

# Kernels are typed by what they are called with.
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

import triton
import triton.language as tl

# ln 2 in two float32 numbers; k·LN2_HIGH is exact for |k| < 2⁹ because the last nine bits of LN2_HIGH are zero.
LN2_HIGH: tl.constexpr = tl.constexpr(0.693145751953125)
LN2_LOW: tl.constexpr = tl.constexpr(1.42860677e-06)
LOG2_E: tl.constexpr = tl.constexpr(1.4426950408889634)


@triton.jit
def divide(a, b):
    """A / b, correctly rounded."""
    return tl.div_rn(a, b) if a.dtype == tl.float32 else a / b


@triton.jit
def square_root(a):
    """√a, correctly rounded."""
    return tl.sqrt_rn(a) if a.dtype == tl.float32 else tl.sqrt(a)


@triton.jit
def exp_of_negative(x):
    """exp(x) for x ≤ 0. In float32 as 2ᵏ·exp(f) with |f| ≤ ½ ln 2: the hardware's exp(x) errs by |x| roundings."""
    if x.dtype == tl.float64:
        return tl.exp(x)
    x = tl.maximum(x, -150.0, propagate_nan=tl.PropagateNan.ALL)
    k = tl.floor(x * LOG2_E + 0.5)
    f = tl.fma(-k, tl.full(k.shape, LN2_HIGH, x.dtype), x)
    f = tl.fma(-k, tl.full(k.shape, LN2_LOW, x.dtype), f)
    return tl.exp2(k) * tl.exp(f)


@triton.jit
def log1p_of_unit(d):
    """log(1 + d) for 0 ≤ d ≤ 1, as 2·atanh(s) = 2(s + s³/3 + s⁵/5 + …) with s = d/(2 + d) ≤ ⅓: nothing cancels.

    The first term left out is below 9⁻ᵗ/(2t + 1) of the sum: 1.5e-9 after 8 terms, 2e-18 after 17.
    """
    TERMS: tl.constexpr = 17 if d.dtype == tl.float64 else 8
    s = divide(d, 2.0 + d)
    total = tl.zeros_like(s)
    for k in tl.static_range(TERMS):
        total = total * (s * s) + 1.0 / (2 * (TERMS - 1 - k) + 1)
    return 2.0 * s * total


@triton.jit
def outcome(z, sign):
    """softplus(t) and (1 − 2y)·σ(t), which is p − y, of t = (1 − 2y)·z. Neither overflows or cancels."""
    t = sign * z
    decay = exp_of_negative(-tl.abs(t))
    loss = tl.maximum(t, 0.0, propagate_nan=tl.PropagateNan.ALL) + log1p_of_unit(decay)
    r = sign * divide(tl.where(t >= 0.0, 1.0, decay).to(t.dtype), 1.0 + decay)
    return loss, r


@triton.jit
def one_minus_power(log_beta, step):
    """1 − βᵗ in float64. Close to 1 it is −expm1(y) of y = t·log β by its series, which keeps the digits."""
    y = step.to(tl.float64) * log_beta
    series = tl.full((), 1.0, tl.float64)
    for k in tl.static_range(16):
        series = 1.0 + series * y / (17 - k)
    return tl.where(y > -0.5, -y * series, 1.0 - tl.exp(y))
