"""What stands beside the times of a record: memory, energy, and what a narrower storage of X costs in accuracy."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from stepreports.records.bounded import Amount, Duration, Fraction, Name, Relative, Share


class Memory(Struct):
    """Bytes beyond X, y and the libraries, in a process that did nothing but the case.

    `fixed_bytes` are those of a process on little data; `copies_of_x` what grows, as a multiple of X and y.
    """

    peak_bytes: Amount
    held_bytes: Amount
    fixed_bytes: Amount | None = None
    copies_of_x: Share | None = None


class Energy(Struct):
    """Joules of an operation beyond those at rest, by counters of the machine."""

    joules: Annotated[float, Meta(gt=0, le=1e9)]
    idle_watts: Annotated[float, Meta(ge=0, le=1e9)]
    watts: Annotated[float, Meta(ge=0, le=1e9)]
    seconds: Duration
    source: Name


class Distance(Struct):
    """From the unrounded X to the one in a narrower storage.

    J, gw            at one point, relative
    coefficients     the largest change of the optimum's, relative to the largest of them
    accuracy, accuracy_stored   of both optima on the unrounded X
    """

    J: Relative
    gw: Relative
    coefficients: Relative
    accuracy: Fraction
    accuracy_stored: Fraction
