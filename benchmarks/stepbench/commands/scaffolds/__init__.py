"""Complete kernel files to start from, which `new-kernel` copies: one for each language, and its source beside it."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent
FILES = {
    "numpy": {".py": "numpy_kernel.txt"},
    "numba": {".py": "numba_kernel.txt"},
    "torch": {".py": "torch_kernel.txt"},
    "triton": {".py": "triton_kernel.txt"},
    "cuda": {".py": "cuda_kernel.txt", ".cu": "cuda_source.txt"},
    "cpp": {".py": "cpp_kernel.txt", ".cpp": "cpp_source.txt"},
}


def scaffold(language: str, path: Path) -> dict[Path, str]:
    """What goes into which file, for a kernel file at `path`; a source goes beside it, under its name."""
    found = {}
    for suffix, name in FILES[language].items():
        text = (FOLDER / name).read_text(encoding="utf-8")
        found[path.with_suffix(suffix)] = text.replace(f"my_{language}_kernel.", f"{path.stem}.")
    return found
