"""Simulators of GPU libraries: a row's own kernels on the CPU, by what their libraries bring.

A simulator executes a row's arithmetic and indexing. It proves neither what a GPU would compute nor how fast, so with
one switched on nothing is timed (`environment`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from stepkernels import Implementation


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """A library's own way to run its kernels on the CPU.

    environment  to be set before the library is imported: a row is simulated in a process of its own
    options      for the row's bind, beyond the catalogue's
    """

    name: str
    environment: Mapping[str, str]
    options: Mapping[str, object]

    def prepare(self, row: Implementation) -> Implementation:
        """The row as it is bound under the simulator."""
        return replace(row, options={**row.options, **self.options})


SIMULATORS = {
    "triton": Simulator(name="Triton's interpreter", environment={"TRITON_INTERPRET": "1"}, options={"device": "cpu"}),
    "numba_cuda": Simulator(
        name="numba-cuda's simulator", environment={"NUMBA_ENABLE_CUDASIM": "1"}, options={"processors": 1}
    ),
}
"""By the library of a row. The others have none."""
