"""Whoever attacks its judge is rejected, and for what it did; an honest kernel is not, however unusual."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from gallery import GALLERY
from gallery.attacks import ATTACKS, attacking
from gallery.controls import HONEST
from gallery.unusual import UNUSUAL, computing
from stepbench.checking.schedule import Plan
from stepbench.checking.supervise import judge_row
from stepbench.checking.verdicts import RowReport, Verdict

WAITING = ("Sleeps", "WaitsForASubprocess")  # until the judge loses patience, and nobody computes meanwhile


def judged(name: str) -> RowReport:
    return judge_row(attacking(name), Plan(seed=20260723))


def assert_rejected_for_what_it_did(report: RowReport) -> None:
    assert report.verdict.is_fault, report
    assert re.search(ATTACKS[report.row][1], report.reason), report.reason[:3000]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in WAITING])
def test_an_attack_is_rejected_for_what_it_did(name):
    assert_rejected_for_what_it_did(judged(name))


@pytest.mark.slow
def test_those_that_only_wait_are_rejected_side_by_side():
    with ThreadPoolExecutor(len(WAITING)) as pool:
        for report in pool.map(judged, WAITING):
            assert_rejected_for_what_it_did(report)


@pytest.mark.slow
@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_honest_kernel_is_accepted(name):
    if name == "CThroughCtypes" and shutil.which("gcc") is None:
        pytest.skip("gcc is not installed, and this kernel is compiled by it")
    report = judge_row(computing(name), Plan(seed=20260723))
    assert report.verdict is Verdict.AGREES, report


def test_the_galleries_are_large():
    assert len(GALLERY) + len(ATTACKS) >= 120
    assert len(HONEST) + len(UNUSUAL) >= 16
