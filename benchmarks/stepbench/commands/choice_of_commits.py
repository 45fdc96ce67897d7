"""Which commits are compared: their files put where they can be used, and the rows that are found there."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stepbench.commands.choice_of_versions import Side, Sides, sides_of_files
from stepbench.commands.terminal import say, split_list
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from stepbench.machine.children import Home
    from stepbench.run.commits.repository import Repository
    from stepreports.comparison.compared import Version

LABELS = ("base", "head")
DEFAULT_ROWS = "numba-fused,numpy-blas"  # what most changes are about, and what most of them leave as it is


@dataclass(frozen=True, slots=True)
class Asked:
    """A version that was asked for: a commit, or the working tree where there is none."""

    version: Version
    repository: Repository

    @property
    def commit(self) -> str | None:
        return self.version.commit

    def has(self, path: PurePosixPath) -> bool:
        """Whether the version has a file or folder there."""
        commit, there = self.commit, self.repository.root / path
        return self.repository.has(commit, path) if commit else there.exists()

    def require(self, path: PurePosixPath) -> None:
        """Raise `VersionError` for a file that the version does not have."""
        from stepbench.run.commits.repository import VersionError

        if not self.has(path):
            raise VersionError(
                self.version.label,
                f"There is no {path} in {self.version.told}, so there is nothing to compare. Name a file that both "
                "have, or two files: --kernel before.py --kernel after.py.",
            )

    def files(self, paths: Sequence[PurePosixPath]) -> Path:
        """A folder with what lies at and below these paths, under their own names."""
        from stepbench.run.commits.kept_trees import kept

        commit, chosen, of = self.commit, list(paths), self.repository
        if commit is None:
            return kept(f"tree-{of.fingerprint(chosen)}", lambda folder: of.copy_working_tree(chosen, folder))
        places = hashlib.sha256("\0".join(map(str, chosen)).encode()).hexdigest()[:16]
        return kept(f"commit-{commit}-{places}", lambda folder: of.export(commit, chosen, folder))


def asked_versions(repository: Repository, base: str, head: str | None) -> list[Asked]:
    """The base, and the head or the working tree. Raises `ProblemError` for a commit that is not there."""
    return [
        Asked(_version(repository, name, label), repository) for name, label in zip((base, head), LABELS, strict=True)
    ]


def kernels_of_commits(files: Sequence[Path], base: str, head: str | None) -> Sides:
    """The same kernel files in two commits, each with the folder that it lies in. Raises `ProblemError`."""
    from stepbench.run.commits.repository import Repository

    repository = Repository.of(files[0])
    versions = asked_versions(repository, base, head)
    paths = [repository.path_of(file) for file in files]
    for version in versions:
        for path in paths:
            version.require(path)
    trees = [version.files(folders_of(paths)) for version in versions]
    from stepbench.checking.kernel_file import load_kernel

    there = [[tree / path for path in paths] for tree in trees]
    load = partial(load_kernel, foreign=repository.root)
    return sides_of_files([each.version for each in versions], there, load)


def folders_of(paths: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    """What a kernel file comes with: all that lies at and below its folder."""
    return list(dict.fromkeys(path.parent for path in paths))


def rows_of_commits(names: str | None, base: str, head: str | None, *, same_environment: bool) -> Sides:
    """Rows of this project in two commits of the checkout that one is in. Raises `ProblemError`."""
    from stepbench.machine.children import Home
    from stepbench.run.commits.catalogue import CATALOGUE, KERNELS, METADATA, apart, dependencies
    from stepbench.run.commits.environments import LOCK
    from stepbench.run.commits.repository import Repository

    repository = Repository.of(Path())
    versions = asked_versions(repository, base, head)
    if not (repository.root / CATALOGUE).is_file():
        raise ProblemError(
            f"{repository.root} is no checkout of stepbench, whose rows --rows names. To compare a kernel of your own "
            "in two commits, name its file: stepbench compare BASE --kernel path/to/kernel.py."
        )
    for version in versions:
        version.require(CATALOGUE)
        version.require(METADATA)
    wanted = [KERNELS, METADATA, PurePosixPath(LOCK)]
    trees = [version.files([path for path in wanted if version.has(path)]) for version in versions]
    sides = [_side_of(version, Home(tree / KERNELS), names) for version, tree in zip(versions, trees, strict=True)]
    asked = [dependencies(tree) for tree in trees]
    differing = [*apart(*asked), *_locks_apart(trees)]
    if not differing or same_environment:
        return Sides(sides)
    say(f"The two ask for other libraries, and each has an environment of its own: {'; '.join(differing)}.")
    return Sides([_at_home(*each) for each in zip(sides, trees, asked, strict=True)])


def _locks_apart(trees: Sequence[Path]) -> list[str]:
    """That the locks differ, in words; nothing where they do not."""
    from stepbench.run.commits.environments import LOCK

    locks = {(tree / LOCK).read_bytes() if (tree / LOCK).is_file() else b"" for tree in trees}
    return [f"{LOCK} differs"] if len(locks) > 1 else []


def _at_home(side: Side, tree: Path, requirements: Mapping[str, frozenset[str]]) -> Side:
    """The same in an environment of its own, where its kernels have been imported. Raises `VersionError`."""
    from stepbench.run.commits.catalogue import KERNELS, rows_of_version
    from stepbench.run.commits.environments import asked_by, home_of
    from stepbench.run.commits.repository import VersionError

    version, way_out = side.version, "With --same-environment both run with what is installed here."
    if on_gpu := [row.name for row in side.rows.values() if row.device != "cpu"]:
        told = f"{', '.join(on_gpu)} would need the libraries of a GPU in an environment of its own, which is not made"
        raise VersionError(version.label, f"{told}. {way_out}")
    asked = asked_by(tree, requirements, [row.library for row in side.rows.values()])
    try:
        home = home_of(tree / KERNELS, asked, lambda: say(f"Installing what {version.told} asks for, this once."))
    except VersionError:
        raise
    except ProblemError as error:
        raise VersionError(version.label, f"{_first_of(version.told)}: {error}. {way_out}") from None
    rows_of_version(home, version)
    return replace(side, home=home)


def _side_of(asked: Asked, home: Home, names: str | None) -> Side:
    """The rows of a version that were asked for. One that it does not have is a fault of it."""
    from stepbench.run.commits.catalogue import rows_of_version
    from stepbench.run.commits.repository import VersionError

    known = rows_of_version(home, asked.version)
    wanted = split_list(DEFAULT_ROWS if names is None else names)
    if not wanted:
        raise ProblemError(f"{names!r} names no row (see `stepbench list`).")
    missing = [f"{name}@{asked.version.label}: there is no row {name!r} in {asked.version.told}."
               for name in wanted if name not in known]  # fmt: skip
    if len(missing) == len(wanted):
        told = f"{_first_of(asked.version.told)} has none of the rows {', '.join(wanted)}."
        raise VersionError(asked.version.label, f"{told} `stepbench list` shows those of the working tree.")
    rows = {name: known[name] for name in wanted if name in known}
    return Side(version=asked.version, rows=rows, faults=missing, home=home)


def _first_of(told: str) -> str:
    """What a version is, to begin a sentence."""
    return f"{told[:1].upper()}{told[1:]}"


def _version(repository: Repository, name: str | None, label: str) -> Version:
    """A commit, or the working tree, which is one where nothing was changed. Raises `ProblemError`."""
    from stepbench.run.commits.repository import SHORT
    from stepreports.comparison.compared import Version

    if name is None:
        _require_no_merge(repository, label)
        if repository.changes():
            return Version(label=label, told="the changed working tree")
        return replace(
            _version(repository, "HEAD", label), told=f"the working tree, commit {repository.commit('HEAD')[:SHORT]}"
        )
    commit = repository.commit(name)
    also = "" if commit.startswith(name) else f" ({name})"
    committed, subject, ancestors = repository.place_of(commit)
    return Version(
        label=label,
        told=f"commit {commit[:SHORT]}{also}",
        commit=commit,
        committed=committed,
        subject=subject,
        ancestors=ancestors,
    )


def _require_no_merge(repository: Repository, label: str) -> None:
    """Raise `VersionError` for a working tree in the middle of a merge."""
    from stepbench.run.commits.repository import VersionError

    if torn := repository.conflicts():
        told = f"The working tree has files in conflict ({', '.join(torn[:3])}{', …' if torn[3:] else ''})"
        raise VersionError(label, f"{told}. Finish or abort the merge, or name the commit to compare: BASE HEAD.")
