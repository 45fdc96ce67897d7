"""Ranks on two hosts, which are two network namespaces: they train together, and lose one another in time."""

import os
import time

import numpy as np
import pytest

from stepbench.cases.standardizing import scaling_of, standardize
from stepbench.training.model_file import load_model
from stepkernels import LogisticRegression
from trainings import mapped_file
from two_hosts import ENDING_SECONDS, INTERFACE, NoNamespacesError, by_number, has_ended, launched, two_hosts

REQUIRED = "STEPBENCH_TEST_NAMESPACES"
TIMEOUT_SECONDS = 8.0
STARTING_SECONDS = 120.0
NAMED = {"GLOO_SOCKET_IFNAME": INTERFACE}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hosts():
    try:
        with two_hosts() as found:
            yield found
    except NoNamespacesError as reason:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, and no network namespaces can be made here: {reason}")
        pytest.skip(f"no network namespaces can be made here: {reason}")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return mapped_file(tmp_path_factory.mktemp("hosts") / "data.npy", rows=1_000)


def test_ranks_on_two_hosts_reach_the_optimum_of_one_process(hosts, data, tmp_path):
    asked = ("train", data, "--tol", "1e-9", "--out", tmp_path / "model.npz")
    with launched(hosts, *asked, **NAMED) as (first, second):
        told = first.told(STARTING_SECONDS)
        assert first.process.returncode == 0, told
        assert "Lost" not in "".join(second.told(TIMEOUT_SECONDS))
    known = np.load(data)[:750]
    scaling = scaling_of(known[:, :-1], list("abcdef"))
    X = standardize(known[:, :-1], scaling.mean, scaling.scale)
    optimum = LogisticRegression(l2=1e-3, tol=1e-10).fit(X, known[:, -1])
    model = load_model(tmp_path / "model.npz")
    np.testing.assert_allclose(model.w, optimum.coef_[0], atol=1e-6)
    np.testing.assert_allclose(model.b, optimum.intercept_[0], atol=1e-6)


def endless(data, folder):
    return (
        "train", data, "--optimizer", "adam", "--tol", 0, "--steps", 10**9, "--timeout", TIMEOUT_SECONDS,
        "--checkpoint", folder / "kept", "--out", folder / "model.npz",
    )  # fmt: skip


def wait_until_they_learn(folder):
    ends = time.monotonic() + STARTING_SECONDS
    while not (folder / "kept" / "checkpoint.npz").exists():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.mark.parametrize("number", [0, 1])
def test_a_rank_that_is_killed_on_one_host_is_named_on_the_other(hosts, data, tmp_path, number):
    with launched(hosts, *endless(data, tmp_path), **NAMED) as both:
        wait_until_they_learn(tmp_path)
        both[number].rank().kill()
        _, told = both[1 - number].told(TIMEOUT_SECONDS)
        both[number].told(TIMEOUT_SECONDS)
    assert both[1 - number].process.returncode == 1
    assert "Lost " in told
    assert f"rank {number}" in told
    assert f"Rank {1 - number} ends, too." in told


def test_a_cable_that_is_cut_ends_the_training_on_both_hosts(hosts, data, tmp_path):
    with launched(hosts, *endless(data, tmp_path), meeting=by_number, **NAMED) as both:
        wait_until_they_learn(tmp_path)
        hosts[0].cable("down")
        try:
            told = [each.told(TIMEOUT_SECONDS)[1] for each in both]
        finally:
            hosts[0].cable("up")
    assert [each.process.returncode for each in both] == [1, 1]
    assert "rank 1" in told[0]
    assert "Rank 0 ends, too." in told[0]
    assert "rank 0, and with it the store of all ranks. Rank 1 ends, too." in told[1]


def test_a_cable_that_is_cut_ends_the_ranks_that_met_by_torchruns_own_store(hosts, data, tmp_path):
    """torchrun waits for that store as long as TCP does, where it is at the other end."""
    with launched(hosts, *endless(data, tmp_path), **NAMED) as both:
        wait_until_they_learn(tmp_path)
        ranks = [each.rank() for each in both]
        hosts[0].cable("down")
        try:
            ends = time.monotonic() + TIMEOUT_SECONDS + ENDING_SECONDS
            while not all(map(has_ended, ranks)):
                assert time.monotonic() < ends
                time.sleep(0.05)
            first, second = (each.end()[1] for each in both)
        finally:
            hosts[0].cable("up")
    assert "Rank 0 ends, too." in first
    assert "rank 0, and with it the store of all ranks. Rank 1 ends, too." in second


def test_the_doctor_says_which_interface_to_name(hosts):
    """The name of this machine resolves to a loopback address, or to one that neither host has."""
    with launched(hosts, "doctor", "--timeout", 30) as (first, _):
        told, wrong = first.told(STARTING_SECONDS)
    assert first.process.returncode == 1
    assert "Set GLOO_SOCKET_IFNAME there to the interface that leads to the others: veth0 (10.77.0.1)" in wrong
    assert "veth0 (10.77.0.2)" in wrong
    assert "Rank 1: process" in told


def test_the_doctor_finds_no_fault_where_the_interface_is_named(hosts):
    with launched(hosts, "doctor", "--timeout", 30, **NAMED) as (first, _):
        told, wrong = first.told(STARTING_SECONDS)
    assert first.process.returncode == 0, wrong
    assert "gloo takes veth0 (10.77.0.2)." in told
    assert "Rank 1 listens at 10.77.0.2; a number there and back takes " in told
    assert "They can train together." in told
