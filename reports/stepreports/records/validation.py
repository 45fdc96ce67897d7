"""From bytes to what the schema promises, or a sentence that names the field and what stands there."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from stepreports.records.files import RecordError

T = TypeVar("T")

_MOST_SHOWN = 60  # characters of a wrong value
_EXPECTED = re.compile(r"Expected `(?P<kind>[^`]+)`(?P<bound>.*?)(?:, got .*)?", re.DOTALL)
_FORM = re.compile(" matching regex .*", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def decoded(content: bytes, where: str) -> Any:
    """The JSON value in some bytes. Raises `RecordError` for what is none."""
    try:
        return msgspec.json.decode(content)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{where} is not whole JSON ({error}).") from None


def held_to(kind: type[T], value: Any, where: str) -> T:
    """A decoded value as what the schema says it must be. Raises `RecordError`, which names field and value."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise RecordError(f"{where}{_told(str(error), value)}.") from None


def shown(value: object) -> str:
    """A wrong value in a sentence: short and on one line, whatever it is."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}… ({len(text):,} characters)"


def visible(text: str) -> str:
    """Text with whatever does not print (line ends, control characters, marks of direction) as its escape."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def one_line(text: str, most: int = 1000) -> str:
    """A reason or a remark as one visible line that ends."""
    line = visible(" ".join(text.split()))
    return line if len(line) <= most else f"{line[:most]}…"


def _told(error: str, value: Any) -> str:
    """A complaint of msgspec's, which never tells the value, to follow the name of what holds it."""
    complaint, _, path = error.partition(" - at `$")
    path = path.removesuffix("`")
    if missing := _MISSING.fullmatch(complaint):
        holder = f", {path.lstrip('.')}," if path else ""
        return f"{holder} has no {missing['field']!r}; it is not complete, or was not written by stepbench"
    field = f", {path.lstrip('.')}," if path else ""
    return f"{field} cannot be read: {_complaint(complaint, path, value)}"


def _complaint(complaint: str, path: str, value: Any) -> str:
    expected = _EXPECTED.fullmatch(complaint)
    kind = f"{expected['kind']}{_FORM.sub(' of the expected form', expected['bound'])}" if expected else "known value"
    found = "one of its values" if "[...]" in path else shown(_at(path, value))  # of a mapping, the key is not told
    return f"{found} is no {kind.replace(' | ', ' or ')}"


def _at(path: str, value: Any) -> Any:
    """What stands at a path such as `.benchmarks[3].stats`."""
    for name, place in _STEP.findall(path):
        value = value[name] if name else value[int(place)]
    return value
