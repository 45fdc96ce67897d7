"""What a judge tells is held against the trials that were due: no other, no fewer, no more, in no other order."""

import math

import pytest

from stepbench.checking.protocol import CannotRun, Finding
from stepbench.checking.row_findings import Findings
from stepbench.checking.verdicts import Disagreement, Verdict

DUE = ["first", "second", "third"]
WRONG = Disagreement(trial="first", data="", field="w", error=math.inf, sentence="no")


def verdict(*told):
    findings = Findings("row", DUE)
    for finding in told:
        findings.add(finding)
    if not findings.complete:
        findings.end_early("left")
    return findings.report(0.0, simulated=False).verdict


def trials(*names):
    return [Finding(next_trial=name) for name in names]


def test_every_trial_in_its_turn_is_agreement():
    assert verdict(*trials("first", "second", "third", "")) is Verdict.AGREES


@pytest.mark.parametrize(
    "names",
    [
        ("",),
        ("first", ""),
        ("second", "first", "third", ""),
        ("first", "second", "third", "fourth", ""),
        ("first",) * 4,
    ],
)
def test_any_other_number_or_order_is_none(names):
    assert verdict(*trials(*names)) is Verdict.ERROR


def test_a_judge_that_ends_early_is_no_agreement():
    assert verdict(*trials("first", "second")) is Verdict.ERROR


def test_a_trial_that_ends_a_row_is_a_disagreement():
    assert verdict(*trials("first"), Finding(next_trial="", disagreement=WRONG)) is Verdict.DISAGREES


def test_a_row_that_cannot_run_is_complete():
    assert verdict(CannotRun(reason="no GPU", broken=False)) is Verdict.NOT_RUN
