"""The measured limits: figures exist, are sane, and are read correctly."""

import pytest

from stepbench.commands.doctor import paste_line
from stepbench.machine.description import describe_machine
from stepbench.machine.limits import WORKING_SETS, clock_resolution, fma_rate, working_sets
from stepbench.machine.measured import knee_bytes, warnings_for

MACHINE = {
    "load_1min": 0.0,
    "allowed_cpus": 2,
    "governor": None,
    "virtual_machine": False,
    "quota_cpus": None,
    "huge_pages": "madvise",
}


def test_the_knee_is_where_reading_falls_to_the_speed_of_memory():
    curve = [(2**10, 100.0), (2**20, 90.0), (2**25, 40.0), (2**26, 31.0), (2**28, 30.0)]
    assert knee_bytes(curve) == 2**20
    assert knee_bytes([(2**10, 30.0), (2**28, 30.0)]) == 2**10


def test_the_clock_resolves_less_than_a_microsecond():
    assert 0 < clock_resolution() < 1e-6


def test_working_sets_reach_from_the_first_cache_into_memory():
    assert WORKING_SETS[0] <= 32 * 2**10
    assert WORKING_SETS[-1] >= 256 * 2**20


def test_a_run_measures_reading_up_to_its_largest_problem():
    assert working_sets(1) == WORKING_SETS[:1]
    assert working_sets(2**20) == tuple(size for size in WORKING_SETS if size <= 2**20)
    assert working_sets(2**20 + 1)[-1] == 2**21
    assert working_sets(2**40) == WORKING_SETS


def test_multiply_add_rate_is_positive():
    assert fma_rate("float32") > 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"load_1min": 1.5}, "The load is 1.5"),
        ({"governor": "powersave"}, "governor is 'powersave'"),
        ({"virtual_machine": True}, "virtual machine"),
        ({"quota_cpus": 1.0}, "quota of 1"),
        ({"huge_pages": "never"}, "huge pages are off"),
    ],
)
def test_what_makes_timings_unreliable_is_said(change, sentence):
    assert warnings_for(MACHINE) == []
    (warning,) = warnings_for({**MACHINE, **change})
    assert sentence in warning


def test_the_pasted_line_is_one_line():
    limits = {"threads": 2, "read_gb_per_s": [(1, 50.0), (2, 30.0)], "fma_gflops": {"float32": 200.0, "float64": 100.0}}
    line = paste_line(describe_machine(), limits)
    assert "\n" not in line
    assert "read 30 GB/s" in line
