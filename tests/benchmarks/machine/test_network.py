"""What ranks find of the network, and which sentence each fault of it has."""

import os
import socket
from dataclasses import replace

import pytest
from torch.distributed import HashStore

from stepbench.machine.network import (
    address_for_gloo,
    addresses_of,
    fault_of_place,
    interface_with,
    interfaces,
    is_loopback,
)
from stepbench.machine.rank_facts import (
    RankFacts,
    facts_here,
    facts_of_all,
    faults_of_addresses,
    faults_of_versions,
    told_facts,
)
from stepbench.machine.torchrun import counted_here, hosts, meet_store, place_and_rank
from stepkernels import ProblemError
from stepkernels.arrays.torch_ranks.ranks import open_store
from stepkernels.arrays.torch_ranks.roll_call import this_machine

NOWHERE = "no-such-host.invalid"  # a name that is kept free (RFC 2606)
TWO = {"lo": ["127.0.0.1", "::1"], "eth0": ["10.0.0.5"]}


def fact(rank, **changes):
    """A rank on a host of its own, with nothing wrong."""
    usual = RankFacts(
        rank=rank, process=100 + rank, host=f"host{rank}", resolved=[f"10.0.0.{rank}"], network=f"net{rank}", named="",
        address=f"10.0.0.{rank}", interfaces={"lo": ["127.0.0.1"], "eth0": [f"10.0.0.{rank}"]},
        versions={"python": "3.11.9", "torch": "2.9.0"},
    )  # fmt: skip
    return replace(usual, **changes)


def test_the_loopback_interface_is_found():
    name = interface_with("127.0.0.1", interfaces())
    assert name is not None
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("10.0.0.5")


def test_a_name_that_resolves_to_nothing_has_no_address():
    assert addresses_of(NOWHERE) == []
    assert addresses_of("") == []
    assert addresses_of("a" * 300) == []
    assert "127.0.0.1" in addresses_of("localhost")


@pytest.mark.parametrize(
    ("named", "resolved", "all_here", "address"),
    [
        ("eth0", ["127.0.0.1"], False, "10.0.0.5"),
        ("eth9", ["127.0.0.1"], False, None),
        ("eth0,lo", [], False, "10.0.0.5"),
        ("eth0,eth9", [], False, None),
        ("", ["10.0.0.5"], False, "10.0.0.5"),
        ("", ["10.9.9.9", "10.0.0.5"], False, "10.0.0.5"),
        ("", ["10.9.9.9"], False, "127.0.0.1"),
        ("", [], False, "127.0.0.1"),
        ("", ["10.0.0.5"], True, "127.0.0.1"),
        ("eth0", [], True, "10.0.0.5"),
    ],
)
def test_gloo_takes_the_interface_that_is_named_or_what_the_hosts_name_resolves_to(
    monkeypatch, named, resolved, all_here, address
):
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", named)
    monkeypatch.setattr("stepbench.machine.network.addresses_of", lambda _: resolved)
    assert address_for_gloo(TWO, all_here=all_here) == address


def test_a_port_that_is_taken_is_told_with_whoever_has_it():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        told = fault_of_place("127.0.0.1", port, keeps=True)
        assert fault_of_place("127.0.0.1", port, keeps=False) is None
    assert told.startswith(f"port {port} of this host is in use by ")
    assert told.endswith(f" (process {os.getpid()}). Take another.")
    assert fault_of_place("127.0.0.1", port, keeps=True) is None


@pytest.mark.parametrize("keeps", [True, False])
def test_a_name_of_rank_0_that_resolves_to_nothing_is_told(keeps):
    told = fault_of_place(NOWHERE, 29500, keeps=keeps)
    assert told.startswith(f"the name {NOWHERE!r} resolves to no address on this host.")


def test_an_address_that_is_not_rank_0s_is_told():
    told = fault_of_place("192.0.2.1", 29500, keeps=True)  # of no host (RFC 5737)
    assert told.startswith("192.0.2.1 (192.0.2.1) is no address of this host, which rank 0 is on.")


def test_ranks_on_hosts_of_their_own_have_no_fault():
    assert faults_of_addresses([fact(0), fact(1)]) == []
    assert faults_of_versions([fact(0), fact(1)]) == []


def on_one_host(rank, **changes):
    shared = {"host": "host0", "network": "net0", "resolved": [], "address": "127.0.0.1", "interfaces": TWO}
    return fact(rank, **shared, **changes)


def test_the_loopback_address_will_do_within_a_host_and_not_between_two():
    here = [on_one_host(rank) for rank in range(3)]
    assert faults_of_addresses(here) == []
    there = fact(3, address="127.0.0.1", resolved=["127.0.1.1"])
    assert faults_of_addresses([*here, there]) == [
        f"{who}, at which other hosts find themselves, since {why}. Set GLOO_SOCKET_IFNAME there to the interface that "
        f"leads to the others: {interface}."
        for who, why, interface in (
            ("Ranks 0, 1 and 2: gloo takes 127.0.0.1 of host0", "its name resolves to nothing", "eth0 (10.0.0.5)"),
            ("Rank 3: gloo takes 127.0.0.1 of host3", "its name resolves to 127.0.1.1", "eth0 (10.0.0.3)"),
        )
    ]
    (fault,) = faults_of_addresses([replace(here[0], named="lo"), fact(1)])
    assert "since GLOO_SOCKET_IFNAME names lo" in fault


def test_an_interface_that_is_not_there_is_told_with_those_that_are():
    (fault,) = faults_of_addresses([fact(0), fact(1, named="eth9", address=None)])
    assert fault.startswith("Rank 1: GLOO_SOCKET_IFNAME is 'eth9', and host1 has no such interface that is up. It has ")
    assert fault.endswith("It has lo (127.0.0.1), eth0 (10.0.0.1).")


def test_each_version_that_is_not_rank_0s_is_told():
    other = {"python": "3.11.9", "torch": "2.8.0"}
    assert faults_of_versions([fact(0), fact(1), fact(2, versions=other)]) == [
        "Rank 2 has torch 2.8.0, and rank 0 has 2.9.0. Install the same for all."
    ]
    assert faults_of_versions([fact(0), fact(1, versions={"python": "3.11.9"})]) == [
        "Rank 1 has torch None, and rank 0 has 2.9.0. Install the same for all."
    ]


def test_facts_are_told_a_line_a_rank():
    lines = list(told_facts([fact(0), fact(1, named="eth9", address=None)]))
    assert lines == [
        "Rank 0: process 100 on host0, which resolves to 10.0.0.0; gloo takes eth0 (10.0.0.0).",
        "Rank 1: process 101 on host1, which resolves to 10.0.0.1; gloo has no address for it (eth9).",
        "Versions: python 3.11.9, torch 2.9.0.",
    ]


def test_facts_travel_whole_by_the_store():
    store = HashStore()
    own = facts_here(0, all_here=True)
    assert facts_of_all(store, own, 1, 5.0) == [own]


def test_ranks_that_do_not_come_are_named():
    with pytest.raises(ProblemError, match=r"Ranks 1 and 2 never came within 0\.1 s\. Start each of the 3 ranks"):
        facts_of_all(HashStore(), fact(0), 3, 0.1)


def variables(monkeypatch, **given):
    usual = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
    for name, value in {**usual, **given}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"MASTER_PORT": ""}, "MASTER_PORT must be set for a rank"),
        ({"MASTER_ADDR": "", "RANK": ""}, "RANK and MASTER_ADDR must be set for a rank"),
        ({"RANK": "2"}, "RANK is 2 and WORLD_SIZE is 2; ranks are counted from 0"),
        ({"RANK": "-1"}, "RANK is '-1'; it must be a number from 0 to 65535"),
        ({"WORLD_SIZE": "many"}, "WORLD_SIZE is 'many'; it must be a number"),
        ({"MASTER_PORT": "65536"}, "MASTER_PORT is '65536'; it must be a number"),
        ({"LOCAL_WORLD_SIZE": "x"}, "LOCAL_WORLD_SIZE is 'x'; it must be a number"),
        ({"LOCAL_WORLD_SIZE": "0"}, "LOCAL_WORLD_SIZE is 0, of 2 ranks; it must be from 1 to 2"),
        ({"LOCAL_WORLD_SIZE": "3"}, "LOCAL_WORLD_SIZE is 3, of 2 ranks"),
    ],
)
def test_variables_that_are_missing_or_wrong_are_named(monkeypatch, given, told):
    variables(monkeypatch, **given)
    with pytest.raises(ProblemError, match=told):
        place_and_rank()


def test_hosts_are_as_many_as_torchrun_says_or_as_have_ranks_like_this_one(monkeypatch):
    variables(monkeypatch, WORLD_SIZE="4", LOCAL_WORLD_SIZE="1", GROUP_WORLD_SIZE="2")
    assert hosts() == 2
    monkeypatch.delenv("GROUP_WORLD_SIZE")
    assert hosts() == 4
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert hosts() == 2


def test_ranks_that_nobody_counted_count_those_on_their_machine():
    store = HashStore()
    store.set("machine/0", this_machine())
    store.set("machine/1", "another")
    assert counted_here(store, 2, 3, 1.0) == 2
    with pytest.raises(RuntimeError):
        counted_here(store, 2, 4, 0.1)


def test_what_ranks_wrote_before_they_were_started_anew_is_not_read(monkeypatch):
    """As torchrun does after a fault, with the store that it keeps."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    kept = open_store("127.0.0.1", port, 1, 5.0, keeps=True)
    variables(monkeypatch, WORLD_SIZE="1", MASTER_PORT=str(port), TORCHELASTIC_USE_AGENT_STORE="True")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")  # so that it is put back to nothing
    monkeypatch.delenv("LOCAL_WORLD_SIZE")
    first, *_ = meet_store(5.0)
    assert os.environ["LOCAL_WORLD_SIZE"] == "1"
    first.set("roll/0", "gone")
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    second, *_ = meet_store(5.0)
    assert not second.check(["roll/0"])
    assert first.check(["roll/0"])
    del kept
