"""From the journal to the records: each device against its own limit, copies only where something is copied."""

from runs import benchmarks
from stepbench.cases.case import Case
from stepbench.run.participants import participants_of
from stepbench.run.plan import Plan
from stepbench.run.results import write_results
from stepkernels.catalog import CATALOG
from stepkernels.interface import Op
from stepreports.records.journal import SCHEMA

CASE = Case(op=Op.STEP, dtype="float64", m=1000, n=20)
ROWS = [CATALOG["numpy-blas"], CATALOG["torch-manual-cuda"]]
SECONDS = {"numpy-blas": 4.0, "numpy-blas#1": 4.0, "read-limit": 2.0, "torch-manual-cuda": 1.0, "read-limit-cuda": 0.5}


EVERYONE = participants_of(ROWS, can_run=lambda _limit: True)  # who takes turns where a row of either device can run


def records(folder, participants=EVERYONE, seconds=SECONDS):
    """The records of a run of one case in which every participant took its seconds in each turn, by participant."""
    plan = Plan(
        preset="quick", cases=(CASE,), participants=tuple(participants), skips=(), generations=1, turns=6, seed=0,
        timeout_seconds=1.0, max_seconds=None,
    )  # fmt: skip
    header = {"event": "run", "schema": SCHEMA, "run_id": "r", "machine": {}, "commit": {}, "datetime": ""}
    header["plan"] = plan.to_json()
    events = [header]
    for each in participants:
        on_gpu = each.row.device == "cuda"
        fields = {"participant": each.key, "case": CASE.name, "generation": 0}
        start = {"bind_seconds": 1.0, "first_call_seconds": 1.0, "iterations": 1, "pools": {}}
        copied = {"copy_to_device_seconds": 0.25 if on_gpu else None}
        events.append({"event": "bound", "agreement": None, **start, **copied, **fields})
        events += [
            {
                "event": "round",
                "seconds": seconds[each.key],
                "device_seconds": None,
                "calls": 1,
                "turn": turn,
                "order": 0,
                **fields,
            }
            for turn in range(6)
        ]
        events.append({"event": "judged", "agreement": None, "unseen_steps": 0, **fields})
        events.append({"event": "left", "device_state": None, "peak_memory_bytes": 10**9, **fields})
    events.append({"event": "closed", "generation": 0, "case": CASE.name})
    write_results(folder, events)
    return {entry["params"]["row"]: entry["extra_info"] for entry in benchmarks(folder)}


def test_a_row_is_held_to_the_limit_of_its_own_device(tmp_path):
    """A GPU that is faster than the CPU's memory is nothing odd."""
    found = records(tmp_path)
    assert {name: info["limit_seconds"] for name, info in found.items() if info["role"] == "row"} == {
        "numpy-blas": 2.0, "numpy-blas#1": 2.0, "torch-manual-cuda": 0.5,
    }  # fmt: skip
    assert not any(info["implausible"] for info in found.values())


def test_a_row_faster_than_its_limit_is_implausible(tmp_path):
    found = records(tmp_path, seconds={**SECONDS, "torch-manual-cuda": 0.25})
    assert [name for name, info in found.items() if info["implausible"]] == ["torch-manual-cuda"]


def test_only_a_row_on_a_gpu_copies_x(tmp_path):
    found = records(tmp_path)
    assert found["torch-manual-cuda"]["copy_to_device_seconds"] == [0.25]
    assert found["numpy-blas"]["copy_to_device_seconds"] is None


def test_a_run_of_one_device_has_no_limit_of_the_other(tmp_path):
    on_cpu = [each for each in EVERYONE if each.row.device == "cpu"]
    assert records(tmp_path, [EVERYONE[1], *on_cpu])["torch-manual-cuda"]["limit_seconds"] is None
