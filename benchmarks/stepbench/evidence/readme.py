"""benchmarks/README.md: its generated blocks, rewritten from what is published."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from stepreports.records.files import RecordError, write_whole
from stepreports.telling.page_blocks import with_blocks

PAGE = Path("benchmarks/README.md")


def refresh_page(root: Path, blocks: Mapping[str, Callable[[Path], str]], command: str, *, check: bool) -> int:
    """Rewrite these blocks of the page, or with `check` only say whether they are stale; 1 where they are.

    Each block is made from the checkout's root; `command` is the module that rewrites them. Raises `RecordError`
    where there is no such page.
    """
    if not (root / PAGE).is_file():
        raise RecordError(f"{PAGE} is not here; run this in a checkout's root.")
    old = (root / PAGE).read_text(encoding="utf-8")
    new = with_blocks(old, lambda name: blocks[name](root) if name in blocks else None)
    if new == old:
        return 0
    if check:
        sys.stdout.write(f"{PAGE} is stale; run python -m {command} --write\n")
        return 1
    write_whole(root / PAGE, new)
    return 0
