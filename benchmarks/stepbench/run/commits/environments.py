"""Environments of versions: what the rows compared and our worker import, as a commit's own lock has it.

An environment is called after all that decides what is in it, so versions that ask for the same share one, and it is
used again for as long as they do. It holds none of the version's own code, which is imported from where that is kept,
and none of ours: of our packages there is a copy, since beside them may lie the libraries of the environment that this
process runs in.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import stepbench
import stepreports
from stepbench.machine.child_processes import program, run_to_its_end
from stepbench.machine.children import Home, environment_of_child
from stepbench.run.commits.kept_trees import kept
from stepbench.run.provenance import code_fingerprint
from stepkernels.probe import requirement_of
from stepkernels.problem import ProblemError

LOCK = "constraints.txt"
OF_THE_WORKER = (
    "msgspec", "numpy", "nvidia-ml-py", "platformdirs", "psutil", "pytest", "pytest-benchmark", "scipy",
    "threadpoolctl",
)  # fmt: skip
WITH_PYTHON = ("python", "c++")  # libraries that no package brings
LIMIT_SECONDS = 1800.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be installed: requirements, and the lock that holds them and what they need to single versions."""

    requirements: Sequence[str]
    lock: str

    @property
    def name(self) -> str:
        """What its folder is called: the same only where all of this and Python are."""
        told = "\0".join([sys.version, sys.platform, self.lock, *self.requirements])
        return f"environment-{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def asked_by(tree: Path, requirements: Mapping[str, frozenset[str]], libraries: Iterable[str]) -> Asked:
    """What a version, whose files are in `tree`, asks for its rows of these libraries, and for our worker.

    `requirements` are the project's own under an empty name, and those of its extras. What our worker needs and the
    version does not ask for comes in the version that is installed here.
    """
    of_rows = [requirement_of(library).distribution for library in libraries if library not in WITH_PYTHON]
    wanted = dict.fromkeys(map(_normal, (*OF_THE_WORKER, *of_rows)))
    listed: dict[str, str] = {}
    for of_extra in requirements.values():
        for requirement in sorted(of_extra):
            listed.setdefault(_normal(re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]), requirement)
    found = [listed.get(name) or _as_it_is_here(name) for name in wanted]
    lock = tree / LOCK
    return Asked(sorted(filter(None, found)), lock.read_text("utf-8") if lock.is_file() else "")


def _as_it_is_here(name: str) -> str:
    """A requirement of the version that is installed; empty for what is not."""
    try:
        return f"{name}=={metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return ""


def home_of(kernels: Path, asked: Asked, announce: Callable[[], None]) -> Home:
    """Where a version's processes run, made where it is not there yet, which is announced. Raises `ProblemError`."""
    harness = kept(f"harness-{code_fingerprint()[:16]}", _copy_harness)

    def make(folder: Path) -> None:
        announce()
        _install(folder, asked)

    return Home(kernels=kernels, python=kept(asked.name, make) / "bin" / "python", harness=harness)


def _copy_harness(folder: Path) -> None:
    for package in (stepbench, stepreports):
        place = Path(str(package.__file__)).parent
        shutil.copytree(place, folder / place.name, ignore=shutil.ignore_patterns("__pycache__"))


def _install(folder: Path, asked: Asked) -> None:
    """Make an environment in an empty folder: with uv where there is one, or else with venv and pip."""
    lock = folder / LOCK
    lock.write_text(asked.lock, "utf-8")
    python, uv = str(folder / "bin" / "python"), shutil.which("uv")
    if uv:
        made = [uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)]
        installed = [uv, "pip", "install", "--quiet", "--python", python]
    else:
        made = [sys.executable, "-I", "-m", "venv", str(folder)]
        installed = [python, "-I", "-m", "pip", "install", "--quiet"]
    for command in (made, [*installed, "--constraint", str(lock), *asked.requirements]):
        done = run_to_its_end(program(*command), environment_of_child(), LIMIT_SECONDS)
        if done.status:
            raise ProblemError(f"what it asks for cannot be installed ({done.last_words})")
        if done.status is None:
            raise ProblemError(f"what it asks for was not installed within {LIMIT_SECONDS / 60:.0f} minutes")


def _normal(name: str) -> str:
    """The name of a distribution as all its spellings come to."""
    return re.sub(r"[-_.]+", "-", name).lower()
