"""Generated parts of a page in Markdown: a block between `<!-- stepbench:NAME -->` and `<!-- /stepbench:NAME -->`."""

from __future__ import annotations

import re
from collections.abc import Callable

_BLOCK = re.compile(r"<!-- stepbench:(\S+) -->\n.*?<!-- /stepbench:\1 -->", re.DOTALL)


def with_blocks(page: str, content: Callable[[str], str | None]) -> str:
    """The page with the content of each block made again from its name; a block for which that is None stays."""

    def block(found: re.Match[str]) -> str:
        name, made = found[1], content(found[1])
        return found[0] if made is None else f"<!-- stepbench:{name} -->\n{made}\n<!-- /stepbench:{name} -->"

    return _BLOCK.sub(block, page)
