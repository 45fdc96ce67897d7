"""Backward, in full: two samples of two features, and every number between the data and the new parameters.

Each quantity is formed the long way, link by link of the chain rule, not by the short formula that it ends in; that
both agree is what the text shows and what the tests hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stepkernels.problem import Array, Problem

X = np.array([[1.0, 2.0], [3.0, -1.0]])
Y = np.array([1.0, 0.0])
W = np.array([0.5, -0.25])
B = 0.1
RATE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkedExample:
    """Every intermediate number. Vectors have an entry a sample, (2,); products one a sample and feature, (2, 2).

    products             x·w, summed into z
    dloss_da, da_dz, dz  the two links from a sample's loss to its z, and their product
    shares               x·dz/m, what each sample adds to gw
    """

    X: Array
    y: Array
    w: Array
    b: float
    products: Array
    z: Array
    a: Array
    loss: Array
    J: float
    dloss_da: Array
    da_dz: Array
    dz: Array
    shares: Array
    gw: Array
    gb: float
    rate: float
    new_w: Array
    new_b: float
    new_J: float


def problem() -> Problem:
    """The example's data and its starting point."""
    return Problem(X, Y, W, B)


def forward(w: Array, b: float) -> tuple[Array, Array, Array, Array, float]:
    """The products x·w, z, a, the losses, and J."""
    products = X * w
    z = products.sum(axis=1) + b
    a = 1.0 / (1.0 + np.exp(-z))
    loss = -(Y * np.log(a) + (1.0 - Y) * np.log(1.0 - a))
    return products, z, a, loss, float(loss.mean())


def worked_example() -> WorkedExample:
    """Forward, backward and one update, link by link."""
    products, z, a, loss, J = forward(W, B)
    dloss_da = -Y / a + (1.0 - Y) / (1.0 - a)
    da_dz = a * (1.0 - a)
    dz = dloss_da * da_dz
    shares = X * dz[:, np.newaxis] / len(Y)
    gw, gb = shares.sum(axis=0), float(dz.mean())
    new_w, new_b = W - RATE * gw, B - RATE * gb
    return WorkedExample(
        X=X, y=Y, w=W, b=B,
        products=products, z=z, a=a, loss=loss, J=J,
        dloss_da=dloss_da, da_dz=da_dz, dz=dz, shares=shares, gw=gw, gb=gb,
        rate=RATE, new_w=new_w, new_b=new_b, new_J=forward(new_w, new_b)[-1],
    )  # fmt: skip
