"""Which versions are compared, and by which of their rows: two kernel files or more."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stepbench.commands.choice_of_rows import kernels_of_files
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from stepkernels.interface import Implementation
    from stepreports.comparison.compared import Version

NAMELESS = "kernel"  # what a row is called whose file cannot be loaded in any version


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A version with its rows, by what they are called in every version; `faults` are of those that it has not."""

    version: Version
    rows: dict[str, Implementation] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def named(self, subject: str) -> str:
        """What a row of this version goes by: no other row has an @."""
        return f"{subject}@{self.version.label}"


@dataclass(frozen=True, slots=True)
class Sides:
    """The versions that are compared, the base first."""

    sides: Sequence[Side]

    @property
    def rows(self) -> list[Implementation]:
        """Every row of every version, each under a name of its own."""
        return [
            replace(side.rows[subject], name=side.named(subject))
            for subject in self.subjects
            for side in self.sides
            if subject in side.rows
        ]

    @property
    def subjects(self) -> list[str]:
        """What is compared: the names that rows have in any version."""
        return list(dict.fromkeys(subject for side in self.sides for subject in side.rows))

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The base's row, and the same of another version, whether or not both could be loaded."""
        base, *others = self.sides
        return [(base.named(subject), other.named(subject)) for subject in self.subjects for other in others]

    @property
    def faults(self) -> list[str]:
        return [fault for side in self.sides for fault in side.faults]

    @property
    def versions(self) -> list[Version]:
        return [side.version for side in self.sides]


def versions_of_files(files: Sequence[Path]) -> Sides:
    """Kernel files, each a version of one row, the first of them the base. Raises `ProblemError` for none or one."""
    from stepbench.checking.kernel_file import KernelFileError
    from stepreports.comparison.compared import Version

    if len(files) < 2:
        raise ProblemError("To compare kernel files, give two or more, the base first: --kernel a.py --kernel b.py.")
    found: list[tuple[Version, Implementation | KernelFileError]] = []
    for label, file in zip(labels_of(files), files, strict=True):
        version = Version(label=label, told=f"`{file.name}`")
        try:
            found += [(version, kernels_of_files([require_file(file)])[0])]
        except KernelFileError as error:
            found += [(version, error)]
    subject = next((row.name for _, row in found if not isinstance(row, KernelFileError)), NAMELESS)
    return Sides(
        [
            Side(version=version, faults=[str(row)])
            if isinstance(row, KernelFileError)
            else Side(version=version, rows={subject: row})
            for version, row in found
        ]
    )


def require_file(path: Path) -> Path:
    """Raise `ProblemError` for what is no file: that is bad usage, and no fault of a version's."""
    if not path.is_file() or path.suffix != ".py":
        raise ProblemError(f"There is no kernel file {str(path)!r}; give the path of a .py file.")
    return path


def labels_of(files: Sequence[Path]) -> list[str]:
    """A short name for each file: its own, where these tell them apart, or else its number."""
    names = [file.stem for file in files]
    plain = all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}", name) for name in names)
    different = len({name.casefold() for name in names}) == len(names)
    return names if plain and different else [str(place) for place in range(1, len(files) + 1)]
