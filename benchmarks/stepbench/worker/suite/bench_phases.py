"""Where a step's time goes: its phases, each called in a loop."""

from collections.abc import Callable

from stepbench.cases.presets import PHASES

OPS = PHASES


def bench_phase(measure_case: Callable[[], None]) -> None:
    measure_case()
