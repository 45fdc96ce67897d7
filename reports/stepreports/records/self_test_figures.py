"""What the harness found of itself: the figures of `stepbench doctor --self-test --json self-test.json`.

The file lies beside a run's records, or one folder up, where the runs of one machine share it; that of another
machine says nothing and is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stepreports.records.files import read_object
from stepreports.records.machines import Machine, differing, processors_apart
from stepreports.records.schema import SelfTest, SelfTestFile
from stepreports.records.validation import held_to

NAME = "self-test.json"
_DECISIVE = ("allowed_cpus", "virtual_machine")  # for a clock and a scheduler, beside the processor


def self_test_of(folder: Path, machine: Machine) -> Mapping[str, Any] | None:
    """The figures for a run of this machine. Raises `RecordError` for a file that is damaged."""
    return next((found for _, found in _found(folder, machine)), None)


def self_test_file(folder: Path, machine: Machine) -> Path | None:
    """The file that has them. Raises `RecordError` for one that is damaged."""
    return next((path for path, _ in _found(folder, machine)), None)


def _found(folder: Path, machine: Machine) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    for path in (folder / NAME, folder.resolve().parent / NAME):
        if path.is_file():
            found = held_to(SelfTestFile, read_object(path), str(path))
            if found.self_test and _is_of(found.machine or {}, machine):
                held_to(SelfTest, found.self_test, f"{path}, self_test")
                yield path, found.self_test


def _is_of(tested: Machine, machine: Machine) -> bool:
    return not (processors_apart(tested, machine) or differing(tested, machine, _DECISIVE))
