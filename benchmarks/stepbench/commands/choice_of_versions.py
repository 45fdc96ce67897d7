"""Which versions are compared, and by which of their rows: the files of kernels, and the names that they go by."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stepbench.commands.choice_of_rows import kernels_of_files
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from stepbench.machine.children import Home
    from stepkernels.interface import Implementation
    from stepreports.comparison.compared import Version

Load = Callable[[Path], "Implementation"]
NAMELESS = "kernel"  # what a row is called whose file cannot be loaded in any version


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A version with its rows, by what they are called in every version.

    faults   what is wrong with those that it does not have
    home     where its processes find its code, and what that imports; None for our own
    """

    version: Version
    rows: dict[str, Implementation] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    home: Home | None = None

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
    def homes(self) -> dict[str, Home]:
        """Of rows by their own names, where their processes run."""
        return {side.named(subject): side.home for side in self.sides if side.home for subject in side.rows}

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
    from stepreports.comparison.compared import Version

    if len(files) < 2:
        raise ProblemError("To compare kernel files, give two or more, the base first: --kernel a.py --kernel b.py.")
    for file in files:
        require_file(file)
    versions = [
        Version(label=label, told=f"`{file.name}`") for label, file in zip(labels_of(files), files, strict=True)
    ]
    return sides_of_files(versions, [[file] for file in files], lambda file: kernels_of_files([file])[0])


def sides_of_files(versions: Sequence[Version], files: Sequence[Sequence[Path]], load: Load) -> Sides:
    """Versions of kernel files: `files` has those of each version, the same kernels in the same order.

    A kernel goes by its name in the first version that can be loaded; one that cannot is a fault of its version.
    """
    loaded = [[_loaded(file, load) for file in of_version] for of_version in files]
    names = [
        next((row.name for row in of_kernel if not isinstance(row, str)), NAMELESS)
        for of_kernel in zip(*loaded, strict=True)
    ]
    distinct_names(names)
    return Sides([_side(version, names, rows) for version, rows in zip(versions, loaded, strict=True)])


def distinct_names(names: Sequence[str]) -> None:
    """Raise `ProblemError` for two kernels of one name."""
    if len(set(names)) < len(names):
        raise ProblemError(f"Two kernels are called {max(names, key=names.count)!r}; give each a name of its own.")


def _side(version: Version, names: Sequence[str], rows: Sequence[Implementation | str]) -> Side:
    """A version with what could be loaded of it, and with what is wrong with the rest."""
    found = dict(zip(names, rows, strict=True))
    return Side(
        version=version,
        rows={name: row for name, row in found.items() if not isinstance(row, str)},
        faults=[f"@{version.label}: {row}" for row in found.values() if isinstance(row, str)],
    )


def _loaded(file: Path, load: Load) -> Implementation | str:
    """The row of a kernel file, or what is wrong with it."""
    from stepbench.checking.kernel_file import KernelFileError

    try:
        return load(file)
    except KernelFileError as error:
        return str(error)


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
