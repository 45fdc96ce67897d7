"""A run is packed for publication if it is what the harness leaves; each kind of forgery is refused, and says why."""

import csv
import getpass
import gzip
import json
import os
import random
import re
import shutil
import socket
import zipfile

import pytest

from damage import places
from runs import SMALL, stepbench
from stepbench.commands.submit import NOBODYS, names_of_this_place
from stepbench.run.results import write_results
from stepreports.publish import main as publish
from stepreports.records.files import RecordError
from stepreports.statistics.runs import load_run
from stepreports.submission.all_checks import faults_of_published, faults_of_submission
from stepreports.submission.packing import PACKED, pack, unpack
from stepreports.telling.summary import summary
from stepreports.telling.tables import csv_text, table
from synthetic_runs import SELF_TEST

CLEAN = {"id": "0123456789abcdef0123456789abcdef01234567", "dirty": False}
TIMES = {"numpy-blas": 1e-5, "numpy-blas#1": 1e-5, "python-loop": 9e-5, "numba-fused": 4e-6, "read-limit": 1e-6}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small run of the harness, with times of a machine at rest in place of those of this one."""
    folder = tmp_path_factory.mktemp("submit") / "run"
    arguments = (*SMALL[:-1], "numpy-blas,python-loop,numba-fused")
    finished = stepbench(*arguments, "--out", folder)
    assert finished.returncode == 0, finished.stderr
    events = journal(folder)
    events[0]["commit"] = CLEAN
    rewrite(folder, at_rest(events))
    (folder / "self-test.json").write_text(json.dumps({"machine": events[0]["machine"], "self_test": SELF_TEST}))
    return folder


@pytest.fixture
def folder(run, tmp_path):
    return shutil.copytree(run, tmp_path / "run")


def journal(folder):
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def at_rest(events):
    """The same events with steady times, and a clock that leaves room for them."""
    draw, now = random.Random(1), 0.0
    for event in events:
        now += 0.01
        event["elapsed_seconds"] = now
        if event["event"] == "round":
            event["seconds"] = TIMES[event["participant"]] * draw.uniform(0.99, 1.01)
            event["calls"] = max(1, round(2e-3 / event["seconds"]))
            event["told_seconds"] = event["seen_seconds"] = event["seconds"] * event["calls"]
            event["processor_seconds"] = event["seen_seconds"]
        if "holding_seconds" in event:
            event["holding_seconds"] = 1e-7
        event.update({"other_runs": 0} if "other_runs" in event else {})
    return [event for event in events if event["event"] != "watched"]  # as long as the real times were


def rewrite(folder, events):
    """Records that follow from a journal, as a careful forger makes them."""
    (folder / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    write_results(folder, events)
    made = load_run(folder)
    (folder / "table.csv").write_text(csv_text(table(made)))
    (folder / "summary.md").write_text(summary(made))


def rounds_of(events, participant):
    return [event for event in events if event["event"] == "round" and event["participant"] == participant]


def edited(change):
    """A forgery of benchmark.json alone."""

    def forge(folder):
        stored = json.loads((folder / "benchmark.json").read_text())
        change(stored)
        (folder / "benchmark.json").write_text(json.dumps(stored))

    forge.__name__ = change.__name__
    return forge


def rejournaled(change):
    """A forgery of the journal, from which everything else is made again."""

    def forge(folder):
        events = journal(folder)
        rewrite(folder, change(events) or events)

    forge.__name__ = change.__name__
    return forge


def entry_of(stored, row, replica=0):
    return next(
        each for each in stored["benchmarks"]
        if (each["extra_info"]["row"], each["extra_info"]["replica"]) == (row, replica)
    )  # fmt: skip


def without_rounds(entry, dropped):
    lists = ("generation", "turn", "order", "calls")
    entry["extra_info"] |= {name: entry["extra_info"][name][dropped:] for name in lists}
    keep(entry, entry["stats"]["data"][dropped:])


def keep(entry, data):
    """These rounds, with statistics that follow from them."""
    from pytest_benchmark.stats import Stats

    stats = Stats()
    for seconds in data:
        stats.update(seconds)
    entry["stats"] |= {**stats.as_dict(), "data": stats.data}


def a_median_is_edited(stored):
    entry_of(stored, "numba-fused")["stats"]["median"] *= 0.5


def turns_are_faster(stored):
    entry = entry_of(stored, "numba-fused")
    keep(entry, [0.5 * each for each in entry["stats"]["data"]])


def slow_turns_are_dropped(stored):
    without_rounds(entry_of(stored, "numba-fused"), 3)


def a_row_is_left_out(stored):
    stored["benchmarks"].remove(entry_of(stored, "python-loop"))


def a_row_is_there_twice(stored):
    stored["benchmarks"].append(entry_of(stored, "python-loop"))


def the_seed_is_another(stored):
    for entry in stored["benchmarks"]:
        entry["extra_info"]["seed"] += 1


def the_environment_is_edited(stored):
    stored["machine_info"]["environment"] = {"OPENBLAS_CORETYPE": "Prescott"}


def the_processor_is_edited(stored):
    stored["machine_info"]["cpu"] = "A faster one"


def a_record_is_of_another_run(stored):
    entry_of(stored, "numba-fused")["extra_info"]["run_id"] = "another"


def the_commit_is_edited(stored):
    stored["commit_info"] = CLEAN | {"id": "f" * 40}


def a_cheat_is_not_marked(stored):
    """It beats the limit in the records and, as the journal shows, in its turns."""
    entry_of(stored, "numba-fused")["extra_info"]["implausible"] = False


def an_error_is_hidden(stored):
    entry_of(stored, "numba-fused")["extra_info"]["agreement"] = {}


def a_turn_of_a_row_is_taken_out(events):
    events.remove(rounds_of(events, "numba-fused")[7])


def a_turn_of_all_is_taken_out(events):
    last = max(event["turn"] for event in rounds_of(events, "numba-fused"))
    return [event for event in events if not (event["event"] == "round" and event["turn"] == last)]


def the_journal_has_another_seed(events):
    events[0]["plan"]["seed"] += 1


def two_rows_change_places(events):
    first = rounds_of(events, "numba-fused")[0]
    other = next(e for e in rounds_of(events, "numpy-blas") if (e["case"], e["turn"]) == (first["case"], first["turn"]))
    first["order"], other["order"] = other["order"], first["order"]


def a_row_is_taken_out_of_the_journal(events):
    return [event for event in events if event.get("participant") != "python-loop" or "case" not in event]


def a_row_was_never_planned(events):
    """All of it is gone, the plan included; what is left has the places that it had beside it."""
    plan = events[0]["plan"]
    plan["participants"] = [each for each in plan["participants"] if each["row"]["name"] != "python-loop"]
    return a_row_is_taken_out_of_the_journal(events)


def times_are_halved(events):
    for event in rounds_of(events, "numba-fused"):
        event["seconds"] /= 2


def a_competitor_is_slowed(events):
    """With its clocks, but in the time that there was."""
    for event in rounds_of(events, "numpy-blas"):
        for name in ("seconds", "told_seconds", "seen_seconds"):
            event[name] *= 10


def turns_are_copied(events, times=1.0):
    """Of another row, as they are or faster by some factor, with clocks to match."""
    for event, other in zip(rounds_of(events, "numba-fused"), rounds_of(events, "numpy-blas"), strict=True):
        event["seconds"] = times * other["seconds"]
        event["told_seconds"] = event["seen_seconds"] = event["seconds"] * event["calls"]


def turns_are_copied_and_scaled(events):
    turns_are_copied(events, 0.4)


def a_run_is_cut_off(events):
    return [event for event in events if event["event"] != "finished"]


def a_case_is_cut_off(events):
    case = events[0]["plan"]["cases"][-1]
    name = next(e["case"] for e in events if "case" in e and f"{case['m']}x{case['n']}" in e["case"])
    return [event for event in events if event.get("case") != name]


def a_program_is_nobodys(events):
    events[0]["commit"] = CLEAN | {"dirty": True}


def another_run_timed_meanwhile(events):
    for event in events:
        event.update({"other_runs": 1} if event["event"] == "closed" else {})


def a_second_copy_is_slowed(events):
    for event in rounds_of(events, "numpy-blas#1"):
        for name in ("seconds", "told_seconds", "seen_seconds"):
            event[name] *= 1.5


def the_table_is_edited(folder):
    lines = list(csv.reader((folder / "table.csv").read_text().splitlines()))
    place = lines[0].index("seconds_per_step")
    lines[2][place] = str(0.7 * float(lines[2][place]))
    (folder / "table.csv").write_text("".join(",".join(line) + "\n" for line in lines))


def a_line_is_damaged(folder):
    text = (folder / "journal.jsonl").read_text()
    (folder / "journal.jsonl").write_text(text.replace('"event": "round"', '"event": "rnd', 1))


def the_journal_is_gone(folder):
    (folder / "journal.jsonl").unlink()


def the_self_test_is_gone(folder):
    (folder / "self-test.json").unlink()


def the_self_test_is_of_another_machine(folder):
    stored = json.loads((folder / "self-test.json").read_text())
    stored["machine"]["cpu"] = "Another"
    (folder / "self-test.json").write_text(json.dumps(stored))


def the_self_test_failed(folder):
    stored = json.loads((folder / "self-test.json").read_text())
    stored["self_test"]["passed"] = False
    (folder / "self-test.json").write_text(json.dumps(stored))


def a_path_is_told(folder):
    stored = json.loads((folder / "failures.json").read_text())
    reason = "no /home/somebody/kernel.py"
    stored["failures"].append({"row": "x", "kind": "error", "skipped": False, "reason": reason})
    (folder / "failures.json").write_text(json.dumps(stored))


FORGERIES = {
    edited(a_median_is_edited): "has the median .* and its turns have",
    the_table_is_edited: "table.csv tells .* and its turns have the median",
    edited(turns_are_faster): "its seconds is not that of the journal",
    edited(slow_turns_are_dropped): r"its generation is not that of the journal \(\d+ turns in benchmark.json, \d+ in",
    edited(a_row_is_left_out): "python-loop at step-.* is in the journal, and neither in benchmark.json nor",
    edited(a_row_is_there_twice): "is there twice",
    edited(the_seed_is_another): "the records have the seed .* and the journal",
    edited(the_environment_is_edited): "the machine's environment in benchmark.json is not that of the journal",
    edited(the_processor_is_edited): "the machine's cpu in benchmark.json is not that of the journal",
    edited(a_record_is_of_another_run): "of more than one run id",
    edited(the_commit_is_edited): "the commit in benchmark.json is not that of the journal",
    edited(an_error_is_hidden): "numba-fused, step .* has no agreement on record",
    rejournaled(a_turn_of_a_row_is_taken_out): "numba-fused has 39 of 40 turns in generation 0",
    rejournaled(a_turn_of_all_is_taken_out): "has 39 turns, and 40 were planned",
    rejournaled(the_journal_has_another_seed): "turn 0 of generation 0 of .* is not in the order that the seed gives",
    rejournaled(two_rows_change_places): "turn 0 of generation 0 of .* is not in the order that the seed gives",
    rejournaled(a_row_is_taken_out_of_the_journal): "python-loop is planned, and the journal has nothing of it",
    rejournaled(a_row_was_never_planned): "is not in the order that the seed gives",
    rejournaled(times_are_halved): "numba-fused in turn .* tells .* s, and its clocks showed",
    rejournaled(a_competitor_is_slowed): "numpy-blas in turn .* took .* s in",
    rejournaled(turns_are_copied): "has turns of .*, copied",
    rejournaled(turns_are_copied_and_scaled): "has turns of .*, copied",
    rejournaled(a_run_is_cut_off): "the run was not finished",
    rejournaled(a_case_is_cut_off): "the journal has no generation 0 of",
    rejournaled(a_program_is_nobodys): "the checkout had uncommitted changes",
    rejournaled(another_run_timed_meanwhile): "another run timed on this machine at the same time",
    rejournaled(a_second_copy_is_slowed): "this machine differs from itself by",
    a_line_is_damaged: "journal.jsonl, line .* is left out",
    the_journal_is_gone: "has no journal",
    the_self_test_is_gone: "there is no test of the harness on this machine",
    the_self_test_is_of_another_machine: "there is no test of the harness on this machine",
    the_self_test_failed: "did not pass its own test",
    a_path_is_told: "failures.json tells of '/home/somebody'",
}


def test_a_run_that_the_harness_made_has_nothing_against_it(run):
    assert faults_of_submission(run) == []


@pytest.mark.parametrize("forge", FORGERIES, ids=lambda forge: forge.__name__)
def test_a_forgery_is_refused_and_says_why(folder, forge):
    forge(folder)
    told = "\n".join(faults_of_submission(folder))
    assert re.search(FORGERIES[forge], told), told


def test_a_row_that_beats_the_limit_must_be_marked(folder):
    """The harness marks it when it makes the records; whoever takes the mark away is found out by the turns."""
    events = journal(folder)
    for event in rounds_of(events, "numba-fused"):
        for name in ("seconds", "told_seconds", "seen_seconds", "processor_seconds"):
            event[name] /= 8
    rewrite(folder, events)
    edited(a_cheat_is_not_marked)(folder)
    assert "numba-fused, step float64 at 37 × 5, is not marked, and is faster than reading X once" in "\n".join(
        faults_of_submission(folder)
    )


def test_the_names_of_host_and_user_may_not_be_in_it(folder, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "janes-laptop.example")
    monkeypatch.setattr(getpass, "getuser", lambda: "runner")
    private = names_of_this_place()
    assert {"janes-laptop", "janes-laptop.example"} <= set(private)
    assert not NOBODYS & set(private)
    edited(lambda stored: stored["machine_info"].update(cpu="that of janes-laptop"))(folder)
    assert any("tells of 'janes-laptop'" in fault for fault in faults_of_submission(folder, private))


def test_submit_packs_a_run_and_publish_takes_it_and_checks_it_again(folder, tmp_path, capsys):
    root, archive = tmp_path / "root", tmp_path / "mine.zip"
    root.mkdir()
    told = stepbench("submit", folder, "--out", archive)
    assert told.returncode == 0, told.stderr
    assert f"python -m stepreports.publish {archive}" in told.stdout.replace("\n", "")
    with zipfile.ZipFile(archive) as packed:
        assert set(packed.namelist()) == set(PACKED)
    assert publish([str(archive), "--root", str(root)]) == 0
    assert publish(["--check", "--root", str(root)]) == 0
    (place,) = (root / "reports/published").glob("*/*")
    assert {"journal.jsonl.gz", "self-test.json", "benchmark.json", "summary.md"} <= {p.name for p in place.iterdir()}
    edited(the_environment_is_edited)(place)
    assert publish(["--check", "--root", str(root)]) == 1
    assert "the machine's environment in benchmark.json is not that of the journal" in capsys.readouterr().out


def test_submit_says_what_is_against_a_run_and_writes_nothing(folder, tmp_path):
    the_self_test_is_gone(folder)
    told = stepbench("submit", folder, "--out", tmp_path / "mine.zip")
    assert told.returncode == 1
    assert "Not to be published: there is no test of the harness" in told.stderr.replace("\n", " ")
    assert not (tmp_path / "mine.zip").exists()
    assert stepbench("submit", tmp_path / "nowhere").returncode == 2


def test_a_forged_archive_is_not_published(folder, tmp_path, capsys):
    edited(turns_are_faster)(folder)
    pack(folder, tmp_path / "forged.zip")
    assert publish([str(tmp_path / "forged.zip"), "--root", str(tmp_path)]) == 1
    assert "is not published: " in capsys.readouterr().err
    assert not (tmp_path / "reports").exists()


@pytest.mark.parametrize("name", ["../outside.json", "/etc/anything", "figures/../../x", "extra.txt"])
def test_an_archive_holds_nothing_else(tmp_path, name):
    with zipfile.ZipFile(tmp_path / "odd.zip", "w") as packed:
        packed.writestr(name, "{}")
    with pytest.raises(RecordError, match="no part of a submission"):
        unpack(tmp_path / "odd.zip", tmp_path / "into")
    assert not (tmp_path / "into").exists()


def test_what_is_no_archive_or_no_journal_is_a_sentence(folder, tmp_path):
    (tmp_path / "no.zip").write_text("no")
    with pytest.raises(RecordError, match="cannot be unpacked"):
        unpack(tmp_path / "no.zip", tmp_path / "into")
    the_journal_is_gone(folder)
    (folder / "journal.jsonl.gz").write_bytes(gzip.compress(b"x")[:-4])
    with pytest.raises(RecordError, match="cannot be unpacked"):
        faults_of_submission(folder)


@pytest.mark.parametrize("seed", range(int(os.environ.get("STEPBENCH_DAMAGED", "20"))))
def test_whatever_is_in_the_files_there_is_an_answer(folder, seed):
    """A stranger's archive may hold anything: reasons, or one sentence, and nothing else."""
    draw = random.Random(seed)
    if seed % 2:
        stored = json.loads((folder / "benchmark.json").read_text())
        spoil(stored["benchmarks"][0] if seed % 4 == 1 else stored, draw)
        (folder / "benchmark.json").write_text(json.dumps(stored))
    else:
        events = journal(folder)
        spoil(events[0] if seed % 4 == 0 else draw.choice(events), draw)
        (folder / "journal.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    try:
        told = faults_of_submission(folder)
    except RecordError as error:
        told = [str(error)]
    assert all("\n" not in fault for fault in told)


def spoil(document, draw):
    """Put something in the place of something."""
    for _ in range(3):
        *path, last = draw.choice(places(document))
        holder = document
        for key in path:
            holder = holder[key]
        holder[last] = draw.choice([None, -1, 0, 1e300, "x", "", [], {}, [None], {"x": []}, True])


def test_a_run_published_before_is_checked_by_its_records(folder):
    the_journal_is_gone(folder)
    the_self_test_is_gone(folder)
    assert faults_of_published(folder) == []
    edited(a_median_is_edited)(folder)
    assert any("has the median" in fault for fault in faults_of_published(folder))
