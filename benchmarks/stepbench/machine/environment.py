"""What becomes of the user's environment in workers, checks and measurements: one table, which the README shows.

Nothing of the user's may change a result unseen. A variable that can is dropped, or is refused where what was asked
for would mean nothing under it, or is kept and recorded. What no rule names is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from stepbench.machine.simulators import SIMULATORS
from stepkernels.problem import ProblemError

OFF = ("", "0", "false", "no", "off")


class Fate(StrEnum):
    """What becomes of a variable."""

    SET = "set"
    REFUSED = "refused"
    DROPPED = "dropped"
    RECORDED = "kept and recorded"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of the table: the first that names a variable counts.

    names             patterns, as of files
    refused_when_off  whether it is the value 0, and no other, that is refused
    of_baseline       whether it may change what NumPy's BLAS is, and how fast
    """

    names: tuple[str, ...]
    fate: Fate
    why: str
    refused_when_off: bool = False
    of_baseline: bool = False

    def names_variable(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.names)

    def refuses(self, name: str, value: str) -> bool:
        """Whether nothing is to be timed or checked under this value."""
        is_off = value.strip().lower() in OFF
        return self.fate is Fate.REFUSED and self.names_variable(name) and is_off is self.refused_when_off


SIMULATED = Rule(
    names=tuple(name for simulator in SIMULATORS.values() for name in simulator.environment),
    fate=Fate.REFUSED,
    why="a simulator's timings mean nothing, and `check --simulate` sets it itself",
)
RULES = (
    SIMULATED,
    Rule(
        names=("NUMBA_DISABLE_JIT", "TORCH_COMPILE_DISABLE", "TORCHDYNAMO_DISABLE", "JAX_DISABLE_JIT"),
        fate=Fate.REFUSED,
        why="the row that compiles would be interpreted",
    ),
    Rule(
        names=("PYTORCH_JIT",),
        fate=Fate.REFUSED,
        why="with 0, the row that compiles would be interpreted",
        refused_when_off=True,
    ),
    Rule(
        names=("NUMBA_DEBUG", "NUMBA_DEBUGINFO", "NUMBA_BOUNDSCHECK", "NUMBA_CUDA_DEBUGINFO", "CUDA_LAUNCH_BLOCKING"),
        fate=Fate.REFUSED,
        why="compiled or launched for debugging, a row is not what it is",
    ),
    Rule(
        names=("PYTHONPATH", "PYTHONSAFEPATH"),
        fate=Fate.SET,
        why="our own import path; a `random.py` in the working folder is not imported",
    ),
    Rule(
        names=("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS"),
        fate=Fate.SET,
        why="pytest-benchmark and no other plugin",
    ),
    Rule(
        names=(
            "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS",
            "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS",
        ),
        fate=Fate.SET,
        why="in workers and measurements: the thread budget",
    ),
    Rule(
        names=(
            "NUMBA_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "CUPY_CACHE_DIR",
            "JAX_COMPILATION_CACHE_DIR", "STEPBENCH_BUILD_DIR",
        ),
        fate=Fate.SET,
        why="in workers: into the run's folder; elsewhere into a temporary one where there is nowhere to write",
    ),
    Rule(
        names=("JAX_PLATFORMS", "XLA_PYTHON_CLIENT_PREALLOCATE"),
        fate=Fate.SET,
        why="the device of the row, and its memory shared with the others",
    ),
    Rule(
        names=("STEPBENCH_PADDING",),
        fate=Fate.SET,
        why="in workers: as long as was drawn for the process, for the size of an environment moves its stack",
    ),
    Rule(names=("PYTEST_*",), fate=Fate.DROPPED, why="options and plugins of the user's own tests"),
    Rule(
        names=("PYTHONHOME", "PYTHONPLATLIBDIR", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONPYCACHEPREFIX",
               "PYTHONDONTWRITEBYTECODE"),
        fate=Fate.KEPT,
        why="where Python is, and where it may write",
    ),
    Rule(
        names=("PYTHON*",),
        fate=Fate.DROPPED,
        why="warnings as errors, assertions off, another allocator or hash seed, tracing, a start-up file",
    ),
    Rule(names=("COVERAGE_*", "COV_CORE_*"), fate=Fate.DROPPED, why="a tracer in every process"),
    Rule(
        names=("OMP_*", "GOMP_*", "KMP_*", "OPENBLAS_*", "GOTO_*", "MKL_*", "BLIS_*", "VECLIB_*", "NUMEXPR_*",
               "NUMBA_*", "NPY_*", "ATEN_*", "ONEDNN_*", "DNNL_*"),
        fate=Fate.RECORDED,
        why="threads, BLAS and the processor's instructions",
        of_baseline=True,
    ),
    Rule(
        names=("TORCH*", "PYTORCH_*", "TRITON_*", "CUPY_*", "JAX_*", "XLA_*", "CUDA_*", "NVIDIA_*", "CUBLAS_*"),
        fate=Fate.RECORDED,
        why="how a library computes, and on which GPU",
    ),
    Rule(
        names=("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_BIND_NOW", "DYLD_*", "GLIBC_TUNABLES", "MALLOC_*", "JEMALLOC_*",
               "MIMALLOC_*"),
        fate=Fate.RECORDED,
        why="libraries and allocators under everything",
        of_baseline=True,
    ),
    Rule(
        names=("STEPBENCH_TUNING",),
        fate=Fate.KEPT,
        why="the file of plans that `stepbench tune` measured, or the first run of `standard`, `full` or `marks`; each "
            "record says which plan a row went by",
    ),
    Rule(names=("CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS"), fate=Fate.RECORDED, why="compilers that rows call"),
)  # fmt: skip
OTHERS = Rule(names=("*",), fate=Fate.KEPT, why="nothing that computes reads it")


def rule_of(name: str) -> Rule:
    """The rule for a variable."""
    return next((rule for rule in RULES if rule.names_variable(name)), OTHERS)


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """What of an environment a child process gets: what is kept. What is set comes beside it; refused is off here."""
    kept = (Fate.KEPT, Fate.RECORDED)
    return {name: value for name, value in environment.items() if rule_of(name).fate in kept}


def recorded(environment: Mapping[str, str]) -> dict[str, str]:
    """What a record says of an environment. A value that is a place, or several, is nobody's business."""
    return {
        name: "set" if "/" in value or "\\" in value else value
        for name, value in sorted(environment.items())
        if rule_of(name).fate is Fate.RECORDED
    }


def of_baseline(environment: Mapping[str, str]) -> list[str]:
    """The variables of an environment that may change the baseline; those that are set for it anyway are not."""
    return [name for name in sorted(environment) if rule_of(name).of_baseline]


def set_by_harness() -> list[str]:
    """What the harness sets itself, for the reasons in the table: the user's own value of it counts for nothing."""
    return [name for rule in RULES if rule.fate is Fate.SET for name in rule.names]


def refuse_variables(environment: Mapping[str, str], but: Iterable[Rule] = ()) -> None:
    """Raise `ProblemError` for a variable under which no result means anything; `but` are rules to pass over."""
    allowed = tuple(but)
    for name, value in environment.items():
        rule = rule_of(name)
        if rule not in allowed and rule.refuses(name, value):
            raise ProblemError(f"{name} is set: {rule.why}. Unset it.")


def table_lines() -> list[str]:
    """The table in Markdown."""
    order = (Fate.REFUSED, Fate.SET, Fate.DROPPED, Fate.RECORDED, Fate.KEPT)
    rules = sorted((*RULES, OTHERS), key=lambda rule: order.index(rule.fate))
    named = [
        (", ".join(f"`{name}`" for name in rule.names) if rule is not OTHERS else "any other", rule) for rule in rules
    ]
    return [
        "| variables | are | why |",
        "|---|---|---|",
        *(f"| {names} | {rule.fate} | {rule.why} |" for names, rule in named),
    ]
