"""Every cheat is refused for its own reason or given its true time; every honest oddity is timed.

Those that only their time gives away are in `cheats.gains`; how they are found out is held by test_conduct.
"""

import re

import pytest

from cheats import CHEATS, HONEST, TRUE_TIME, Exhibit
from cheats.gains import run_exhibits, verdicts
from runs import benchmarks

TOGETHER, TURNS = 12, 12


pytestmark = pytest.mark.slow


def batches(exhibits):
    """Those of one operation together, some at a time."""
    by_op: dict[str, list[Exhibit]] = {}
    for exhibit in exhibits:
        by_op.setdefault(exhibit.op, []).append(exhibit)
    return [alike[k : k + TOGETHER] for alike in by_op.values() for k in range(0, len(alike), TOGETHER)]


def names(batch):
    return f"{batch[0].kernel.__name__} and {len(batch) - 1} more"


def complaint(exhibit, folder):
    """What a run made of it that it should not have; None when all is as it should be."""
    found = verdicts(folder).get(exhibit.row.name, [])
    if exhibit.kind == TRUE_TIME:
        return found or None
    as_expected = [
        re.fullmatch(exhibit.kind, kind) is not None and re.search(exhibit.says, reason) is not None
        for kind, reason in found
    ]
    timed = {entry["extra_info"]["row"] for entry in benchmarks(folder)}
    return None if all(as_expected) and found and exhibit.row.name not in timed else (found or "it was timed")


@pytest.mark.parametrize("batch", batches(each for each in CHEATS.values() if not each.measured), ids=names)
def test_cheats_are_refused_for_their_own_reason_or_timed_as_they_are(batch, tmp_path):
    run_exhibits(batch, batch[0].op, tmp_path / "run", turns=TURNS)
    assert {each.row.name: told for each in batch if (told := complaint(each, tmp_path / "run"))} == {}


@pytest.mark.parametrize("batch", batches(HONEST.values()), ids=names)
def test_honest_oddities_are_timed(batch, tmp_path):
    run_exhibits(batch, batch[0].op, tmp_path / "run", turns=TURNS)
    assert verdicts(tmp_path / "run") == {}
    timed = {entry["extra_info"]["row"] for entry in benchmarks(tmp_path / "run")}
    assert {each.row.name for each in batch} <= timed


def test_the_gallery_has_as_many_as_it_should():
    assert len(CHEATS) >= 40
    assert len(HONEST) >= 16
