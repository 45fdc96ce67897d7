"""What each rank tells the others of where it is, before they talk by gloo, and what of it is wrong.

It goes by the store at which they meet: where gloo's addresses are no good, that alone still reaches everybody.
"""

from __future__ import annotations

import json
import os
import socket
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from stepbench.machine.network import (
    Interfaces,
    address_for_gloo,
    addresses_of,
    interface_with,
    interfaces,
    is_loopback,
)
from stepkernels.arrays.torch_ranks.ranks import INTERFACE
from stepkernels.arrays.torch_ranks.roll_call import this_machine
from stepkernels.probe import library_version
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    from torch._C._distributed_c10d import Store

VERSIONS = ("python", "stepbench", "numpy", "torch", "numba")
NAMESPACE = Path("/proc/self/ns/net")
FACTS, READ = "stepbench-doctor-facts", "stepbench-doctor-read"


@dataclass(frozen=True, slots=True, kw_only=True)
class RankFacts:
    """Where a rank is, and how others reach it.

    resolved    the addresses that its host's name resolves to there
    network     the same for two ranks only if the loopback address of one is that of the other
    named       the interface that GLOO_SOCKET_IFNAME names, "" where it names none
    address     that which gloo takes; None where there is no such interface
    """

    rank: int
    process: int
    host: str
    resolved: Sequence[str]
    network: str
    named: str
    address: str | None
    interfaces: Interfaces
    versions: Mapping[str, str]


def facts_here(rank: int, *, all_here: bool) -> RankFacts:
    """Those of this process."""
    host, found = socket.gethostname(), interfaces()
    network = this_machine()
    with suppress(OSError):  # of a system that has one network for all
        network += f" {NAMESPACE.readlink()}"
    return RankFacts(
        rank=rank,
        process=os.getpid(),
        host=host,
        resolved=addresses_of(host),
        network=network,
        named=os.environ.get(INTERFACE, ""),
        address=address_for_gloo(found, all_here=all_here),
        interfaces=found,
        versions={name: library_version(name) for name in VERSIONS},
    )


def facts_of_all(store: Store, own: RankFacts, count: int, wait_seconds: float) -> list[RankFacts]:
    """The facts of all ranks, in order. Raises `ProblemError` for a rank that does not come in time."""
    most = timedelta(seconds=wait_seconds)
    keys = [f"{FACTS}/{rank}" for rank in range(count)]
    try:
        store.set(keys[own.rank], json.dumps(asdict(own)))
        with suppress(RuntimeError):  # of time that is up
            store.wait(keys, most)
        absent = [rank for rank, key in enumerate(keys) if not store.check([key])]
        if absent:
            raise ProblemError(
                f"{ranks_in_words(absent)} never came within {wait_seconds:g} s. Start each of the {count} ranks "
                "(WORLD_SIZE) with the same MASTER_ADDR and MASTER_PORT, as torchrun does, and see what it says there."
            )
        found = [RankFacts(**json.loads(store.get(key))) for key in keys]
        store.set(f"{READ}/{own.rank}", "")
        if own.rank == 0:  # with whom the store ends
            store.wait([f"{READ}/{rank}" for rank in range(count)], most)
    except RuntimeError:
        raise ProblemError("Rank 0 is gone, and with it what the ranks tell one another; see what it says.") from None
    return found


def ranks_in_words(ranks: Sequence[int]) -> str:
    if len(ranks) == 1:
        return f"Rank {ranks[0]}"
    return f"Ranks {', '.join(map(str, ranks[:-1]))} and {ranks[-1]}"


def told_facts(found: Sequence[RankFacts]) -> Iterator[str]:
    """A line a rank, and one of their versions."""
    for each in found:
        resolved = ", ".join(each.resolved) or "nothing"
        reached = f"gloo has no address for it ({each.named})"
        if each.address is not None:
            name = interface_with(each.address, each.interfaces) or "no interface that is up"
            reached = f"gloo takes {name} ({each.address})"
        yield f"Rank {each.rank}: process {each.process} on {each.host}, which resolves to {resolved}; {reached}."
    yield f"Versions: {', '.join(f'{name} {version}' for name, version in found[0].versions.items())}."


def faults_of_addresses(found: Sequence[RankFacts]) -> list[str]:
    """Why ranks cannot reach one another by gloo, a sentence for the ranks that have the same fault."""
    several = len({each.network for each in found}) > 1
    those_with: dict[str, list[int]] = defaultdict(list)
    for each in found:
        if each.address is None:
            fault = (
                f"{INTERFACE} is {each.named!r}, and {each.host} has no such interface that is up. It has "
                f"{listed(each.interfaces)}."
            )
        elif several and is_loopback(each.address):
            fault = (
                f"gloo takes {each.address} of {each.host}, at which other hosts find themselves, {why(each)}. Set "
                f"{INTERFACE} there to the interface that leads to the others: {listed(outward(each.interfaces))}."
            )
        else:
            continue
        those_with[fault].append(each.rank)
    return [f"{ranks_in_words(ranks)}: {fault}" for fault, ranks in those_with.items()]


def faults_of_versions(found: Sequence[RankFacts]) -> list[str]:
    """The versions that are not rank 0's."""
    return [
        f"Rank {each.rank} has {name} {each.versions.get(name)}, and rank 0 has {version}. Install the same for all."
        for each in found
        for name, version in found[0].versions.items()
        if each.versions.get(name) != version
    ]


def why(facts: RankFacts) -> str:
    """Why gloo takes a loopback address."""
    if facts.named:
        return f"since {INTERFACE} names {facts.named}"
    return f"since its name resolves to {', '.join(facts.resolved) or 'nothing'}"


def outward(among: Interfaces) -> Interfaces:
    """The interfaces that lead to other hosts."""
    return {name: addresses for name, addresses in among.items() if not any(map(is_loopback, addresses))}


def listed(among: Interfaces) -> str:
    return ", ".join(f"{name} ({addresses[0]})" for name, addresses in among.items()) or "there is none"
