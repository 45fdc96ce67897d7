"""What the harness found of itself: the figures of `stepbench doctor --self-test --json self-test.json`.

The file lies beside a run's records, or one folder up, where the runs of one machine share it; that of another
machine says nothing and is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stepreports.records.files import read_object
from stepreports.telling import text

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


def self_test_lines(figures: Mapping[str, Any]) -> list[dict[str, str]]:
    """The figures as a table. The bias is that of the median with an empty step added, which known steps hide."""
    slower = text.percent(figures["slower"], 1)
    told = (
        {"an empty step": text.plain_seconds(figures["empty_seconds"], 2)}
        | {
            f"bias of the median of a step of {text.plain_seconds(float(seconds), 1)}": f"{100 * bias:+.2f} %".replace(
                "-", "\N{MINUS SIGN}"
            )
            for seconds, bias in figures["bias"].items()
        }
        | {
            "a row against itself, called different": f"{figures['false_alarms']} of {figures['same']} times",
            f"a row made {slower} slower, seen where it could be": f"{figures['seen']} of {figures['able']} times",
            f"too noisy to see {slower}": f"{figures['slowed'] - figures['able']} of {figures['slowed']} times",
            "the margin: nothing closer was called different": text.percent(figures["margin"]),
        }
    )
    return [{"asked": asked, "found": found} for asked, found in told.items()]


def _kind(machine: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two machines the same for a clock and a scheduler."""
    return tuple(machine.get(name) for name in ("cpu", "allowed_cpus", "virtual_machine"))
