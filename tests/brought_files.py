"""Files as people bring them, each with a trait that was once misread."""

from __future__ import annotations

from pathlib import Path

from runs import ROOT

FOLDER = ROOT / "tests" / "benchmarks" / "cases" / "files"


def brought(name: str) -> Path:
    return FOLDER / name
