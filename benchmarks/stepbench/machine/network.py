"""The network as ranks find it: what names resolve to, which interfaces there are, who listens at a port."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Mapping, Sequence

import psutil

LOOPBACK_ADDRESS = "127.0.0.1"

Interfaces = Mapping[str, Sequence[str]]  # by its name, the addresses of each


def interfaces() -> Interfaces:
    """Those of this host that are up and have an address."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    found = {
        name: [each.address.partition("%")[0] for each in given if each.family in (socket.AF_INET, socket.AF_INET6)]
        for name, given in psutil.net_if_addrs().items()
    }
    return {name: addresses for name, addresses in found.items() if name in up and addresses}


def addresses_of(name: str) -> list[str]:
    """What a name resolves to on this host; nothing where it does not."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


def interface_with(address: str, among: Interfaces) -> str | None:
    """The name of the interface that has the address."""
    return next((name for name, addresses in among.items() if address in addresses), None)


def address_for_gloo(among: Interfaces, *, all_here: bool) -> str | None:
    """The address at which gloo lets other ranks reach this one; None for an interface that is not there.

    It takes the interfaces that `GLOO_SOCKET_IFNAME` names, or the address that this host's name resolves to, or, where
    that is none of its own, the loopback address. Between ranks of one machine we name the loopback interface.
    """
    from stepkernels.arrays.torch_ranks.ranks import INTERFACE

    if named := os.environ.get(INTERFACE):
        first_ones = [next(iter(among.get(name, ())), None) for name in named.split(",")]
        return None if None in first_ones else first_ones[0]
    own = [address for address in addresses_of(socket.gethostname()) if interface_with(address, among)]
    return own[0] if own and not all_here else LOOPBACK_ADDRESS


def addresses_listened_at() -> list[str]:
    """Those at which this process has a socket that waits for others, at one of this host's addresses and not at all.

    gloo's are such, and the store's is not.
    """
    found = [each.laddr.ip for each in psutil.Process().net_connections("tcp") if each.status == psutil.CONN_LISTEN]
    return list(dict.fromkeys(address for address in found if not ipaddress.ip_address(address).is_unspecified))


def fault_of_place(address: str, port: int, *, keeps: bool) -> str | None:
    """What may be why ranks did not meet at an address and a port; None where nothing is known against it.

    keeps  whether this process was to listen there
    """
    found = addresses_of(address)
    if not found:
        return (
            f"the name {address!r} resolves to no address on this host. Give an address of rank 0's host, or enter the "
            "name in /etc/hosts or where names are kept."
        )
    if not keeps:
        return None
    if not any(interface_with(each, interfaces()) for each in found):
        return f"{address} ({', '.join(found)}) is no address of this host, which rank 0 is on. Give one that is."
    if port and is_taken(port):
        return f"port {port} of this host is in use{by_whom(port)}. Take another."
    return None


def is_taken(port: int) -> bool:
    """Whether somebody listens at the port of this host."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind(("", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def by_whom(port: int) -> str:
    """Who listens at a port, as the end of a sentence; nothing where the system does not tell."""
    try:
        found = psutil.net_connections("tcp")
        users = [each.pid for each in found if each.status == psutil.CONN_LISTEN and each.laddr.port == port]
        process = next(pid for pid in users if pid is not None)
        return f" by {psutil.Process(process).name()} (process {process})"
    except (psutil.Error, StopIteration):
        return ""
