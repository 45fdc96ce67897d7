"""The harness's own test: found beside a run of the same machine."""

from __future__ import annotations

import pytest

from stepreports.records.files import RecordError
from stepreports.records.self_test_figures import self_test_of
from synthetic_runs import MACHINE, SELF_TEST, write_self_test

OTHERS = [{"cpu": "Another CPU"}, {"allowed_cpus": 64}, {"virtual_machine": False}, {"processor": {"model": "2"}}]


@pytest.mark.parametrize("place", [".", ".."])
def test_a_self_test_is_found_beside_the_run_and_beside_its_folder(small, place):
    write_self_test(small / place / "self-test.json")
    assert self_test_of(small, MACHINE) == SELF_TEST


@pytest.mark.parametrize("other", OTHERS)
def test_a_self_test_of_another_machine_is_passed_over(small, other):
    write_self_test(small / "self-test.json", **other)
    assert self_test_of(small, MACHINE) is None


def test_a_self_test_without_figures_is_passed_over(small):
    (small / "self-test.json").write_text('{"machine": {}, "self_test": null}')
    assert self_test_of(small, {}) is None


@pytest.mark.parametrize(
    "figures",
    [{}, {"passed": "yes"}, {"bias": 3}, {"bias": {"soon": 0.1}}, {"slower": None}, {"margin": 1e300}, {"seen": -1}],
    ids=ascii,
)
def test_a_self_test_that_is_damaged_is_told_by_its_field(small, figures):
    write_self_test(small / "self-test.json", {**SELF_TEST, **figures} if figures else {"passed": True})
    with pytest.raises(RecordError, match=r"self-test\.json, self_test"):
        self_test_of(small, MACHINE)


def test_a_self_test_cut_off_gets_a_sentence(small):
    (small / "self-test.json").write_text('{"machine": {"cpu"')
    with pytest.raises(RecordError, match="not whole JSON"):
        self_test_of(small, MACHINE)
