"""A git repository that is read and never changed: no worktree is added to it, no index refreshed, no branch moved."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from stepkernels.problem import ProblemError

SHORT = 10  # characters of a commit that is told


class VersionError(ProblemError):
    """A version that cannot be compared, whatever is asked of it; `label` says which of those that were named."""

    def __init__(self, label: str, told: str) -> None:
        super().__init__(told)
        self.label = label


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository by the folder that its files lie in. Whatever cannot be had raises `ProblemError`."""

    root: Path

    @classmethod
    def of(cls, place: Path) -> Repository:
        """The repository of a file or folder that is, or was, there."""
        folder = next(each for each in (place.absolute(), *place.absolute().parents) if each.is_dir())
        done = _git(folder, "rev-parse", "--show-toplevel")
        if done.returncode:
            raise ProblemError(
                f"{folder} is in no git repository that can be read ({_last_line(done)}). "
                "Go into one, or compare files: --kernel before.py --kernel after.py."
            )
        return cls(Path(os.fsdecode(done.stdout).removesuffix("\n")))

    def commit(self, name: str) -> str:
        """The full name of a commit."""
        if name.startswith("-") or not name.strip():
            raise ProblemError(f"{name!r} names no commit; write a branch, a tag or a commit as `git log` shows it.")
        done = _git(self.root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if not done.returncode:
            return done.stdout.decode().strip()
        if _git(self.root, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            raise ProblemError(
                f"{name!r} is not in this clone, which is shallow. Fetch the history: `git fetch --unshallow`, or, "
                "of the checkout action on a CI runner, `fetch-depth: 0`."
            )
        raise ProblemError(
            f"There is no commit called {name!r} here. `git log --oneline --all` shows those that are; one of another "
            "repository is there after `git fetch`."
        )

    def after(self, base: str, head: str, paths: Sequence[PurePosixPath] = ()) -> list[str]:
        """The commits after one up to another, along first parents, the oldest first; those that change the paths."""
        chosen = [str(path) for path in paths if str(path) != "."]
        return self._told("rev-list", "--reverse", "--first-parent", f"{base}..{head}", "--", *chosen).split()

    def place_of(self, commit: str) -> tuple[str, str, int]:
        """When a commit was made, by its committer's clock; its first line; how many commits came before it."""
        told = self._told("show", "-s", "--no-show-signature", "--format=%cI %s", commit)
        committed, _, subject = told.partition(" ")
        return committed, subject, int(self._told("rev-list", "--count", commit)) - 1

    def _told(self, *arguments: str) -> str:
        """What git prints of a commit that is there."""
        done = _git(self.root, *arguments)
        if done.returncode:
            raise ProblemError(f"git cannot read {self.root} ({_last_line(done)}). `git fsck` says what is damaged.")
        return done.stdout.decode("utf-8", "replace").strip()

    def changes(self) -> list[str]:
        """What git says of files that differ from the commit that is checked out: two letters, and the name."""
        return self._told("status", "--porcelain").splitlines()

    def conflicts(self) -> list[str]:
        """The files that a merge has left in conflict."""
        listed = self._told("ls-files", "--unmerged").splitlines()
        return list(dict.fromkeys(line.partition("\t")[2] for line in listed))

    def path_of(self, file: Path) -> PurePosixPath:
        """A file as the repository names it."""
        whole = Path(os.path.realpath(file.parent)) / file.name
        try:
            return PurePosixPath(whole.relative_to(os.path.realpath(self.root)).as_posix())
        except ValueError:
            raise ProblemError(f"{file} lies outside of the repository {self.root}.") from None

    def has(self, commit: str, path: PurePosixPath) -> bool:
        return not _git(self.root, "cat-file", "-e", f"{commit}:{path}").returncode

    def export(self, commit: str, paths: list[PurePosixPath], destination: Path) -> None:
        """What lies at and below the paths in a commit, into an empty folder."""
        # A pathspec that matches everything: an empty path is the root.
        wanted = [str(path) for path in paths if str(path) != "."]
        done = _git(self.root, "archive", "--format=tar", commit, "--", *wanted)
        if done.returncode:
            raise ProblemError(f"{commit[:SHORT]} cannot be read out of {self.root} ({_last_line(done)}).")
        try:
            with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
                _extract(archive, destination)
        except tarfile.TarError as error:
            raise ProblemError(f"{commit[:SHORT]} holds what cannot be written elsewhere ({error}).") from None

    def copy_working_tree(self, paths: list[PurePosixPath], destination: Path) -> None:
        """The same of the working tree as it is now: what git follows or would, and nothing that it ignores."""
        for name in self.working_files(paths):
            target = destination / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((self.root / name).read_bytes())

    def working_files(self, paths: list[PurePosixPath]) -> list[str]:
        listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *map(str, paths))
        done = _git(self.root, *listing)
        names = sorted({os.fsdecode(name) for name in done.stdout.split(b"\0") if name})
        return [name for name in names if (self.root / name).is_file()]

    def fingerprint(self, paths: list[PurePosixPath]) -> str:
        """One SHA-256 over those files of the working tree."""
        found = hashlib.sha256()
        for name in self.working_files(paths):
            content = (self.root / name).read_bytes()
            found.update(os.fsencode(name) + b"\0" + len(content).to_bytes(8, "big") + content)
        return found.hexdigest()


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Git, in English, and without the locks that it takes to refresh its index."""
    quiet = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_LITERAL_PATHSPECS": "1"}
    try:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False, env=quiet)
    except FileNotFoundError:
        raise ProblemError(
            "There is no program called git here. Install it, or compare files: --kernel before.py --kernel after.py."
        ) from None


def _extract(archive: tarfile.TarFile, destination: Path) -> None:
    """Extract what git wrote, of which a link alone may lead elsewhere: tarfile's filter refuses that one.

    Python 3.11.0 to 3.11.3, which Debian 12 has, know no filter.
    """
    if hasattr(tarfile, "data_filter"):
        archive.extractall(destination, filter="data")
        return
    for member in archive:
        target = os.path.normpath(PurePosixPath(member.name).parent / member.linkname)
        if member.issym() and (PurePosixPath(member.linkname).is_absolute() or target.split("/")[0] == ".."):
            raise tarfile.TarError(f"{member.name} links to {member.linkname}, which is outside")
    archive.extractall(destination)  # noqa: S202 - looked at above


def _last_line(done: subprocess.CompletedProcess[bytes]) -> str:
    told = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return told[-1] if told else f"git ended with {done.returncode}"
