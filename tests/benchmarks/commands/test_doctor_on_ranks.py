"""doctor --ranks: ranks that can talk, and each set-up that fails in a sentence that says what to do."""

import os
import socket
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from stepbench.cli import app
from stepbench.machine.round_trips import Talk, told_talk

NOWHERE = "no-such-host.invalid"  # a name that is kept free (RFC 2606)


def doctor(*arguments, under=(), **variables):
    command = [sys.executable, "-m", *under, "stepbench", "doctor", *map(str, arguments)]
    return subprocess.run(
        command, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, check=False
    )


def as_rank_0(**variables):
    """The variables of a rank whose fellow nobody has started."""
    usual = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}
    return {**usual, "MASTER_PORT": str(free_port()), **variables}


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.parametrize(
    ("asked", "under"),
    [
        (("--ranks", 2), ()),
        ((), ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")),
    ],
    ids=["by-itself", "under-torchrun"],
)
def test_ranks_of_this_machine_meet_and_talk(asked, under):
    finished = doctor(*asked, under=under)
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert lines[0].startswith("The 2 ranks meet at ")
    for rank in range(2):
        (told,) = [line for line in lines if line.startswith(f"Rank {rank}: process ")]
        assert "gloo takes lo" in told
        assert "(127.0.0.1)." in told
    assert any(line.startswith("Versions: python 3.") and " torch 2." in line for line in lines)
    assert any(line.startswith("Rank 1 listens at 127.0.0.1; a number there and back takes ") for line in lines)
    assert lines[-1] == "They can train together."


def test_one_rank_has_nobody_to_talk_to_and_no_fault():
    finished = doctor("--ranks", 1)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.endswith("They can train together.\n")


def test_an_interface_that_is_not_there_is_told():
    finished = doctor("--ranks", 2, GLOO_SOCKET_IFNAME="eth77")
    assert finished.returncode == 1
    assert "Ranks 0 and 1: GLOO_SOCKET_IFNAME is 'eth77', and " in finished.stderr
    assert "has no such interface that is up. It has " in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_port_in_use_is_told_with_whoever_has_it():
    with socket.create_server(("", 0)) as server:
        port = server.getsockname()[1]
        finished = doctor("--timeout", 5, **as_rank_0(MASTER_PORT=str(port)))
    assert finished.returncode == 2
    assert f"port {port} of this host is in use by " in finished.stderr
    assert f"(process {os.getpid()}). Take another." in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_name_that_resolves_to_nothing_is_told():
    finished = doctor("--timeout", 2, **as_rank_0(MASTER_ADDR=NOWHERE))
    assert finished.returncode == 2
    assert f"the name '{NOWHERE}' resolves to no address on this host." in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_rank_that_does_not_come_is_named():
    finished = doctor("--timeout", 2, **as_rank_0())
    assert finished.returncode == 2
    assert "Rank 1 never came within 2 s. Start each of the 2 ranks (WORLD_SIZE)" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_rank_0_that_is_not_there_is_told():
    finished = doctor("--timeout", 2, **as_rank_0(RANK="1"))
    assert finished.returncode == 2
    assert "Rank 0 has to be there, and no firewall between." in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("asked", "variables", "told"),
    [
        (("--ranks", 0), {}, "--ranks is 0; it must be from 1"),
        (("--ranks", 2, "--timeout", "nan"), {}, "--timeout is no time to wait"),
        (("--ranks", 2, "--self-test"), {}, "Ranks are examined by themselves; leave out --self-test"),
        (("--ranks", 3), as_rank_0(), "--ranks is 3, and WORLD_SIZE says 2; leave out --ranks under torchrun."),
        (("--timeout", 5), {}, "--timeout is for ranks; add --ranks 2, or more."),
        ((), as_rank_0(MASTER_ADDR=""), "MASTER_ADDR must be set for a rank; `torchrun"),
    ],
)
def test_what_cannot_be_asked_is_refused(monkeypatch, asked, variables, told):
    """Before anybody is met, and so in this process."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    finished = CliRunner().invoke(app, ["doctor", *map(str, asked)])
    assert finished.exit_code == 2
    assert told in finished.stderr


def test_talk_is_told_in_milliseconds():
    found = Talk(
        trip_seconds=[1e-4], exchange_seconds=2e-4, longest_seconds=5e-3, addresses=[["10.0.0.1"], []]
    )  # fmt: skip
    assert told_talk(found) == [
        "Rank 0 listens at 10.0.0.1.",
        "Rank 1 listens at an address that cannot be read back; a number there and back takes 0.1 ms.",
        "What all say to one another in a step of 100 columns takes 0.2 ms, the longest of 100 times 5 ms.",
    ]
