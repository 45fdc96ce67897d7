"""Free memory: the least of what the machine, a control group and a limit leave."""

import errno
import subprocess
import sys

import psutil
import pytest

from runs import environment
from stepbench.cases import free_memory
from stepbench.cases.free_memory import free_bytes, memory_in_sentences, require_memory
from stepkernels.problem import ProblemError


def test_no_more_is_free_than_the_machine_has():
    assert 0 < free_bytes() <= psutil.virtual_memory().total


def test_a_control_group_leaves_each_of_its_processes_a_part(monkeypatch):
    monkeypatch.setattr(free_memory, "group_bytes", lambda: [2**20, 2**22])
    assert free_bytes() == 2**20
    assert free_bytes(processes=4) == 2**18


def test_a_limit_of_the_process_is_its_own(monkeypatch):
    monkeypatch.setattr(free_memory, "left_of_limits", lambda: iter([1_000]))
    assert free_bytes(processes=4) == 1_000


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


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ENOMEM, "Cannot allocate memory")])
def test_an_allocation_that_failed_is_a_sentence(error):
    with pytest.raises(ProblemError, match=r"did not suffice for data\.npz"), memory_in_sentences("data.npz"):
        raise error


def test_another_error_of_the_system_is_left_as_it_is():
    with pytest.raises(FileNotFoundError), memory_in_sentences("data.npz"):
        raise FileNotFoundError(errno.ENOENT, "No such file")
