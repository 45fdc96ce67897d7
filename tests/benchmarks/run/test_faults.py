"""Whatever goes wrong with a row is a record with its reason; the others go on, and the run fails."""

import pytest

from runs import KERNELS, benchmarks, brief, failures
from stepreports.records.journal import read_events

BROKEN = {
    "segfault": ("crash", "SIGSEGV"),
    "hang": ("timeout", "no answer within 8 seconds"),
    "too-much-memory": ("memory", "Unable to allocate"),
    "raises": ("error", "the kernel gave up"),
    "too-many-threads": ("thread-pool", "thread pools exceed the budget of"),
    "wrong": ("disagreement", "bounds"),
}


@pytest.fixture(scope="module")
def with_broken_kernels(tmp_path_factory):
    """A run of a sound row and of every broken kernel, and what it said."""
    folder = tmp_path_factory.mktemp("faults") / "run"
    files = [argument for name in BROKEN for argument in ("--kernel", KERNELS / f"{name.replace('-', '_')}.py")]
    small = ("--sizes", "37x5", "--rows", "numpy-blas", "--threads", 1)
    finished = brief("run", *small, "--timeout", 8, *files, "--out", folder)
    return folder, finished


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_kernel_is_a_record_with_its_reason(with_broken_kernels, name):
    folder, finished = with_broken_kernels
    (failure,) = [failure for failure in failures(folder) if failure["row"] == name]
    kind, reason = BROKEN[name]
    assert (failure["kind"], failure["skipped"]) == (kind, False)
    assert reason in failure["reason"]
    assert name in finished.stderr


def test_a_run_with_a_broken_kernel_fails(with_broken_kernels):
    _, finished = with_broken_kernels
    assert finished.returncode == 1


def test_the_others_go_on_and_a_broken_kernel_has_no_timing(with_broken_kernels):
    folder, _ = with_broken_kernels
    assert {failure["row"] for failure in failures(folder)} == set(BROKEN)
    timed = {entry["extra_info"]["row"]: entry for entry in benchmarks(folder) if entry["extra_info"]["role"] == "row"}
    assert set(timed) == {"numpy-blas"}
    (plan,) = [event["plan"] for event in read_events(folder) if event["event"] == "run"]
    assert timed["numpy-blas"]["stats"]["rounds"] == plan["turns"]
