"""A step of two ranks on two hosts, over a link that is slowed.

What other work on the machine cannot change: no step is faster than its bytes. `slow_link` measures the times.
"""

import os

import pytest

from slow_link import RATES, SENT_BYTES, parts_over, seconds_of_a_step
from stepreports.comparison.scaling_report.scaled import composition_of
from two_hosts import NoNamespacesError, two_hosts

pytestmark = pytest.mark.slow

SLOW = RATES[1:]  # at the first, a bucket of tokens is full again when the next step begins
SAVED_UP = 0.5  # of the bytes of a step, that may pass at once: what is left in the bucket, and more


def least_seconds(rate):
    """For the bytes of a rank's sums, at that many Mbit a second."""
    return SAVED_UP * 8 * SENT_BYTES / (1e6 * rate)


@pytest.fixture(scope="module")
def measured():
    """The steps at each rate."""
    try:
        with two_hosts() as hosts:
            return {rate: parts_over(hosts, rate) for rate in SLOW}
    except NoNamespacesError as reason:
        if os.environ.get("STEPBENCH_TEST_NAMESPACES"):
            pytest.fail(f"network namespaces are required, and cannot be made here: {reason}")
        pytest.skip(f"no network namespaces can be made here: {reason}")


@pytest.mark.parametrize("rate", SLOW)
def test_a_step_takes_no_less_than_its_bytes(measured, rate):
    assert seconds_of_a_step(measured[rate]) > least_seconds(rate)


@pytest.mark.parametrize("rate", SLOW)
def test_the_link_of_the_model_takes_no_less_than_the_bytes_of_a_step(measured, rate):
    assert composition_of(measured[rate]).link.value > least_seconds(rate)


def test_a_step_over_a_slow_link_is_waiting(measured):
    """Some 13 ms at the least are waited for, at 10 Mbit a second, and 8 MB are read in the meantime."""
    assert composition_of(measured[10]).exposed.value > 0.5
