"""What a run was begun with: the files of kernels and data, the code, the versions, the machine, the environment.

A run that is resumed goes on with the same or not at all, so that no record is of two programs.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import stepkernels
from stepbench.cases.file_names import shown, shown_name
from stepbench.cases.reading import AS_IT_LOOKS, Reading
from stepkernels.interface import Implementation
from stepreports.records.files import read_object, write_json
from stepreports.records.machines import PROCESSOR, processor_of

MACHINE = (
    "cpu", "machine", "cores", "threads", "numa_nodes", "allowed_cpus", "quota_cpus", "memory_limit_bytes",
    "caches", "hypervisor", "memory_bytes", "environment", "blas",
)  # fmt: skip
PLACES = "data-files.json"
CODE_SUFFIXES = (".py", ".cu", ".cpp")
MEMORY_STEP = 2**28  # two starts of one machine differ by less


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file that a run is about, as it was when the run was planned. `name` is the row's or the data set's.

    target, reading  of data: the column to learn, and how the file is read
    """

    name: str
    file: str
    sha256: str
    target: str | None = None
    reading: Reading = AS_IT_LOOKS

    def without_place(self) -> Source:
        """The same as a record has it: the folder that a file came from is nobody's business."""
        return replace(self, file=shown_name(Path(self.file)))

    def has_changed(self, file: Path | None = None) -> bool:
        """Whether the file, or one given in its stead, holds something else by now."""
        return fingerprint(Path(self.file) if file is None else file) != self.sha256

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Source:
        return cls(**{**stored, "reading": Reading(**stored.get("reading", {}))})


def write_places(folder: Path, sources: Iterable[Source]) -> None:
    """Keep where the files are, seen from the run's folder: beside the records, and in none of them."""
    places = {source.name: shown(os.path.relpath(Path(source.file).resolve(), folder.resolve())) for source in sources}
    if places:
        write_json(folder / PLACES, places)


def read_places(folder: Path) -> dict[str, Path]:
    """Where the files were, from wherever the run is resumed. Raises `RecordError`."""
    if not (folder / PLACES).is_file():
        return {}
    places = read_object(folder / PLACES)
    return {name: (folder.resolve() / str(place)).resolve() for name, place in places.items()}


class Difference(NamedTuple):
    """What may not be as it was. `of_versions` says that it may be overridden."""

    what: str
    then: object
    now: object
    of_versions: bool

    def __str__(self) -> str:
        return f"{self.what} was {_told(self.then)} and is {_told(self.now)}"


def kernel_source(row: Implementation) -> Source:
    """Of a row that is a file; `has_changed` takes the file alone."""
    return Source(name=row.name, file=row.module, sha256=fingerprint(Path(row.module)))


def fingerprint(file: Path) -> str:
    """The SHA-256 of a file; empty for one that is not there."""
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return ""


def code_fingerprint() -> str:
    """One SHA-256 over the code of the harness and of the rows, changed or not since the last commit."""
    packages = [Path(__file__).parents[1], Path(stepkernels.__file__).parent]
    found = hashlib.sha256()
    for package in packages:
        for file in sorted(path for path in package.rglob("*") if path.suffix in CODE_SUFFIXES):
            found.update(file.relative_to(package).as_posix().encode() + file.read_bytes())
    return found.hexdigest()


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[Difference]:
    """In what two headers of runs differ. What either does not tell is no difference."""
    facts = [*_of_machines(then.get("machine") or {}, now["machine"]), *_of_code(then, now)]
    return [fact for fact in facts if fact.then != fact.now]


def _of_machines(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    for fact in MACHINE:
        if fact in then:
            yield Difference(f"the machine's {fact}".replace("_", " "), _fact(fact, then), _fact(fact, now), False)
    before, after = (processor_of(machine) for machine in (then, now))
    for fact in PROCESSOR if before else ():
        yield Difference(f"the processor's {fact}".replace("_", " "), before.get(fact), after.get(fact), False)
    yield Difference("the machine's GPUs", _models(then), _models(now), False)
    yield Difference("Python", then.get("python"), now.get("python"), True)
    yield Difference("the system", then.get("system"), now.get("system"), True)
    old, new = then.get("versions") or {}, now["versions"]
    for name in dict.fromkeys([*old, *new]):
        yield Difference(name, old.get(name, "absent"), new.get(name, "absent"), True)


def _of_code(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Difference]:
    before, after = ((header.get("commit") or {}).get("id") for header in (then, now))
    if before and after:
        yield Difference("the commit", before[:10], after[:10], True)
    if then.get("code"):
        yield Difference("the code of stepbench", then["code"][:10], now["code"][:10], True)


def _fact(fact: str, machine: Mapping[str, Any]) -> Any:
    value = machine.get(fact)
    return round(value / MEMORY_STEP) * MEMORY_STEP if fact == "memory_bytes" and value else value


def _models(machine: Mapping[str, Any]) -> list[Any]:
    return [gpu.get("model") for gpu in machine.get("gpus") or []]


def _told(value: object) -> str:
    return "not there" if value in (None, {}, []) else str(value)


def by_name(sources: Iterable[Source]) -> dict[str, Source]:
    return {source.name: source for source in sources}
