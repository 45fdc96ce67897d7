"""Raw kernels under compute-sanitizer, where it and a GPU are; everywhere, what is asked of it and how it is read."""

import os
import sys

import pytest

from stepbench.checking.cuda import sanitizer
from stepbench.checking.cuda.sanitizer import RAW_KERNELS, TOOLS, command_line, missing_sanitizer, sanitize, tools_of
from stepbench.checking.schedule import sanitized_schedule
from stepbench.checking.tally import Tally
from stepkernels import Op
from stepkernels.catalog import CATALOG

REQUIRED = "STEPBENCH_REQUIRE_SANITIZER"
CLEAN = "========= COMPUTE-SANITIZER\nnumpy-blas: 20 trials agree\n========= {}\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("row", "tool"),
    [
        pytest.param(CATALOG[name], tool, id=f"{name}-{tool}", marks=pytest.mark.gpu)
        for name in RAW_KERNELS
        for tool in tools_of(name)
    ],
    indirect=["row"],
)
def test_raw_kernels_are_sound(row, tool):
    if reason := missing_sanitizer():
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, and {reason}")
        pytest.skip(reason)
    assert (fault := sanitize(row.name, tool).fault) is None, fault


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a program in the place of the sanitizer, which keeps its arguments in a file beside it."""

    def install(script):
        path = tmp_path / "compute-sanitizer"
        path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {tmp_path}/arguments\n{script}\n')
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        return tmp_path / "arguments"

    return install


def says(output, status=0):
    return f"cat <<'END'\n{output}END\nexit {status}"


@pytest.mark.parametrize(
    ("tool", "summary"),
    [
        ("memcheck", "ERROR SUMMARY: 0 errors"),
        ("racecheck", "RACECHECK SUMMARY: 0 hazards displayed (0 errors, 0 warnings)"),
        ("racecheck", "RACECHECK SUMMARY: 1 hazard displayed (0 errors, 1 warning)"),
    ],
)
def test_what_was_looked_at_and_found_clean_is_sound(stand_in, tool, summary):
    stand_in(says(CLEAN.format(summary)))
    found = sanitize("cupy-fused", tool)
    assert found.errors == 0
    assert found.fault is None


@pytest.mark.parametrize(
    ("tool", "summary", "status"),
    [
        ("memcheck", "ERROR SUMMARY: 1 error", sanitizer.FOUND_STATUS),
        ("memcheck", "ERROR SUMMARY: 12 errors", 0),
        ("racecheck", "RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)", sanitizer.FOUND_STATUS),
        ("racecheck", "RACECHECK SUMMARY: 3 hazards displayed (2 errors, 1 warning)", 0),
        ("memcheck", "no summary", sanitizer.FOUND_STATUS),
    ],
)
def test_an_error_is_a_fault_that_shows_what_was_said(stand_in, tool, summary, status):
    output = f"========= Invalid __global__ write of size 8 bytes\n========= {summary}\n"
    stand_in(says(output, status))
    assert sanitize("cupy-fused", tool).fault == f"{tool} found errors in cupy-fused:\n{output}"


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (
            says("========= Error: Target application terminated before first instrumented API call\n"),
            "looked at nothing",
        ),
        (says(CLEAN.format("ERROR SUMMARY: 0 errors"), 1), "ended with status 1 under memcheck"),
        ("kill -SEGV $$", "ended with status -11"),
    ],
)
def test_what_was_not_looked_at_is_not_sound(stand_in, script, fault):
    stand_in(script)
    assert fault in sanitize("cupy-fused", "memcheck").fault


def test_what_hangs_is_not_sound(stand_in):
    stand_in("echo '========= COMPUTE-SANITIZER'; sleep 60; echo '========= ERROR SUMMARY: 0 errors'")
    fault = sanitize("cupy-fused", "memcheck", limit_seconds=0.5).fault
    assert "COMPUTE-SANITIZER\nstill running after" in fault


def test_the_command_line(stand_in):
    kept = stand_in(says(CLEAN.format("ERROR SUMMARY: 0 errors")))
    sanitize("triton-fused", "memcheck")
    child = [sys.executable, "-m", "stepbench.checking", "sanitized", "triton-fused"]
    options = ["--tool=memcheck", "--padding=512", "--report-api-errors=no", "--target-processes=application-only"]
    assert kept.read_text().split() == [*options, "--error-exitcode=86", *child]
    assert command_line("numba-cuda-fused", "racecheck")[:2] == ["compute-sanitizer", "--tool=racecheck"]


def test_the_child_takes_a_row_through_its_trials(stand_in):
    """The stand-in runs what it is asked to run, as the sanitizer would."""
    stand_in('shift 5\n"$@" || exit $?\necho "========= ERROR SUMMARY: 0 errors"')
    found = sanitize("numpy-blas", "memcheck")
    assert found.fault is None, found
    assert "numpy-blas: " in found.output
    assert "trials agree" in found.output


def test_a_child_that_ends_early_is_not_sound(stand_in):
    stand_in('shift 5\nexec "$@"')
    fault = sanitize("no-such-row", "memcheck").fault
    assert "no-such-row ended with status 1 under memcheck" in fault
    assert "KeyError: 'no-such-row'" in fault


def test_what_is_sanitized_is_cuda_code_of_the_rows_own():
    assert RAW_KERNELS == ("cupy-fused", "triton-fused", "numba-cuda-fused")
    assert tools_of("triton-fused") == ("memcheck",)
    assert tools_of("cupy-fused") == tools_of("numba-cuda-fused") == tuple(TOOLS)


def test_every_operation_and_every_dtype_is_sanitized():
    for name in RAW_KERNELS:
        schedule = sanitized_schedule(CATALOG[name], 0)
        assert {(scheduled.dtype, scheduled.optimizer) for scheduled in schedule} >= {
            ("float32", "gd"),
            ("float64", "adam"),
        }
        needed = frozenset().union(*(scheduled.trial.needs for scheduled in schedule))
        assert needed >= {Op.STEP, Op.GRADIENT, *({Op.TRAIN} & set(CATALOG[name].ops))}


def test_the_trials_that_are_sanitized_agree():
    row = CATALOG["numpy-blas"]
    assert [str(scheduled) for scheduled in sanitized_schedule(row, 0) if scheduled.run(row, Tally())] == []


def test_no_sanitizer_is_a_reason(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "compute-sanitizer is not on PATH" in missing_sanitizer()
