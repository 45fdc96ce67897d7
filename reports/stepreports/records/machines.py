"""The machine of a run as it is stored: its GPUs, and in which facts it differs from another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Machine = Mapping[str, Any]


def gpu_models(machine: Machine) -> list[str | None]:
    """The model of each GPU; an empty list where the machine has none, or the record does not say."""
    return [gpu.get("model") for gpu in machine.get("gpus") or []]


def differing(one: Machine, other: Machine, facts: Iterable[str]) -> list[str]:
    """Those of some facts that two machines do not share; one that neither names is shared."""
    return [fact for fact in facts if one.get(fact) != other.get(fact)]
