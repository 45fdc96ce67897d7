"""A step of two ranks on two hosts, over a link that is slowed: what is waited for grows as the link takes longer."""

import json
import os
import subprocess
import sys
from itertools import chain
from statistics import median

import msgspec
import pytest

from runs import environment
from stepbench.cases.case import Case
from stepbench.run.scaling.parts_of_step import parts_of_step
from stepbench.run.scaling.scale_question import GROUP
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op
from stepreports.comparison.scaling_report.scale_records import Parts
from stepreports.comparison.scaling_report.scaled import composition_of
from two_hosts import INTERFACE, PORT, NoNamespacesError, two_hosts

pytestmark = pytest.mark.slow

N = 4_000  # features
SENT_BYTES = 8 * (N + 2)  # that each rank tells the other in a step
RATES = (1_000, 100, 10)  # Mbit a second
SLACK = 1.5  # of times on a machine that does other things too
MEMBER = f"{CATALOG[GROUP].module}.rank_process"
HERE = parts_of_step.__module__


def slow_down(host, rate):
    """Whatever the host sends goes out at that rate, a packet or two ahead of it."""
    subprocess.run(
        ["tc", "-n", host.namespace, "qdisc", "replace", "dev", INTERFACE, "root", "tbf",
         "rate", f"{rate}mbit", "burst", "32kb", "latency", "400ms"],
        check=True, capture_output=True,
    )  # fmt: skip


def parts_over(hosts, rate):
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


@pytest.fixture(scope="module")
def measured():
    """The steps at each rate."""
    try:
        with two_hosts() as hosts:
            return {rate: parts_over(hosts, rate) for rate in RATES}
    except NoNamespacesError as reason:
        if os.environ.get("STEPBENCH_TEST_NAMESPACES"):
            pytest.fail(f"network namespaces are required, and cannot be made here: {reason}")
        pytest.skip(f"no network namespaces can be made here: {reason}")


@pytest.fixture(scope="module")
def by_rate(measured):
    """What a step is made of, at each rate."""
    return {rate: composition_of(parts) for rate, parts in measured.items()}


def seconds_of_a_step(parts):
    return median(chain.from_iterable(parts.step_seconds))


def test_the_share_of_waiting_grows_as_the_link_slows_down(by_rate):
    shares = [by_rate[rate].exposed.value for rate in RATES]
    assert shares == sorted(shares)
    assert shares[-1] > 0.5


@pytest.mark.parametrize("rate", [100, 10])
def test_a_step_takes_no_less_beside_reading_than_its_bytes_take(by_rate, rate):
    """The sums of each rank go over the link; half, for what a bucket of tokens has saved up passes at once."""
    assert by_rate[rate].link.value > 0.5 * (8 * SENT_BYTES) / (1e6 * rate)


@pytest.mark.parametrize("rate", RATES)
def test_a_step_takes_as_long_as_the_model_says(measured, by_rate, rate):
    """They are measured in turns, and differ by what computing takes beyond reading: less than reading once more."""
    found, step = by_rate[rate], seconds_of_a_step(measured[rate])
    assert (found.reading.low + found.link.low) / SLACK < step
    assert step < SLACK * (2 * found.reading.high + found.link.high)


@pytest.mark.parametrize("rate", [100, 10])
def test_the_share_of_waiting_is_what_the_model_says(by_rate, rate):
    """Within the ends of its parts: of the link alone, and where computing takes twice as long as reading."""
    found = by_rate[rate]
    least = found.link.low / (2 * found.reading.high + found.link.low)
    most = found.link.high / (found.reading.low + found.link.high)
    assert least / SLACK < found.exposed.value < SLACK * most


def test_a_step_grows_with_the_link_as_the_model_does(measured, by_rate):
    """From 100 to 10 Mbit a second, by some twenty milliseconds each."""
    grown = seconds_of_a_step(measured[10]) - seconds_of_a_step(measured[100])
    predicted = by_rate[10].model - by_rate[100].model
    assert predicted > 0.5 * (8 * SENT_BYTES) * (1 / 10e6 - 1 / 100e6)
    assert predicted / SLACK < grown < SLACK * predicted
