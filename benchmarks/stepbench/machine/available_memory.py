"""How much memory a run may count on: the least of what the machine, its control groups and its own limits leave it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import psutil

from stepbench.machine.asking import number_of
from stepbench.machine.threads import CGROUP

MEMBERSHIP = Path("/proc/self/cgroup")
V2 = ("memory.max", "memory.current", "inactive_file")
V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
UNLIMITED = 2**60  # version 1 spells no limit as the largest number of pages there is
LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_DATA)


def available_bytes(root: Path = CGROUP, membership: Path = MEMBERSHIP) -> int:
    """The smallest of the memory that is free, what is left of each control group, and `ulimit -v` and `-d`."""
    free: int = psutil.virtual_memory().available
    return min([free, *group_bytes(root, membership), *limits_bytes()])


def limits_bytes() -> list[int]:
    """The limits that this process hands on to each of its children, where there are any."""
    found = [resource.getrlimit(limit)[0] for limit in LIMITS]
    return [size for size in found if size != resource.RLIM_INFINITY]


def group_bytes(root: Path = CGROUP, membership: Path = MEMBERSHIP) -> list[int]:
    """What is left of the limit of each control group that this process is in, versions 2 and 1, nested ones included.

    Pages of files that were not used lately count as left: the system gives them up first.
    """
    return [left for folder, names in _groups(root, membership) if (left := _left(folder, *names)) is not None]


def limit_bytes(root: Path = CGROUP, membership: Path = MEMBERSHIP) -> int | None:
    """The smallest limit of the control groups that this process is in, as a container sets it; None without one."""
    found = [number_of(folder / limit) for folder, (limit, *_) in _groups(root, membership)]
    return min((most for most in found if most is not None and most < UNLIMITED), default=None)


def _groups(root: Path, membership: Path) -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """The folders of our groups up to the root of each hierarchy, each with the names of its files."""
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            tops, names = [root, root / "unified"], V2
        elif "memory" in controllers.split(","):
            tops, names = [root / "memory"], V1
        else:
            continue
        for top in tops:
            yield from ((folder, names) for folder in _upwards(top, path))


def _upwards(top: Path, path: str) -> Iterator[Path]:
    """The group's folder and those above it. In a container the path may be one of the host's: then the root alone."""
    folder = top / path.strip("/")
    while folder != top and top in folder.parents:
        yield folder
        folder = folder.parent
    yield top


def _left(folder: Path, limit: str, usage: str, reclaimable: str) -> int | None:
    """Limit less usage, at least 0; None without a limit."""
    try:
        most, used = int((folder / limit).read_text()), int((folder / usage).read_text())
    except (OSError, ValueError):  # there is none, or it says "max"
        return None
    return max(0, most - used + _of_stat(folder / "memory.stat", reclaimable))


def _of_stat(path: Path, name: str) -> int:
    try:
        pairs = (line.split() for line in path.read_text().splitlines())
        return next((int(pair[1]) for pair in pairs if pair[0] == name), 0)
    except (OSError, ValueError, IndexError):
        return 0
