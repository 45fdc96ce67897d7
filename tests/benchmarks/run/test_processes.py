"""A worker's environment: its thread budget, the device of its row, and compile caches that nobody shares."""

import pytest

from stepbench.machine.threads import POOL_VARIABLES
from stepbench.run.participants import Participant
from stepbench.run.processes import environment_of_worker
from stepkernels.catalog import CATALOG


def test_every_pool_is_told_the_budget(tmp_path):
    environment = environment_of_worker(Participant(CATALOG["numpy-blas"]), 2, tmp_path)
    assert {environment[name] for name in POOL_VARIABLES} == {"2"}


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_jax_opens_the_device_of_its_row_and_leaves_memory_to_the_others(tmp_path, device):
    environment = environment_of_worker(Participant(CATALOG[f"jax-jit-{device}"]), 2, tmp_path)
    assert environment["JAX_PLATFORMS"] == device
    assert environment["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
