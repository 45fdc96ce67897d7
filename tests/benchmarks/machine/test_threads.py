"""The thread budget: read from quota and affinity, imposed on a fresh process, and read back."""

import json
import os
import subprocess
import sys

import pytest

from stepbench.machine.threads import (
    allowed_cpus,
    cgroup_quota,
    default_budget,
    oversized_pools,
    pool_variables,
)

READ_BACK = """
import sys
from stepbench.machine.threads import pin_to_budget, pool_sizes
pin_to_budget(1)
import json
import numba, numpy, torch
numpy.ones((64, 64)) @ numpy.ones((64, 64))
numba.njit(parallel=True)(lambda a: a + 1)(numpy.ones(1000))
sys.stdout.write(json.dumps(pool_sizes()))
"""


@pytest.mark.parametrize(
    ("content", "quota"), [("max 100000", None), ("100000 100000", 1.0), ("150000 100000", 1.5), ("garbage", None)]
)
def test_quota_of_cgroup_v2(tmp_path, content, quota):
    (tmp_path / "cpu.max").write_text(content)
    assert cgroup_quota(tmp_path) == quota


def test_quota_of_cgroup_v1(tmp_path):
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("200000")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000")
    assert cgroup_quota(tmp_path) == 2.0


def test_no_cgroup_is_no_quota(tmp_path):
    assert cgroup_quota(tmp_path) is None
    assert default_budget(tmp_path) == len(allowed_cpus())


def test_a_quota_of_a_fraction_still_allows_one_thread(tmp_path):
    (tmp_path / "cpu.max").write_text("50000 100000")
    assert default_budget(tmp_path) == 1


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system has no affinity")
def test_affinity_limits_the_budget():
    code = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]);\n"
    code += "import sys; from stepbench.machine.threads import default_budget; sys.stdout.write(str(default_budget()))"
    assert run_python(code) == "1"


def test_every_pool_obeys_the_budget():
    pools = json.loads(run_python(READ_BACK, pool_variables(1)))
    assert {"numba", "torch"} <= set(pools)
    assert set(pools.values()) == {1}
    assert oversized_pools(pools, 1) is None


def test_a_pool_beyond_the_budget_is_named():
    assert "torch has 8" in (oversized_pools({"torch": 8, "numba": 2}, 2) or "")


def run_python(code, environment=None):
    path = os.pathsep.join(filter(None, sys.path))
    child = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, **(environment or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return child.stdout
