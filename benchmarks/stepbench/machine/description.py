"""What a record says of the machine and the software. No host name, no user name, no path."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

import psutil

from stepbench.machine.asking import number_of, output_of, text_of
from stepbench.machine.available_memory import limit_bytes
from stepbench.machine.blas import altered_by, blas_in_use
from stepbench.machine.energy import energy_by_device
from stepbench.machine.environment import recorded, set_by_harness
from stepbench.machine.processor import CPUINFO, cpu_name, hypervisor, numa_nodes, processor
from stepbench.machine.threads import allowed_cpus, cgroup_quota, default_budget

LIBRARIES = (
    "stepbench", "numpy", "scipy", "scikit-learn", "numba", "llvmlite", "torch", "jax", "jaxlib", "triton",
    "cupy-cuda12x", "cupy-cuda13x", "numba-cuda", "pytest", "pytest-benchmark",
)  # fmt: skip
CPU = Path("/sys/devices/system/cpu")


def describe_machine() -> dict[str, Any]:
    """Processor, caches, limits of its container, memory, load, versions and GPUs, as a record stores them."""
    memory = psutil.virtual_memory()
    found, found_gpus = hypervisor(), gpus()
    return {
        "cpu": cpu_name(),
        "machine": platform.machine(),
        "processor": processor(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "numa_nodes": numa_nodes(),
        "allowed_cpus": len(allowed_cpus()),
        "quota_cpus": cgroup_quota(),
        "memory_limit_bytes": limit_bytes(),
        "caches": cache_sizes(),
        "virtual_machine": found is not None or " hypervisor" in text_of(CPUINFO),
        "hypervisor": found,
        "frequency_mhz": frequency_mhz(),
        "boost": boosts(),
        "governor": text_of(CPU / "cpu0/cpufreq/scaling_governor") or None,
        "huge_pages": _selected(text_of(Path("/sys/kernel/mm/transparent_hugepage/enabled"))),
        "load_1min": os.getloadavg()[0],
        "memory_bytes": memory.total,
        "available_memory_bytes": memory.available,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": library_versions(),
        "environment": recorded(os.environ),
        "environment_set": set_by_harness(),
        "blas": blas_in_use(default_budget()),
        "baseline_altered_by": altered_by(default_budget()),
        "gpus": found_gpus,
        "energy": energy_by_device(["cpu", "cuda"] if found_gpus else ["cpu"]),
    }


def frequency_mhz() -> dict[str, float] | None:
    """The processor's frequency now, and the least and most that it may take; without what the system does not tell."""
    try:
        told = psutil.cpu_freq()
    except (OSError, NotImplementedError, RuntimeError):  # Apple's processors, and some containers
        return None
    found = {"now": told.current, "least": told.min, "most": told.max} if told else {}
    return {name: round(value, 1) for name, value in found.items() if value} or None


def boosts(root: Path = CPU) -> bool | None:
    """Whether the processor may exceed its nominal frequency; None where neither driver says."""
    if (of_intel := number_of(root / "intel_pstate/no_turbo")) is not None:
        return not of_intel
    of_others = number_of(root / "cpufreq/boost")
    return None if of_others is None else bool(of_others)


def cache_sizes() -> dict[str, int]:
    """Bytes of each cache level of the first processor, as reported. A virtual machine reports the host's."""
    sizes = {}
    for index in sorted((CPU / "cpu0/cache").glob("index*")):
        if text_of(index / "type") != "Instruction" and (text := text_of(index / "size")):
            sizes[f"L{text_of(index / 'level')}"] = int(text.rstrip("K")) * 1024
    return sizes


def library_versions() -> dict[str, str]:
    """The versions of the libraries that matter to a timing, those that are installed."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def gpus() -> list[dict[str, Any]]:
    """The NVIDIA GPUs: model, memory, driver, power limit, clocks; empty without a driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    found = []
    for index in range(pynvml.nvmlDeviceGetCount()):
        device = pynvml.nvmlDeviceGetHandleByIndex(index)
        found.append(
            {
                "model": pynvml.nvmlDeviceGetName(device),
                "memory_bytes": pynvml.nvmlDeviceGetMemoryInfo(device).total,
                "driver": pynvml.nvmlSystemGetDriverVersion(),
                "power_limit_watts": pynvml.nvmlDeviceGetEnforcedPowerLimit(device) / 1000,
                "max_sm_clock_mhz": pynvml.nvmlDeviceGetMaxClockInfo(device, pynvml.NVML_CLOCK_SM),
                "max_memory_clock_mhz": pynvml.nvmlDeviceGetMaxClockInfo(device, pynvml.NVML_CLOCK_MEM),
            }
        )
    return found


def describe_commit(folder: Path) -> dict[str, Any]:
    """The commit of the checkout in `folder`, when it was made, and whether it was changed; empty outside one."""
    commit = output_of("git", "-C", str(folder), "rev-parse", "HEAD")
    if not commit:
        return {}
    committed = output_of("git", "-C", str(folder), "show", "-s", "--no-show-signature", "--format=%cI", commit)
    changed = output_of("git", "-C", str(folder), "status", "--porcelain")
    return {"id": commit, "committed": committed, "dirty": bool(changed)}


def _selected(text: str) -> str | None:
    """The choice in brackets: "always [madvise] never" → "madvise"."""
    return text[text.index("[") + 1 : text.index("]")] if "[" in text else None
