"""What a row takes beside time: memory beyond X and y, and energy where the machine counts it."""

from __future__ import annotations

from collections.abc import Sequence

from stepreports.records.beside_times import Memory
from stepreports.statistics.runs import Record, Run
from stepreports.telling import text

COPIED = 0.75  # of X: what else grows with the number of samples is much less
LEAST_FEATURES = 32  # with fewer, some vectors of length m are as large as X
LEAST_BYTES = 2**24  # of X: below, what an allocator rounds up is as large

MEMORY_NOTE = (
    "Each row in a process that did nothing but one case: bytes in memory beyond X, y and the libraries, at most; how "
    "many of them a process on little data takes as well (code, mostly); and what grows with X."
)


def memory_lines(run: Run) -> list[dict[str, str]]:
    """A line for each row whose memory was measured."""
    return [
        {
            "row": f"`{record.row.name}`",
            "measured at": f"{record.case.size}, {record.case.dtype}",
            "X and y": text.plain_bytes(_data_bytes(record)),
            "beyond them, at most": text.plain_bytes(record.memory.peak_bytes),
            "whatever the size": _bytes(record.memory.fixed_bytes),
            "grows by": "–" if record.memory.copies_of_x is None else f"{record.memory.copies_of_x:.2f} of X and y",
            "copies your X": copies_your_x(record, record.memory),
        }
        for record in run.records
        if record.memory
    ]


def copies_your_x(record: Record, memory: Memory) -> str:
    """Yes or no; of a GPU's row, where to; and where it cannot be told, why."""
    if record.row.device == "cuda":
        return "yes, to the GPU"
    if memory.copies_of_x is None:
        return "cannot tell: measured at one size"
    if record.case.x_bytes < LEAST_BYTES:
        return "cannot tell: X is too small"
    if record.case.n < LEAST_FEATURES:
        return "cannot tell: too few features"
    return "yes" if memory.copies_of_x >= COPIED else "no"


def energy_told(run: Run) -> list[str]:
    """What the energy was read from, or why it was not, a sentence a device; nothing in records that do not say."""
    names = {"cpu": "processor", "cuda": "GPU"}
    found = run.machine.get("energy") or {}
    told = [f"Energy of the {names[device]} was {how}." for device, how in found.items() if device in names]
    if energy_lines(run):
        told.append(
            "Of one step, beyond what the machine takes at rest, in a round of two seconds and more after the turns."
        )
    return told


def energy_lines(run: Run) -> list[dict[str, str]]:
    """A line for each row whose energy was counted."""
    return [
        {
            "row": f"`{record.row.name}`",
            "measured at": f"{record.case.size}, {record.case.dtype}",
            "energy of a step": text.plain_joules(record.energy.joules),
            "power": f"{text.significant(record.energy.watts, 3)} W",
            "at rest": f"{text.significant(record.energy.idle_watts, 3)} W",
            "read from": record.energy.source,
        }
        for record in _counted(run.records)
        if record.energy
    ]


def _counted(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if record.energy and record.stands_for_its_row]


def _data_bytes(record: Record) -> float:
    return record.case.x_bytes * (1 + 1 / record.case.n)


def _bytes(count: int | None) -> str:
    return "–" if count is None else text.plain_bytes(count)
