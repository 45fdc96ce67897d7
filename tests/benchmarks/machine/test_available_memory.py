"""Available memory: the least of machine, control groups of either version, and limits of the process."""

import resource
import subprocess
import sys

import psutil
import pytest

from runs import environment
from stepbench.machine.available_memory import available_bytes, group_bytes, limit_bytes

MIB = 2**20


def group(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n")


def v2(limit, used, cached=0):
    return {"memory.max": limit, "memory.current": used, "memory.stat": f"anon 5\ninactive_file {cached}"}


def v1(limit, used, cached=0):
    stat = f"cache 5\ntotal_inactive_file {cached}"
    return {"memory.limit_in_bytes": limit, "memory.usage_in_bytes": used, "memory.stat": stat}


@pytest.mark.parametrize("top", [".", "unified"], ids=["version 2", "beside version 1"])
def test_the_least_of_the_groups_above_counts_in_version_2(tmp_path, top):
    (tmp_path / "self").write_text("0::/outer/inner\n")
    group(tmp_path / top / "outer", v2(900 * MIB, 500 * MIB))
    group(tmp_path / top / "outer" / "inner", v2("max", 100 * MIB))
    assert group_bytes(tmp_path, tmp_path / "self") == [400 * MIB]
    group(tmp_path / top / "outer" / "inner", v2(300 * MIB, 100 * MIB, cached=50 * MIB))
    assert min(group_bytes(tmp_path, tmp_path / "self")) == 250 * MIB
    assert available_bytes(tmp_path, tmp_path / "self") <= 250 * MIB


def test_version_1_counts_as_well(tmp_path):
    (tmp_path / "self").write_text("5:cpu:/\n4:memory:/mine\n0::/\n")
    group(tmp_path / "memory" / "mine", v1(900 * MIB, 200 * MIB, cached=100 * MIB))
    group(tmp_path / "memory", v1(2**63 - 4096, 200 * MIB))
    assert min(group_bytes(tmp_path, tmp_path / "self")) == 800 * MIB


def test_the_limit_of_a_container_is_the_least_of_its_groups_and_none_where_none_has_one(tmp_path):
    (tmp_path / "self").write_text("5:memory:/mine\n0::/outer\n")
    group(tmp_path / "memory", v1(2**63 - 4096, 200 * MIB))
    assert limit_bytes(tmp_path, tmp_path / "self") is None
    group(tmp_path / "outer", v2(900 * MIB, 500 * MIB))
    group(tmp_path / "memory" / "mine", v1(800 * MIB, 200 * MIB))
    assert limit_bytes(tmp_path, tmp_path / "self") == 800 * MIB


def test_in_a_container_the_path_of_the_host_is_not_there_and_the_root_counts(tmp_path):
    (tmp_path / "self").write_text("0::/docker/0123\n")
    group(tmp_path, v2(700 * MIB, 100 * MIB))
    assert group_bytes(tmp_path, tmp_path / "self") == [600 * MIB]


def test_without_groups_the_machine_counts(tmp_path):
    assert group_bytes(tmp_path, tmp_path / "absent") == []
    assert 0 < available_bytes(tmp_path, tmp_path / "absent") <= psutil.virtual_memory().total


def test_a_group_that_is_full_has_nothing_left(tmp_path):
    (tmp_path / "self").write_text("0::/\n")
    group(tmp_path, v2(100 * MIB, 101 * MIB))
    assert group_bytes(tmp_path, tmp_path / "self") == [0]


def limited(kibibytes, *command):
    """As under `ulimit -v`."""
    return subprocess.run(
        [sys.executable, *command],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1024 * kibibytes, 1024 * kibibytes)),
    )


def test_a_limit_on_the_process_counts():
    told = limited(400_000, "-c", "from stepbench.machine.available_memory import available_bytes as a; print(a())")
    assert told.stdout.strip() == str(1024 * 400_000)


@pytest.mark.parametrize("kibibytes", [300_000, 400_000, 600_000])
@pytest.mark.parametrize(
    "command", [("doctor",), ("run", "--rows", "numpy-blas", "--sizes", "37x5")], ids=["doctor", "run"]
)
def test_under_a_limit_that_is_too_small_there_is_a_sentence(tmp_path, kibibytes, command):
    arguments = [*command, *(["--out", str(tmp_path / "run")] if command[0] == "run" else [])]
    finished = limited(kibibytes, "-m", "stepbench", *arguments)
    assert finished.returncode == 2
    assert "GiB are available" in finished.stderr
    assert "Traceback" not in finished.stderr
