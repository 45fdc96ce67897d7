"""What the system tells when it is asked: by a file or a small program, or not at all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def text_of(path: Path) -> str:
    """What a file of the system holds, without spaces at its ends; nothing where it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def number_of(path: Path) -> int | None:
    """The whole number that a file of the system holds; None where it holds none."""
    try:
        return int(text_of(path))
    except ValueError:
        return None


def output_of(*command: str) -> str:
    """What a program writes, in English; nothing where it is not there, fails or takes longer than ten seconds."""
    english = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True, env=english)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout.strip()
