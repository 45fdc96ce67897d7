"""Which processor this is, as exactly as the system tells: a name such as "AMD EPYC" is that of a dozen different ones.

In a virtual machine everything here is what the hypervisor shows. What cannot be read is None.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from stepbench.machine.asking import output_of, text_of

CPUINFO, NODES = Path("/proc/cpuinfo"), Path("/sys/devices/system/node")
INSTRUCTION_SETS = (  # those that BLAS, NumPy, Numba and PyTorch choose code by, as the kernel spells them
    "sse4_2", "avx", "avx2", "fma", "f16c", "bmi2", "avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512_vnni",
    "avx512_bf16", "avx512_fp16", "avx_vnni", "avx10", "amx_tile", "amx_bf16", "amx_int8",
    "asimd", "asimdhp", "asimddp", "sve", "sve2", "bf16", "i8mm", "sme", "sme2", "vsx",
)  # fmt: skip
# What x86 and ARM call it in /proc/cpuinfo. An ARM core has no name there, only the number of its part.
_SPELLINGS = {
    "vendor": ("vendor_id", "CPU implementer"),
    "family": ("cpu family", "CPU architecture"),
    "model": ("model", "CPU part"),
    "stepping": ("stepping", "CPU revision"),
    "variant": ("CPU variant",),
    "microcode": ("microcode",),
}
_SYSCTL = {"vendor": "vendor", "family": "family", "model": "model", "stepping": "stepping"}

Ask = Callable[..., str]  # a command and its arguments: what it wrote, or nothing


def processor(cpuinfo: Path = CPUINFO, ask: Ask = output_of) -> dict[str, Any]:
    """Vendor, family, model, stepping, variant, microcode and instruction sets; all kinds of core, where there are two.

    Values are text as the system has it: numbers on x86, hexadecimal on ARM.
    """
    if platform.system() == "Darwin":
        return _of_macos(ask)
    cores = [_fields(block.splitlines()) for block in text_of(cpuinfo).split("\n\n")]
    told: dict[str, Any] = {
        name: _each([core[spelling] for core in cores for spelling in spellings if spelling in core])
        for name, spellings in _SPELLINGS.items()
    }
    return told | {"instruction_sets": _instruction_sets(cores)}


def cpu_name(cpuinfo: Path = CPUINFO, ask: Ask = output_of) -> str:
    """The processor's name as the system gives it."""
    for block in text_of(cpuinfo).split("\n\n"):
        if name := _fields(block.splitlines()).get("model name"):
            return name
    if platform.system() == "Darwin":
        return ask("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()
    return platform.processor() or platform.machine()


def hypervisor(ask: Ask = output_of) -> str | None:
    """Whose virtual machine this is, such as KVM; None outside one, or where `lscpu` cannot tell."""
    try:
        lines = json.loads(ask("lscpu", "--json"))["lscpu"]
    except (ValueError, KeyError, TypeError):
        return None
    return next((str(line["data"]) for line in _flat(lines) if str(line["field"]).startswith("Hypervisor")), None)


def numa_nodes(nodes: Path = NODES) -> int | None:
    """How many memories of different distance the machine has."""
    return len(list(nodes.glob("node[0-9]*"))) or None


def _flat(lines: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Lines of `lscpu --json`, which newer versions nest."""
    for line in lines:
        yield line
        yield from _flat(line.get("children", ()))


def _fields(lines: Iterable[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs if value.strip()}


def _each(values: Iterable[str]) -> str | None:
    return " / ".join(dict.fromkeys(values)) or None


def _instruction_sets(cores: Iterable[dict[str, str]]) -> list[str] | None:
    """Those that every core has."""
    found = [set(told.split()) for core in cores if (told := core.get("flags") or core.get("Features"))]
    return [name for name in INSTRUCTION_SETS if all(name in flags for flags in found)] if found else None


def _of_macos(ask: Ask) -> dict[str, Any]:
    """Of an Intel processor what Linux tells; of Apple's own the family and the optional instructions alone."""
    intel = {name: ask("sysctl", "-n", f"machdep.cpu.{key}") or None for name, key in _SYSCTL.items()}
    optional = _fields(ask("sysctl", "hw.optional").splitlines())
    return {
        **intel,
        "family": intel["family"] or ask("sysctl", "-n", "hw.cpufamily") or None,
        "variant": None,
        "microcode": ask("sysctl", "-n", "machdep.cpu.microcode_version") or None,
        "instruction_sets": sorted(name.removeprefix("hw.optional.") for name, has in optional.items() if has == "1")
        or None,
    }
