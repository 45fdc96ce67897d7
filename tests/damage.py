"""Damage to what is stored, drawn: cut, bytes flipped, fields gone, doubled or exchanged, hostile values."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

from hypothesis import strategies as st

NUMBERS = (0, -1, 1, 2, 0.5, -0.0, 5e-324, 1e-300, 1e-15, 1e9, 1e308, -1e308, 2**31, 2**53, 2**63, 2**64, -(2**63),
           10**40, 10**400, math.nan, math.inf, -math.inf)  # fmt: skip
TEXTS = ("", " ", "x", "../../up", "/", "a/b", "\0", "\n", "a\nb", "\x1b[31m", "\u202egpj", "\ud800", "\ufffe",
         r"$\frac{$", "$x$", "%s{0}{x}", "<script>alert(1)</script>", "`a` **b** | c", '"', ",", "名前", "😀", "#",
         "é" * 3000, "x" * 3000, "float32", "cuda", "step", "train", "interpreted loop", "matrix form", "limit",
         "1e999", "nan")  # fmt: skip
OTHERS = (None, True, False, [], {}, [None], [[]], {"": None}, [1] * 1000, [-1.0], ["x"], {"x": "y"}, {"before": 3})
HOSTILE = st.sampled_from([*NUMBERS, *TEXTS, *OTHERS]).map(copy.deepcopy)  # what is drawn may be damaged further


def places(stored: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a document; the elements of a long list are a few of them."""
    found = [path] if path else []
    if isinstance(stored, dict):
        inside: list[Any] = list(stored)
    elif isinstance(stored, list):
        inside = [*range(len(stored))][:3] + [*range(len(stored))][3:][-2:]
    else:
        inside = []
    return [*found, *(place for key in inside for place in places(stored[key], (*path, key)))]


@st.composite
def damaged(draw: st.DrawFn, document: Any) -> Any:
    """A document with a few things in it that are not as they were."""
    document = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(places(document)))
        holder = document
        for key in path:
            holder = holder[key]
        match draw(st.sampled_from(("replaced", "replaced", "replaced", "gone", "doubled", "exchanged"))):
            case "replaced":
                holder[last] = draw(HOSTILE)
            case "gone":
                del holder[last]
            case "doubled" if isinstance(holder, list):
                holder.insert(last, copy.deepcopy(holder[last]))
            case _:
                *elsewhere, other = draw(st.sampled_from(places(document)))
                found = document
                for key in [*elsewhere, other]:
                    found = found[key]
                holder[last] = copy.deepcopy(found)
        if not places(document):
            break
    return document


@st.composite
def damaged_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """A file cut off, or with a few of its bytes others."""
    if draw(st.booleans()):
        return content[: draw(st.integers(0, len(content)))]
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        changed[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


@st.composite
def damaged_file(draw: st.DrawFn, document: Any) -> bytes:
    """A JSON file of a document, damaged in what it says or in how it is written."""
    if draw(st.integers(0, 3)):
        return json.dumps(draw(damaged(document))).encode()
    return draw(damaged_bytes(json.dumps(document).encode()))


@st.composite
def damaged_lines(draw: st.DrawFn, events: list[dict[str, Any]]) -> bytes:
    """A file of a JSON object a line, damaged in some of its lines, their number or their order."""
    lines = [json.dumps(event).encode() for event in events]
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(("said", "said", "written", "gone", "doubled", "moved", "other"))):
            case "said":
                lines[place] = json.dumps(draw(damaged(draw(st.sampled_from(events))))).encode()
            case "written":
                lines[place] = draw(damaged_bytes(lines[place] or b"{}"))
            case "gone" if len(lines) > 1:
                del lines[place]
            case "doubled":
                lines.insert(place, lines[place])
            case "moved":
                lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(place))
            case _:
                lines[place] = draw(
                    st.sampled_from((b"", b"3", b"[]", b'"x"', b"null", b"\xff\xfe", b"{}", b"[" * 5000))
                )
    content = b"\n".join(lines) + b"\n"
    return draw(damaged_bytes(content)) if not draw(st.integers(0, 5)) else content
