"""The machine of a run as it is stored: its processor, its GPUs, and in which facts it differs from another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Machine = Mapping[str, Any]

# Of a processor. The vendor's name for it says little: "AMD EPYC" is three generations, with or without AVX-512.
PROCESSOR = ("vendor", "family", "model", "stepping", "variant", "microcode", "instruction_sets")
NUMBERS = ("family", "model", "stepping")  # what tells processors of one name apart, in as few words as can be
DECISIVE = ("cpu", "machine", "cores", "threads", "allowed_cpus", "quota_cpus", "hypervisor")  # for a timing


def gpu_models(machine: Machine) -> list[str | None]:
    """The model of each GPU; an empty list where the machine has none, or the record does not say."""
    return [gpu.get("model") for gpu in machine.get("gpus") or []]


def processor_of(machine: Machine) -> Machine:
    """What the record says of the processor beside its name: nothing, in records of earlier versions."""
    told = machine.get("processor")
    return told if isinstance(told, Mapping) else {}


def numbers_of_processor(machine: Machine) -> str:
    """`family 25, model 1, stepping 1`; empty where the record does not say."""
    told = processor_of(machine)
    return ", ".join(f"{name} {told[name]}" for name in NUMBERS if told.get(name))


def in_full(name: str, machine: Machine) -> str:
    """A machine's name with what tells processors of that name apart: `AMD EPYC (family 25, model 1, stepping 1)`."""
    numbers = numbers_of_processor(machine)
    return f"{name} ({numbers})" if numbers else name


def differing(one: Machine, other: Machine, facts: Iterable[str]) -> list[str]:
    """Those of some facts that two machines do not share; one that neither names is shared."""
    return [fact for fact in facts if one.get(fact) != other.get(fact)]


def processors_apart(one: Machine, other: Machine) -> list[str]:
    """How two processors differ, in words; empty for one and the same. One that is not told is not the same."""
    named = [] if one.get("cpu") == other.get("cpu") else [_against("cpu", one.get("cpu"), other.get("cpu"))]
    first, second = processor_of(one), processor_of(other)
    if bool(first) != bool(second):
        return [*named, "one record does not say which processor of that name it was"]
    return [*named, *(_fact_apart(fact, first, second) for fact in differing(first, second, PROCESSOR))]


def machines_apart(one: Machine, other: Machine) -> list[str]:
    """How two machines differ, as far as it decides a timing, in words; empty when they are alike."""
    found = [
        *processors_apart(one, other),
        *(_against(fact, one.get(fact), other.get(fact)) for fact in differing(one, other, DECISIVE) if fact != "cpu"),
    ]
    gpus = [gpu_models(machine) for machine in (one, other)]
    return found if gpus[0] == gpus[1] else [*found, _against("GPUs", *gpus)]


def _fact_apart(fact: str, one: Machine, other: Machine) -> str:
    """Of instruction sets only those that one of the two lacks."""
    if fact != "instruction_sets":
        return _against(fact, one.get(fact), other.get(fact))
    first, second = (list(map(str, told.get(fact) or ())) for told in (one, other))
    return _against(fact, _beyond(first, second), _beyond(second, first))


def _beyond(mine: list[str], theirs: list[str]) -> str:
    return ", ".join(name for name in mine if name not in theirs) or "no more"


def _against(fact: str, one: object, other: object) -> str:
    return f"{fact.replace('_', ' ')} {_told(one)} against {_told(other)}"


def _told(value: object) -> str:
    return "not known" if value is None else str(value)
