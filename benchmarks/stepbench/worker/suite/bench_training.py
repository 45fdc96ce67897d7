"""Thousands of steps: train(k) where a row has it, k calls of step where it has not."""

from collections.abc import Callable

from stepkernels.interface import Op

OPS = (Op.TRAIN,)


def bench_training(measure_case: Callable[[], None]) -> None:
    measure_case()
