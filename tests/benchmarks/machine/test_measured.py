"""What the measurements mean: where the caches end, and what would make timings unreliable."""

import pytest

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


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"load_1min": 1.5}, "The load is 1.5"),
        ({"governor": "powersave"}, "governor is 'powersave'"),
        ({"virtual_machine": True}, "virtual machine"),
        ({"quota_cpus": 1.0}, "quota of 1"),
        ({"huge_pages": "never"}, "huge pages are off"),
        ({"boost": False}, "nominal frequency"),
    ],
)
def test_what_makes_timings_unreliable_is_said(change, sentence):
    assert warnings_for(MACHINE) == []
    (warning,) = warnings_for({**MACHINE, **change})
    assert sentence in warning


def test_a_variable_that_slows_the_baseline_is_said_and_how_to_be_rid_of_it():
    altered = [{"variable": "OPENBLAS_CORETYPE", "times_as_long": 1.9, "changes": {"core_type": ["Nehalem", "Zen"]}}]
    slower, way_out = warnings_for({**MACHINE, "baseline_altered_by": altered})
    assert slower == (
        "`OPENBLAS_CORETYPE` is set and makes the baseline slower: the products of the matrix form take 1.9 times as "
        "long as without it (core type Nehalem instead of Zen)."
    )
    assert way_out.endswith("unset OPENBLAS_CORETYPE")
