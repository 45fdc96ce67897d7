"""Free memory: the least of what the machine, a control group and a limit leave."""

import subprocess
import sys

import psutil
import pytest

from runs import environment
from stepbench.cases import free_memory
from stepbench.cases.free_memory import free_bytes, left_in_group, memory_in_sentences, require_memory
from stepkernels.problem import ProblemError


def test_no_more_is_free_than_the_machine_has():
    assert 0 < free_bytes() <= psutil.virtual_memory().total


def write_group(root, limit, usage, stat, kept):
    (root / "memory").mkdir()
    for place, content in ((limit, kept[0]), (usage, kept[1]), (stat, kept[2])):
        (root / place).write_text(content)


@pytest.mark.parametrize(
    ("limit", "usage", "cache"),
    [
        ("memory.max", "memory.current", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
    ],
)
def test_a_control_group_leaves_its_limit_less_what_is_used_but_caches_are_given_back(tmp_path, limit, usage, cache):
    stat = f"{limit.rpartition('/')[0]}/memory.stat".lstrip("/")
    write_group(tmp_path, limit, usage, stat, ("1000\n", "700\n", f"anon 500\n{cache} 150\n"))
    assert list(left_in_group(tmp_path)) == [450]


def test_a_group_without_a_limit_leaves_what_there_is(tmp_path):
    write_group(tmp_path, "memory.max", "memory.current", "memory.stat", ("max\n", "700\n", "inactive_file 1\n"))
    assert list(left_in_group(tmp_path)) == []


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is imposed on Linux")
def test_a_limit_of_the_process_counts():
    code = """
import resource
from stepbench.cases.free_memory import free_bytes
resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))
print(free_bytes())
"""
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True
    ).stdout
    assert int(told) < 2**33


def test_copies_count(monkeypatch):
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 800 + 1600 + 8 * 80)
    require_memory("t", 10, 10, copies=2.0)
    with pytest.raises(ProblemError, match="with the copies that are made of it"):
        require_memory("t", 10, 10, copies=2.1)


def test_an_allocation_that_failed_is_a_sentence():
    with pytest.raises(ProblemError, match=r"did not suffice for data\.npz"), memory_in_sentences("data.npz"):
        raise MemoryError
