"""Whether rows of the catalogue can be loaded here, tried: a library that is installed may yet be broken, or hidden.

Each library is loaded in a process of its own, as a check would load it; this process imports none. `python -m
stepbench.machine.loading ROW…` is such a process, and prints a JSON object of why rows cannot be loaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stepbench.machine.children import environment_of_child
from stepbench.machine.threads import default_budget
from stepkernels import Implementation
from stepkernels.catalog import CATALOG

LIMIT_SECONDS = 120.0  # a cold import of torch or JAX from a network disk takes tens of seconds
INTERPRETED = {"numba": "NUMBA_DISABLE_JIT", "jax": "JAX_DISABLE_JIT"}
"""By library, the variable with which it compiles nothing: a row fails then, or is another one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with a row here, in a word, and why it is not available."""

    word: str  # "available", "unavailable" for want of a library or device, or "error"
    reason: str | None = None


def standings_of(rows: Sequence[Implementation]) -> dict[str, Standing]:
    """The standing of each row of the catalogue, by name."""
    found = {row.name: _without_loading(row) for row in rows}
    promising: dict[str, list[str]] = {}
    for row in rows:
        if found[row.name].word == "available":
            promising.setdefault(row.library, []).append(row.name)
    with ThreadPoolExecutor(max_workers=default_budget()) as pool:
        for reasons in pool.map(_why_not_loaded, promising.values()):
            found |= {name: Standing("error", reason) for name, reason in reasons.items()}
    return found


def _without_loading(row: Implementation) -> Standing:
    """What can be said without a try."""
    variable = INTERPRETED.get(row.library)
    try:
        if reason := row.unavailable():
            return Standing("unavailable", reason)
    except Exception as error:  # a broken installation, which must not look like a missing one
        return Standing("error", str(error))
    if variable and os.environ.get(variable, "0") not in ("", "0"):
        return Standing("error", f"{variable} is set, and nothing would be compiled; unset it")
    return Standing("available")


def _why_not_loaded(names: Sequence[str]) -> Mapping[str, str]:
    """Why these rows, all of one library, cannot be loaded; without those that can."""
    command = [sys.executable, "-m", "stepbench.machine.loading", *names]
    try:
        child = subprocess.run(
            command, env=environment_of_child(), capture_output=True, timeout=LIMIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return dict.fromkeys(names, f"it was not loaded within {LIMIT_SECONDS:.0f} seconds")
    if child.returncode != 0 or not child.stdout.strip():
        words = child.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        return dict.fromkeys(names, f"loading it ended the process with status {child.returncode}: {''.join(words)}")
    reasons: dict[str, str] = json.loads(child.stdout.splitlines()[-1])
    return reasons


def reasons_here(names: Sequence[str]) -> dict[str, str]:
    """Load rows in this process; by name, why one cannot be."""
    reasons = {}
    for name in names:
        try:
            CATALOG[name].load()
        except (Exception, SystemExit) as error:
            reasons[name] = f"{type(error).__name__}: {error}{_hidden_by(CATALOG[name].library)}"
    return reasons


def _hidden_by(library: str) -> str:
    """The file of the working folder that was imported instead of a library, if that is so."""
    file = getattr(sys.modules.get(library), "__file__", None)
    return f"; {file} is imported in place of {library}" if file and Path.cwd() in Path(file).parents else ""


if __name__ == "__main__":
    print(json.dumps(reasons_here(sys.argv[1:])), flush=True)  # noqa: T201
    os._exit(0)  # without what libraries do as they leave, which takes a second and may print
