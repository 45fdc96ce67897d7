"""Everything that a GPU has to show, in one command of some minutes, for when there is one for no longer.

    python -m stepbench.evidence.card --out OUT [--minutes 9] [--rows ROW,ROW]
    python -m stepbench.evidence.card --out OUT --rehearse     the same without a GPU, on rows of the CPU

Checks every CUDA row, all at once, and beside them the raw kernels under compute-sanitizer; then times what the rows
are held to (`stepbench run --preset marks-cuda`), and prints how they stand. OUT has the log of each, and in OUT/run a
run that can be published; OUT.tar.gz is all of it. It needs no network, no nox and no installation: with the folders
kernels, benchmarks and reports of a checkout on PYTHONPATH it runs as it stands. Exit status 1: something failed, or
was not over in time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import STDOUT

from stepbench.checking.cuda.sanitizer import RAW_KERNELS, command_line, missing_sanitizer, tools_of
from stepbench.machine.child_processes import program, run_to_its_end
from stepbench.machine.children import compile_caches
from stepkernels.catalog import CATALOG

CUDA_ROWS = tuple(name for name, row in CATALOG.items() if row.device == "cuda")
REHEARSED_ROWS = ("numpy-blas", "numba-fused")
REHEARSED_RUN = ("--sizes", "1000x20")
CHECKS_SHARE = 0.4  # of the minutes, for checks and sanitizer at most; the rest is for the run
LEFT_OVER_SECONDS = 20.0  # of the run's share, for its report and the packing
LEAST_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A command whose output goes into a log of its name."""

    name: str
    command: Sequence[str]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a task: its exit status, None where it was not over in time, and the end of what it said."""

    task: Task
    status: int | None
    seconds: float
    last_line: str

    def __str__(self) -> str:
        standing = {0: "done", None: "not over in time"}.get(self.status, f"FAILED, exit status {self.status}")
        return f"{self.task.name}: {standing} ({self.seconds:.0f} s)  {self.last_line}"


def stepbench(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "stepbench", *arguments]


def checks(rows: Sequence[str], out: Path) -> Iterator[Task]:
    """The check of each row, and each tool of the sanitizer on those with raw kernels."""
    commands = {f"check-{row}": stepbench("check", row) for row in rows}
    if missing_sanitizer() is None:
        commands |= {
            f"{tool}-{row}": command_line(row, tool) for row in rows if row in RAW_KERNELS for tool in tools_of(row)
        }
    for name, command in commands.items():
        yield Task(name=name, command=command, variables=compile_caches(out / "caches" / name))


def carried_out(task: Task, out: Path, limit_seconds: float) -> Outcome:
    """Run it to its end or its limit, and print what became of it."""
    began = time.monotonic()
    found = run_to_its_end(program(*task.command), {**os.environ, **task.variables}, limit_seconds, stderr=STDOUT)
    (out / f"{task.name}.txt").write_text(found.stdout, encoding="utf-8")
    lines = [line for line in found.stdout.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith((f"{task.name.partition('-')[2]}: ", "========= "))] or lines
    outcome = Outcome(
        task=task, status=found.status, seconds=time.monotonic() - began, last_line=telling[-1] if telling else ""
    )
    sys.stdout.write(f"{outcome}\n")
    sys.stdout.flush()
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0, or 1 where something failed or was not over in time."""
    asked = _asked(arguments)
    out: Path = asked.out
    ends = time.monotonic() + 60.0 * asked.minutes
    out.mkdir(parents=True)
    if reason := missing_sanitizer():
        sys.stdout.write(f"Nothing is sanitized: {reason}.\n")
    first = Task(name="doctor", command=stepbench("doctor"), variables={})
    tasks = [first, *checks(asked.rows, out)]
    limit = CHECKS_SHARE * 60.0 * asked.minutes
    with ThreadPoolExecutor(len(tasks)) as pool:
        outcomes = list(pool.map(lambda task: carried_out(task, out, limit), tasks))
    left = ends - time.monotonic()
    what = REHEARSED_RUN if asked.rehearse else ("--preset", "marks-cuda")
    run = stepbench(
        "run", *what, "--rows", ",".join(asked.rows), "--out", str(out / "run"),
        "--max-time", f"{(left - LEFT_OVER_SECONDS) / 60.0:.2f}",
    )  # fmt: skip
    outcomes.append(carried_out(Task(name="run", command=run, variables={}), out, left))
    shutil.rmtree(out / "caches", ignore_errors=True)
    _tell(out)
    packed = shutil.make_archive(str(out), "gztar", out)
    sys.stdout.write(f"Packed: {packed}; publish the run with: python -m stepreports.publish {out / 'run'}\n")
    return int(any(outcome.status != 0 for outcome in outcomes))


def _tell(out: Path) -> None:
    """How the run stands against the marks, where there is one."""
    from stepbench.evidence import marks

    if (out / "run" / "benchmark.json").exists():
        marks.main([str(out / "run")])


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    about = (__doc__ or "").partition("\n")[0]  # `python -OO` leaves no docstring
    parser = argparse.ArgumentParser(prog="python -m stepbench.evidence.card", description=about)
    parser.add_argument("--out", type=Path, required=True, metavar="OUT", help="a new folder for everything")
    parser.add_argument("--minutes", type=float, default=9.0, help="in which to be over; 9 unless told")
    parser.add_argument("--rows", metavar="ROW,ROW", help="the rows; every CUDA row unless told")
    parser.add_argument("--rehearse", action="store_true", help="without a GPU: rows of the CPU, at a small size")
    asked = parser.parse_args(arguments)
    asked.rows = asked.rows.split(",") if asked.rows else list(REHEARSED_ROWS if asked.rehearse else CUDA_ROWS)
    if unknown := [row for row in asked.rows if row not in CATALOG]:
        parser.error(f"there is no row called {', '.join(unknown)}; see stepbench list")
    if not 60.0 * asked.minutes >= LEAST_SECONDS:
        parser.error(f"--minutes must be at least {LEAST_SECONDS / 60.0:g}")
    if asked.out.exists():
        parser.error(f"{asked.out} exists; name a new folder")
    return asked


if __name__ == "__main__":
    sys.exit(main())
