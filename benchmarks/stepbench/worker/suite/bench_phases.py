"""Where a step's time goes: its phases, each called in a loop."""

from collections.abc import Callable

from stepkernels.interface import Op

OPS = (Op.FORWARD, Op.BACKWARD, Op.GRADIENT, Op.UPDATE)


def bench_phase(measure_case: Callable[[], None]) -> None:
    measure_case()
