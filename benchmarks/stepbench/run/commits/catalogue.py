"""The rows of another version of this project, as its own catalogue declares them to a process that imports it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import msgspec

from stepbench.machine.child_processes import module, run_to_its_end
from stepbench.machine.children import Home, compile_caches, environment_of_child
from stepbench.run.commits.repository import VersionError
from stepkernels.interface import Implementation

if TYPE_CHECKING:
    from stepreports.comparison.compared import Version

KERNELS, METADATA = PurePosixPath("kernels"), PurePosixPath("pyproject.toml")
CATALOGUE = KERNELS / "stepkernels" / "catalog.py"
LIMIT_SECONDS = 120.0


class Told(msgspec.Struct):
    """What the process prints."""

    file: str
    rows: list[dict[str, Any]]


def rows_of_version(home: Home, version: Version) -> dict[str, Implementation]:
    """The rows of a version that is at home there. Raises `VersionError` for one that this harness cannot run."""
    environment = environment_of_child(compile_caches(home.kernels.parent / ".caches"), home.variables)
    done = run_to_its_end(module("stepbench.run.commits"), environment, LIMIT_SECONDS, python=home.python)
    try:
        answer = msgspec.json.decode(done.stdout, type=Told)
    except (ValueError, RecursionError):
        why = re.sub(r" \(/[^()]*\)$", "", done.last_words)  # where the file lies that an import failed in
        raise VersionError(
            version.label,
            f"The kernels of {version.told} do not go with this harness ({why}): they are too old for it, "
            "or too new. Compare with a commit nearer to it, or take the harness of that time.",
        ) from None
    if not Path(answer.file).is_relative_to(home.kernels):
        raise VersionError(
            version.label,
            f"The kernels of {version.told} were to be imported, and others were; is stepkernels installed twice?",
        )
    return {str(values["name"]): known_fields(values) for values in answer.rows}


def known_fields(values: Mapping[str, Any]) -> Implementation:
    """A row of another version: what this one does not know is left out, and what that one did not has its default."""
    known = {each.name for each in fields(Implementation)}
    return Implementation.from_json({name: value for name, value in values.items() if name in known})


def dependencies(tree: Path) -> dict[str, frozenset[str]]:
    """What a version asks to be installed, by the name of the extra; its own requirements under an empty name."""
    project = tomllib.loads((tree / METADATA).read_text("utf-8")).get("project", {})
    extras = project.get("optional-dependencies", {})
    return {name: frozenset(wanted) for name, wanted in {"": project.get("dependencies", []), **extras}.items()}


def apart(base: Mapping[str, frozenset[str]], head: Mapping[str, frozenset[str]]) -> list[str]:
    """In what two versions' requirements differ, each in words."""
    return [
        f"{requirement}{f' (extra {extra})' if extra else ''} of {whose} alone"
        for extra in dict.fromkeys([*base, *head])
        for whose, mine, other in (("the base", base, head), ("the head", head, base))
        for requirement in sorted(mine.get(extra, frozenset()) - other.get(extra, frozenset()))
    ]
