"""Two different processors are never one machine."""

from __future__ import annotations

import pytest

from stepreports.records.machines import in_full, machines_apart, processors_apart

PROCESSOR = {
    "vendor": "AuthenticAMD", "family": "25", "model": "1", "stepping": "1", "microcode": "0x1",
    "instruction_sets": ["avx", "avx2"],
}  # fmt: skip
MACHINE = {"cpu": "AMD EPYC", "processor": PROCESSOR, "cores": 2}


def changed(**facts):
    return MACHINE | {"processor": PROCESSOR | facts}


def test_a_machine_is_itself():
    assert machines_apart(MACHINE, changed()) == []


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"model": "17"}, "model 1 against 17"),
        ({"stepping": None}, "stepping 1 against not known"),
        ({"microcode": "0x2"}, "microcode 0x1 against 0x2"),
        ({"instruction_sets": ["avx", "avx2", "avx512f"]}, "instruction sets no more against avx512f"),
    ],
)
def test_processors_of_one_name_are_two_where_anything_differs(other, told):
    assert processors_apart(MACHINE, changed(**other)) == [told]
    assert machines_apart(MACHINE, changed(**other)) == [told]


def test_a_processor_that_an_old_record_does_not_tell_is_not_taken_for_the_same():
    old = {"cpu": "AMD EPYC", "cores": 2}
    assert processors_apart(old, dict(old)) == []
    assert len(processors_apart(old, MACHINE)) == len(processors_apart(MACHINE, old)) == 1


def test_what_else_decides_a_timing_is_named():
    assert machines_apart(MACHINE, MACHINE | {"cores": 4, "gpus": [{"model": "A"}]}) == [
        "cores 2 against 4", "GPUs [] against ['A']",
    ]  # fmt: skip


def test_a_machine_in_full_has_its_processors_numbers():
    assert in_full("AMD EPYC", MACHINE) == "AMD EPYC (family 25, model 1, stepping 1)"
    assert in_full("AMD EPYC", {}) == "AMD EPYC"
