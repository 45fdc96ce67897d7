"""Whoever attacks its judge is rejected, and for what it did; an honest kernel is not, however unusual."""

import re
import shutil

import pytest

from gallery import GALLERY
from gallery.attacks import ATTACKS, attacking
from gallery.controls import HONEST
from gallery.unusual import UNUSUAL, computing
from stepbench.checking.schedule import Plan
from stepbench.checking.supervise import judge_row
from stepbench.checking.verdicts import Verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_rejected_for_what_it_did(name):
    report = judge_row(attacking(name), Plan(seed=20260723))
    assert report.verdict.is_fault, report
    assert re.search(ATTACKS[name][1], report.reason), report.reason[:3000]


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
