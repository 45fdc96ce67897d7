"""Raw kernels under NVIDIA's compute-sanitizer: accesses out of bounds (memcheck), races in shared memory (racecheck).

The sanitizer runs `python -m stepbench.checking sanitized ROW`, at small sizes since it slows a kernel down a
thousandfold. Sound is only what it says it looked at and found no error in, and whose trials agreed besides: a tool
that could not attach, or a child that ended before it computed anything, has shown nothing.
"""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass
from signal import SIGKILL
from subprocess import STDOUT

from stepbench.checking.schedule import sanitized_schedule
from stepbench.checking.tally import Tally
from stepbench.machine.child_processes import program, run_to_its_end
from stepbench.machine.children import environment_of_child
from stepkernels.catalog import CATALOG

SANITIZER = "compute-sanitizer"
# Padding, so that what lies past an array is nobody's. Libraries try driver calls that may fail, and do not mind.
TOOLS = {"memcheck": ("--padding=512", "--report-api-errors=no"), "racecheck": ()}
RAW_KERNELS = tuple(name for name, row in CATALOG.items() if row.raw_kernels)
NO_THREADS = ("triton",)  # in the programs of these: who writes what to shared memory is their compiler's to say
LIMIT_SECONDS = 1200.0
FOUND_STATUS = 86  # the exit status by which the sanitizer says that it found something
ALLOCATE_EXACTLY = {"PYTORCH_NO_CUDA_MEMORY_CACHING": "1"}

_SUMMARY = re.compile(r"ERROR SUMMARY: (\d+) error|RACECHECK SUMMARY: \d+ hazards? displayed \((\d+) error")


@dataclass(frozen=True, slots=True)
class Sanitized:
    """What the sanitizer said of a row. `errors` is None where it did not come to say how many."""

    row: str
    tool: str
    status: int
    errors: int | None
    output: str

    @property
    def fault(self) -> str | None:
        """Why the row is not known to be sound, or None."""
        if self.errors or self.status == FOUND_STATUS:
            return f"{self.tool} found errors in {self.row}:\n{self.output}"
        if self.status:
            return f"{self.row} ended with status {self.status} under {self.tool}:\n{self.output}"
        return f"{self.tool} looked at nothing in {self.row}:\n{self.output}" if self.errors is None else None


def tools_of(row: str) -> tuple[str, ...]:
    """The tools whose word means something of a row.

    Triton lets all threads that hold the same element write it, the same value to the same place: racecheck calls each
    a race.
    """
    return tuple(tool for tool in TOOLS if tool != "racecheck" or CATALOG[row].library not in NO_THREADS)


def missing_sanitizer() -> str | None:
    """Why nothing can be sanitized here, or None."""
    if shutil.which(SANITIZER):
        return None
    return f"{SANITIZER} is not on PATH; it comes with NVIDIA's CUDA toolkit, in its bin folder"


def command_line(row: str, tool: str) -> list[str]:
    """The sanitizer and the child that it runs, errors told by an exit status of their own."""
    options = [
        f"--tool={tool}",
        *TOOLS[tool],
        "--target-processes=application-only",
        f"--error-exitcode={FOUND_STATUS}",
    ]
    return [SANITIZER, *options, sys.executable, "-m", "stepbench.checking", "sanitized", row]


def sanitize(row: str, tool: str, limit_seconds: float = LIMIT_SECONDS) -> Sanitized:
    """Run a row's small problems under one tool of the sanitizer."""
    child = run_to_its_end(
        program(*command_line(row, tool)), environment_of_child(ALLOCATE_EXACTLY), limit_seconds, stderr=STDOUT
    )
    output = child.stdout
    if child.status is None:
        output += f"still running after {limit_seconds:.0f} seconds"
    return Sanitized(row, tool, -SIGKILL if child.status is None else child.status, errors_found(output), output)


def errors_found(output: str) -> int | None:
    """What the sanitizer's summary says; None where there is none."""
    summary = _SUMMARY.search(output)
    return int(summary[1] or summary[2]) if summary else None


def main(name: str) -> None:
    """The child: a sentence and exit status 1 when the row disagrees."""
    row = CATALOG[name]
    if row.library == "cupy":
        import cupy

        cupy.cuda.set_allocator(None)  # past the end of an array in a pool lies memory that is valid
    schedule = sanitized_schedule(row, seed=0)
    for scheduled in schedule:
        if disagreement := scheduled.run(row, Tally()):
            sys.exit(str(disagreement))
    sys.stdout.write(f"{name}: {len(schedule)} trials agree\n")
