"""A step of two ranks on two hosts, over a link that is slowed: `python -m slow_link`, from tests/.

Prints, for each rate, the median step beside what the model says of it. Nothing is asserted: a test holds what no other
work on the machine can change, this measures the times.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import chain
from statistics import median

import msgspec

from runs import environment
from stepbench.cases.case import Case
from stepbench.run.scaling.parts_of_step import parts_of_step
from stepbench.run.scaling.scale_question import GROUP
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op
from stepreports.comparison.scaling_report.scale_records import Parts
from stepreports.comparison.scaling_report.scaled import composition_of
from two_hosts import INTERFACE, PORT, Host, two_hosts

N = 4_000  # features
SENT_BYTES = 8 * (N + 2)  # that each rank tells the other in a step
RATES = (1_000, 100, 10)  # Mbit a second
MEMBER = f"{CATALOG[GROUP].module}.rank_process"
HERE = parts_of_step.__module__


def slow_down(host: Host, rate: int) -> None:
    """Whatever the host sends goes out at that rate, a packet or two ahead of it."""
    subprocess.run(
        ["tc", "-n", host.namespace, "qdisc", "replace", "dev", INTERFACE, "root", "tbf",
         "rate", f"{rate}mbit", "burst", "32kb", "latency", "400ms"],
        check=True, capture_output=True,
    )  # fmt: skip


def parts_over(hosts: Sequence[Host], rate: int) -> Parts:
    """What the ranks measured of a step, with the link between the hosts at a rate."""
    first, second = hosts
    for host in hosts:
        slow_down(host, rate)
    row = CATALOG[GROUP]
    options = {**row.options, "ranks": 2, "timeout_seconds": 60.0, "meeting": (first.address, PORT)}
    case = Case(op=Op.STEP, dtype="float64", m=500, n=N, threads=1)
    asked = json.dumps({"row": {**row.to_json(), "options": options}, "case": case.to_json()})
    variables = environment(GLOO_SOCKET_IFNAME=INTERFACE, NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1")
    there = ["ip", "netns", "exec", second.namespace, sys.executable, "-m", MEMBER,
             first.address, str(PORT), "1", "2", "cpu", "60.0"]  # fmt: skip
    here = ["ip", "netns", "exec", first.namespace, sys.executable, "-m", HERE, asked]
    with subprocess.Popen(there, env=variables, stdin=subprocess.PIPE) as member:
        try:
            told = subprocess.run(here, env=variables, capture_output=True, text=True, timeout=240, check=False)
        finally:
            member.kill()
    assert told.returncode == 0, told.stderr
    return msgspec.json.decode(told.stdout, type=Parts)


def seconds_of_a_step(parts: Parts) -> float:
    """The median of all steps."""
    return median(chain.from_iterable(parts.step_seconds))


def main() -> None:
    """Measure at each rate, and print."""
    sys.stdout.write(f"{'Mbit/s':>7} {'step':>10} {'model':>10} {'reading':>10} {'link':>10} {'exposed':>8}\n")
    with two_hosts() as hosts:
        for rate in RATES:
            parts = parts_over(hosts, rate)
            found = composition_of(parts)
            milliseconds = (seconds_of_a_step(parts), found.model, found.reading.value, found.link.value)
            told = " ".join(f"{1e3 * seconds:>7.2f} ms" for seconds in milliseconds)
            sys.stdout.write(f"{rate:>7} {told} {found.exposed.value:>8.0%}\n")


if __name__ == "__main__":
    main()
