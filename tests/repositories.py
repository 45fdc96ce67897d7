"""Git repositories for tests: one of somebody else's, with a kernel that became fast, and what is seen of any."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from runs import KERNELS

SLOW, FAST = "sum(r[i] * X[i] for i in range(len(r)))", "r @ X"
IMPORTS = "\n\nfrom beside import product\nimport"


def git(folder: Path, *arguments: str) -> str:
    """What git says, whatever the user has set; commits are somebody's."""
    quiet = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(
        ["git", "-C", folder, *who, *arguments], capture_output=True, text=True, check=True, env=quiet
    )
    return done.stdout


def repository_of_a_kernel(folder: Path) -> Path:
    """A kernel whose product lies in a file beside it: slow in the first commit, fast in the second."""
    source = folder / "src"
    source.mkdir(parents=True)
    kernel = (KERNELS / "matrix_form.py").read_text("utf-8")
    kernel = kernel.replace("r @ self.X / m", "product(r, self.X) / m").replace("\n\nimport", IMPORTS, 1)
    (source / "kernel.py").write_text(kernel, "utf-8")
    git(folder.parent, "init", "-q", "-b", "main", str(folder))
    for name, product in (("slow", SLOW), ("fast", FAST)):
        commit_product(folder, name, product)
    return folder


def commit_product(folder: Path, subject: str, product: str) -> None:
    (folder / "src" / "beside.py").write_text(f"def product(r, X):\n    return {product}\n", "utf-8")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", subject)


def state(folder: Path) -> list[str]:
    """All that a comparison must leave as it was."""
    asked = (("status", "--porcelain", "--ignored"), ("worktree", "list"), ("branch", "-a", "-v"), ("stash", "list"))
    return [git(folder, *each) for each in asked]
