"""One training step: forward, backward, update."""

from collections.abc import Callable

from stepkernels.interface import Op

OPS = (Op.STEP,)


def bench_step(measure_case: Callable[[], None]) -> None:
    measure_case()
