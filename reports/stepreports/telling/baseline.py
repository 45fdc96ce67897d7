"""The baseline in words: which BLAS is under the matrix form, and what of the environment makes another one of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stepreports.telling import text

SLOWER = 1.05  # times as long: what is less is told as equal


def blas_in_words(machine: Mapping[str, Any], library: str = "numpy") -> str:
    """`openblas 0.3.31, pthreads, core type Haswell`; empty where the record does not say."""
    told = (machine.get("blas") or {}).get(library) or {}
    named = " ".join(str(told[name]) for name in ("name", "version") if told.get(name))
    core_type = f"core type {told['core_type']}" if told.get("core_type") else ""
    return ", ".join(filter(None, (named, str(told.get("threading") or ""), core_type)))


def altered_lines(machine: Mapping[str, Any]) -> list[str]:
    """A sentence for each variable of the environment that makes the baseline another than it would be."""
    return [_altered(told) for told in machine.get("baseline_altered_by") or ()]


def _altered(told: Mapping[str, Any]) -> str:
    times, variable = told["times_as_long"], told["variable"]
    changes = [
        f"{fact.replace('_', ' ')} {_known(with_it)} instead of {_known(without)}"
        for fact, (with_it, without) in (told.get("changes") or {}).items()
    ]
    if times > SLOWER:
        slower = f"the products of the matrix form take {times:.2g} times as long as without it"
        why = f" ({text.listed(changes)})" if changes else ""
        return f"**`{variable}` is set and makes the baseline slower**: {slower}{why}."
    another = text.listed(changes) if changes else "other code"
    return f"`{variable}` is set, and NumPy's BLAS is another than without it, if no slower: {another}."


def _known(value: object) -> str:
    return "none" if value is None else str(value)
