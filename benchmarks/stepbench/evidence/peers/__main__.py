"""Our classifier and those of other libraries, each trained to the same gradient.

    python -m stepbench.evidence.peers --json FILE     measure (an hour), store, and print the tables
    python -m stepbench.evidence.peers --trial         the same on little data (minutes)
    python -m stepbench.evidence.peers --peer glum     with the solvers of one library, which then has to be there

`nox -s peers` installs what can be installed of them. Each solver of each library is looked at in a process of its own:
which tolerance leaves the gradient, or how small a one it can leave, in which memory, and what it tells. Then whole
calls of `fit` take turns with ours; one that is more than ten times as slow is timed once. Exit status 1 where ours, or
a library that was asked for by name, gives no result.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console

from stepbench.cases.case import Case
from stepbench.cases.parsing import parse_choices
from stepbench.cases.presets import BREAST_CANCER
from stepbench.evidence.declared import PEER_MARKS
from stepbench.evidence.peers.finding import found_of
from stepbench.evidence.peers.libraries import OURS, PEERS, Peer
from stepbench.evidence.peers.peer_table import tables
from stepbench.evidence.training_marks import by_generation, case_of, file_to_write, surroundings
from stepbench.run.in_turns import timed_or_failed
from stepbench.run.participants import Participant, Role
from stepbench.run.progress import TerminalProgress
from stepkernels.interface import Implementation, Op
from stepkernels.problem import DTYPES, ProblemError
from stepreports.records.files import write_json

SCHEMA = 1
COMMAND = "stepbench.evidence.peers"
SLOW_TIMES, SLOW_SECONDS = 10.0, 1.0  # of our fit, and at least, from which on a fit takes no turns
DISTRIBUTIONS = tuple(dict.fromkeys(peer.distribution for peer in PEERS.values() if peer.name != OURS))

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much to measure: the sizes, how often fits take turns, and how long a peer may try to get there."""

    sizes: tuple[str, ...]
    generations: int
    turns: int
    limit_seconds: float


FULL = Effort(sizes=(BREAST_CANCER, "100000x50", "1000000x100"), generations=3, turns=12, limit_seconds=600.0)
TRIAL = Effort(sizes=(BREAST_CANCER,), generations=1, turns=2, limit_seconds=120.0)


def measure(cases: Sequence[Case], peers: Sequence[Peer], effort: Effort) -> Figures:
    """All that is stored. The peers are looked at one after the other, and take turns afterwards."""
    units = len(cases) * (len(peers) + effort.generations)
    with TerminalProgress("Peers", units, Console(stderr=True)) as progress:
        measured = [compared(case, peers, effort, progress) for case in cases]
    return {"schema": SCHEMA, **surroundings(), "cases": measured}


def compared(case: Case, peers: Sequence[Peer], effort: Effort, progress: TerminalProgress) -> Figures:
    """Every peer on the data of a case."""
    fits = []
    for peer in peers:
        progress.describe(f"{peer.name}: how it gets there, {case.m:,} × {case.n:,}, {case.dtype}")
        fits.append(looked_at(peer, case, effort.limit_seconds))
        progress.advance()
    take_turns(case, fits, effort, progress)
    return {
        "dataset": case.dataset,
        "m": case.m,
        "n": case.n,
        "dtype": case.dtype,
        "x_bytes": case.m * case.n * np.dtype(case.dtype).itemsize,
        "target": PEER_MARKS.gradient,
        "fits": fits,
    }


def looked_at(peer: Peer, case: Case, limit_seconds: float) -> Figures:
    """What was found out about a peer, its turns still missing; with a reason where it is not there or failed."""
    known = {"peer": peer.name, "version": peer.version, "l2": 1 / case.m, "seconds": None}
    if reason := peer.unavailable():
        return {**known, "version": "", "reason": reason}
    return {**known, **found_of(peer.name, case, PEER_MARKS.gradient, limit_seconds)}


def take_turns(case: Case, fits: Sequence[Figures], effort: Effort, progress: TerminalProgress) -> None:
    """Time ours and those that are not far slower, and add their seconds; one that fails says why."""
    ours = next((fit for fit in fits if fit["peer"] == OURS and "once_seconds" in fit), None)
    if ours is None:
        return
    most = max(SLOW_TIMES * ours["once_seconds"], SLOW_SECONDS)
    taking = {fit["peer"]: fit for fit in fits if fit.get("once_seconds", np.inf) <= most or fit is ours}
    participants = {name: participant(fit, case) for name, fit in taking.items()}
    timed = timed_or_failed(
        list(participants.values()), [case], effort.generations, effort.turns, progress, effort.limit_seconds
    )
    for name, each in participants.items():
        key = each.key, case.name
        if key in timed.turns:
            taking[name]["seconds"] = by_generation(timed.turns[key], effort.generations)
        else:
            taking[name]["reason"] = f"took no turns: {timed.failures.get(key, 'it was not timed')}"


def participant(fit: Figures, case: Case) -> Participant:
    """Timed and not judged: a fit is no step, and its gradient was looked at."""
    options = {"peer": fit["peer"], "l2": fit["l2"], "tol": fit["tol"], "threads": case.threads}
    module = "stepbench.evidence.peers.timed_fit"
    row = Implementation(name=fit["peer"], module=module, ops=(Op.STEP,), options=options)
    return Participant(row, role=Role.UNJUDGED)


def failures(found: Figures, required: Sequence[str]) -> Iterator[str]:
    """Why what has to be there gave no result, in sentences."""
    for case in found["cases"]:
        for fit in case["fits"]:
            is_required = fit["peer"] == OURS or PEERS[fit["peer"]].distribution in required
            if is_required and "gradient" not in fit:
                yield f"{fit['peer']} gave no result on {case['m']}x{case['n']}, {case['dtype']}: {fit['reason']}."


def chosen_peers(distributions: Sequence[str]) -> list[Peer]:
    """Ours, and the solvers of these libraries; of all where none is named."""
    wanted = distributions or DISTRIBUTIONS
    return [peer for peer in PEERS.values() if peer.name == OURS or peer.distribution in wanted]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0, or 1 where ours or a peer that was named gave no result."""
    parser = argparse.ArgumentParser(prog=f"python -m {COMMAND}", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", metavar="SIZE,…", help=f"sizes or data sets (default: {','.join(FULL.sizes)})")
    parser.add_argument("--dtypes", default=",".join(DTYPES), help="float32, float64 or both (default: both)")
    parser.add_argument("--peer", nargs="+", choices=DISTRIBUTIONS, default=[], help="only these, which are required")
    parser.add_argument("--trial", action="store_true", help="little data, and few turns")
    parser.add_argument("--json", type=file_to_write, metavar="FILE", help="store what was measured")
    chosen = parser.parse_args(arguments)
    effort = TRIAL if chosen.trial else FULL
    try:
        sizes = effort.sizes if chosen.sizes is None else chosen.sizes.split(",")
        dtypes = parse_choices("dtype", chosen.dtypes, DTYPES)
        cases = [case_of(size.strip(), dtype) for size in sizes for dtype in dtypes]
    except ProblemError as error:
        parser.error(str(error))
    found = measure(cases, chosen_peers(chosen.peer), effort)
    if chosen.json is not None:
        write_json(chosen.json, found)
    sys.stdout.write(tables(found) + "\n")
    failed = list(failures(found, chosen.peer))
    sys.stderr.writelines(f"{sentence}\n" for sentence in failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
