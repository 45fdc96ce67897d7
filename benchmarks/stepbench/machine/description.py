"""What a record says of the machine and the software. No host name, no user name, no path."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import psutil

from stepbench.machine.environment import recorded
from stepbench.machine.threads import allowed_cpus, cgroup_quota

LIBRARIES = (
    "stepbench", "numpy", "scipy", "scikit-learn", "numba", "llvmlite", "torch", "jax", "jaxlib", "triton",
    "cupy-cuda12x", "cupy-cuda13x", "numba-cuda", "pytest", "pytest-benchmark",
)  # fmt: skip
CPU = Path("/sys/devices/system/cpu")


def describe_machine() -> dict[str, Any]:
    """CPU, caches, quota, memory, load, versions and GPUs, as a record stores them."""
    memory = psutil.virtual_memory()
    return {
        "cpu": cpu_model(),
        "machine": platform.machine(),
        "cores": psutil.cpu_count(logical=False),
        "threads": psutil.cpu_count(),
        "allowed_cpus": len(allowed_cpus()),
        "quota_cpus": cgroup_quota(),
        "caches": cache_sizes(),
        "virtual_machine": " hypervisor" in _read(Path("/proc/cpuinfo")),
        "governor": _read(CPU / "cpu0/cpufreq/scaling_governor") or None,
        "huge_pages": _selected(_read(Path("/sys/kernel/mm/transparent_hugepage/enabled"))),
        "load_1min": os.getloadavg()[0],
        "memory_bytes": memory.total,
        "available_memory_bytes": memory.available,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": library_versions(),
        "environment": recorded(os.environ),
        "gpus": gpus(),
    }


def cpu_model() -> str:
    """The processor's name as the system gives it."""
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    if platform.system() == "Darwin":
        return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()
    return platform.processor() or platform.machine()


def cache_sizes() -> dict[str, int]:
    """Bytes of each cache level of the first processor, as reported. A virtual machine reports the host's."""
    sizes = {}
    for index in sorted((CPU / "cpu0/cache").glob("index*")):
        if _read(index / "type") != "Instruction" and (text := _read(index / "size")):
            sizes[f"L{_read(index / 'level')}"] = int(text.rstrip("K")) * 1024
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
    """The commit of the checkout in `folder` and whether it was changed; empty outside one."""
    commit = _output("git", "-C", str(folder), "rev-parse", "HEAD")
    if not commit:
        return {}
    return {"id": commit, "dirty": bool(_output("git", "-C", str(folder), "status", "--porcelain"))}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _selected(text: str) -> str | None:
    """The choice in brackets: "always [madvise] never" → "madvise"."""
    return text[text.index("[") + 1 : text.index("]")] if "[" in text else None


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
