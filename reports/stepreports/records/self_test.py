"""What the harness found of itself: the figures of `stepbench doctor --self-test --json self-test.json`.

The file lies beside a run's records, or one folder up, where the runs of one machine share it; that of another
machine says nothing and is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stepreports.records.files import read_object

NAME = "self-test.json"


def self_test_of(folder: Path, machine: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The figures for a run of this machine. Raises `RecordError` for a file that was cut off."""
    for place in (folder, folder.resolve().parent):
        if (place / NAME).is_file():
            found = read_object(place / NAME)
            if found.get("self_test") and _kind(found.get("machine") or {}) == _kind(machine):
                figures: Mapping[str, Any] = found["self_test"]
                return figures
    return None


def _kind(machine: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two machines the same for a clock and a scheduler."""
    return tuple(machine.get(name) for name in ("cpu", "allowed_cpus", "virtual_machine"))
