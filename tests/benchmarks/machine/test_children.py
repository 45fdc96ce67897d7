"""What a child process finds in its environment: caches that nobody shares, and the device of its row."""

import os
import sys

import pytest

from stepbench.machine.children import CACHES, environment_of_child
from stepbench.run import processes
from stepbench.run.participants import Participant
from stepkernels.catalog import CATALOG


def test_the_last_variables_win_and_the_import_path_is_our_own(monkeypatch):
    monkeypatch.setenv("STEPBENCH_TEST", "ours")
    found = environment_of_child({"STEPBENCH_TEST": "first"}, {"STEPBENCH_TEST": "last"})
    assert found["STEPBENCH_TEST"] == "last"
    assert found["PYTHONPATH"].split(os.pathsep) == [path for path in sys.path if path]
    assert environment_of_child()["STEPBENCH_TEST"] == "ours"


@pytest.fixture
def environment_of(monkeypatch, tmp_path):
    """The environment that a participant's worker would be started in."""
    started = []

    monkeypatch.setattr(processes.subprocess, "Popen", lambda _command, *, env, **_more: started.append(env))
    monkeypatch.setattr(processes.Worker, "_send", lambda *_: None)

    def environment_of(participant):
        worker = processes.Worker(participant, [], 2, tmp_path / participant.key, tmp_path / "log")
        worker.connection.close()
        worker.log.close()
        return started[-1]

    return environment_of


def test_no_two_workers_share_a_compile_cache(environment_of):
    fused = Participant(CATALOG["numba-fused"])
    participants = [fused, Participant(fused.row, replica=1), Participant(CATALOG["numba-fused-parallel"])]
    folders = [environment_of(each)[name] for each in participants for name in CACHES]
    assert len(set(folders)) == len(participants) * len(CACHES)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_jax_opens_the_device_of_its_row_and_leaves_memory_to_the_others(environment_of, device):
    environment = environment_of(Participant(CATALOG[f"jax-jit-{device}"]))
    assert environment["JAX_PLATFORMS"] == device
    assert environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert environment["OMP_NUM_THREADS"] == "2"
