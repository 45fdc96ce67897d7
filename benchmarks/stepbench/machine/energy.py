"""Energy, where the machine counts it: powercap for processors and their memory, NVML for a GPU. Never an estimate.

A counter goes up, in joules, and begins again at its range: between two readings that are seconds apart it has done so
once at most, for the smallest range lasts a minute at any power. What a counter counts is the whole package or device,
whoever uses it, so a reading is worth something only beside one taken idle.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from stepbench.machine.asking import number_of, text_of

POWERCAP = Path("/sys/class/powercap")
MICRO, MILLI = 1e-6, 1e-3  # joules of a unit: of powercap, of NVML


class EnergyError(RuntimeError):
    """No energy can be read here; the message is the reason."""


class Counters(Protocol):
    """Counters of energy that belong to a device; what they count does not overlap. `names` says what it is."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def read(self) -> list[int]:
        """The counters now, in units of their own. Raises `EnergyError`."""

    def joules(self, before: Sequence[int], after: Sequence[int]) -> float:
        """What was used from one reading to the next, all counters together."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used while something ran."""

    joules: float
    seconds: float

    @property
    def watts(self) -> float:
        return self.joules / self.seconds


def spent_during(work: Callable[[], object], counters: Counters, now: Callable[[], float] = time.perf_counter) -> Spent:
    """What the counters counted while `work` ran. Raises `EnergyError`."""
    before, start = counters.read(), now()
    work()
    seconds, after = now() - start, counters.read()
    return Spent(counters.joules(before, after), seconds)


def beyond_idle(busy: Spent, idle: Spent) -> float:
    """Joules that were used beyond what the machine uses when nothing runs. Raises `EnergyError` where that is none."""
    joules = busy.joules - idle.watts * busy.seconds
    if joules <= 0.0:
        raise EnergyError(f"no more was used than at rest ({busy.watts:.3g} W against {idle.watts:.3g} W)")
    return joules


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone of powercap: a package of the processor, or memory that no package counts."""

    name: str
    file: Path
    most: int  # microjoules, after which it begins again at 0


class Powercap:
    """The packages and memory of this machine."""

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.zones = tuple(zones)
        self.names = tuple(zone.name for zone in zones)

    def read(self) -> list[int]:
        found = [number_of(zone.file) for zone in self.zones]
        if None in found:
            raise EnergyError("a counter under powercap could not be read a second time")
        return [value for value in found if value is not None]

    def joules(self, before: Sequence[int], after: Sequence[int]) -> float:
        counted = zip(self.zones, before, after, strict=True)
        return MICRO * sum((then - first) % (zone.most + 1) for zone, first, then in counted)


def powercap(root: Path = POWERCAP) -> Powercap:
    """The counters of the processor, all packages and the memory beside them. Raises `EnergyError`.

    Cores and uncore are parts of a package, and psys is the whole machine around it: to add them would count twice.
    """
    if sys.platform != "linux" and root == POWERCAP:
        raise EnergyError("this system shows no program the energy that its processor uses")
    folders = [folder for folder in sorted(root.glob("intel-rapl:*")) if _counts(text_of(folder / "name"))]
    if not folders:
        raise EnergyError(
            "the system shows no counter of energy (powercap has no package): a virtual machine, as a rule, or a "
            "kernel without intel_rapl"
        )
    if any(number_of(folder / "energy_uj") is None for folder in folders):
        raise EnergyError("the counters of energy are there, and only root may read them (powercap's energy_uj)")
    ranges = {folder: number_of(folder / "max_energy_range_uj") for folder in folders}
    if not all(ranges.values()):
        raise EnergyError("the counters of energy do not say where they begin again (max_energy_range_uj)")
    return Powercap([Zone(_named(folder), folder / "energy_uj", most) for folder, most in ranges.items() if most])


def _counts(name: str) -> bool:
    return name.startswith("package") or name == "dram"


def _named(folder: Path) -> str:
    """`package-0`; memory with its package, `dram-0`."""
    name = text_of(folder / "name")
    return f"dram-{folder.name.split(':')[1]}" if name == "dram" else name


class GpuCounter:
    """The energy of the first GPU since its driver was loaded, in millijoules of 64 bits: it does not begin again."""

    names = ("GPU",)

    def __init__(self, nvml: Any) -> None:
        """`nvml` is the module pynvml. Raises `EnergyError` where it has no such counter."""
        self.nvml = nvml
        try:
            nvml.nvmlInit()
            self.gpu = nvml.nvmlDeviceGetHandleByIndex(0)
        except nvml.NVMLError as error:
            raise EnergyError(f"NVML cannot be asked: {error}") from None
        self.read()

    def read(self) -> list[int]:
        try:
            return [int(self.nvml.nvmlDeviceGetTotalEnergyConsumption(self.gpu))]
        except self.nvml.NVMLError as error:
            raise EnergyError(f"this GPU has no counter of energy: {error}") from None

    def joules(self, before: Sequence[int], after: Sequence[int]) -> float:
        return MILLI * sum(then - first for first, then in zip(before, after, strict=True))


def first_gpu() -> GpuCounter:
    """The first GPU's counter. Raises `EnergyError`."""
    import pynvml

    return GpuCounter(pynvml)


METERS: dict[str, Callable[[], Counters]] = {"cpu": powercap, "cuda": first_gpu}  # by a row's device


def energy_by_device(devices: Sequence[str] = ("cpu", "cuda")) -> dict[str, str]:
    """What counts the energy of each device, or why nothing does, as a record has it."""
    found = {}
    for device in devices:
        try:
            found[device] = f"read from {', '.join(METERS[device]().names)}"
        except EnergyError as error:
            found[device] = f"not read: {error}"
    return found
