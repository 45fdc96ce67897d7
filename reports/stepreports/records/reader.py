"""The records of a run, read and validated once: the only place that knows how a run is stored.

A run is a folder with `benchmark.json` (pytest-benchmark's format, everything else in each entry's `extra_info`)
and `failures.json`; a journal and the harness's self-test may lie beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from sys import intern
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepreports.records.files import RecordError, read_object
from stepreports.records.journal import SCHEMA
from stepreports.records.overhead import overhead_of
from stepreports.records.self_test_figures import self_test_of
from stepreports.records.stored import ITEM_BYTES, Case, Failure, Row, StoredRecord, StoredRun
from stepreports.records.turns import Floats, Layout, Measurement, layout_of

Places = NDArray[np.intp]


def read_run(folder: Path) -> StoredRun:
    """The run stored in a folder. Raises `RecordError`."""
    stored = _read_json(folder / "benchmark.json")
    entries = _member(stored, "benchmarks", list, "benchmark.json")
    failures = _read_json(folder / "failures.json")
    _require_schema(failures, "failures.json")
    records = [_parse(entry) for entry in entries]
    machine = _told(stored, "machine_info")
    run_id = failures.get("run_id") or next((e["extra_info"]["run_id"] for e in entries), folder.name)
    return StoredRun(
        folder=folder,
        run_id=str(run_id),
        when=str(stored.get("datetime", "")),
        machine=machine,
        commit=_told(stored, "commit_info"),
        records=records,
        failures=[_failure(entry) for entry in _member(failures, "failures", list, "failures.json")],
        overhead=overhead_of(folder),
        self_test=self_test_of(folder, machine),
    )


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise RecordError(f"{path} does not exist; a run's folder holds benchmark.json and failures.json.")
    return read_object(path)


def _member(stored: Mapping[str, Any], name: str, kind: type, where: str) -> Any:
    value = stored.get(name)
    if not isinstance(value, kind):
        raise RecordError(f"{where} has no {name!r}; it was not written by `stepbench run`.")
    return value


def _told(stored: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What pytest-benchmark tells of the machine and the commit: an object, or nothing."""
    return _member({name: stored.get(name) or {}}, name, dict, "benchmark.json")  # type: ignore[no-any-return]


def _require_schema(stored: Mapping[str, Any], where: str) -> None:
    schema = stored.get("schema")
    if schema is None:
        raise RecordError(f"{where} names no schema; it was not written by `stepbench run`.")
    if schema != SCHEMA:
        advice = "run the benchmark again" if isinstance(schema, int) and schema < SCHEMA else "update stepbench"
        raise RecordError(f"{where} has schema {schema!r}; this report reads schema {SCHEMA}: {advice}.")


def _parse(entry: Mapping[str, Any]) -> StoredRecord:
    if not isinstance(entry, dict):
        raise RecordError(f"benchmark.json has an entry that is a {type(entry).__name__}, not a record.")
    where = f"benchmark.json, {entry.get('fullname', 'an entry')}"
    info = _member(entry, "extra_info", dict, where)
    _require_schema(info, where)
    try:
        return _record(info, entry["stats"]["data"])
    except KeyError as error:
        raise RecordError(f"{where} has no {error}; the file is not complete. Run again, or resume the run.") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise RecordError(f"{where} cannot be read: {error}.") from error


def _record(info: Mapping[str, Any], rounds: Sequence[float]) -> StoredRecord:
    case = _case(*_CASE(info))
    layout, seconds = _turns(info, rounds, case.steps)
    device_rounds = info.get("device_seconds")
    _require((int, float), *_NUMBERS(info))
    return StoredRecord(
        case=case,
        row=_row(info["row"], info["library"], info["technique"], info["device"], info.get("summary", "")),
        replica=info["replica"],
        is_limit=info["role"] == "limit",
        library_version=intern(str(info["library_version"])),
        train_as_steps=info["train_as_steps"],
        passes_over_x=info["passes_over_x"],
        bytes_needed=info["bytes"],
        flops_needed=info["flops"],
        implausible=info["implausible"],
        agreement={name: float(error) for name, error in (info["agreement"] or {}).items() if error is not None},
        import_seconds=_known(info.get("import_seconds")),
        bind_seconds=_known(info.get("bind_seconds")),
        first_call_seconds=_known(info.get("first_call_seconds")),
        copy_to_device_seconds=_known(info.get("copy_to_device_seconds")),
        device_seconds=float(np.median(_turns(info, device_rounds, case.steps)[1])) if device_rounds else None,
        device_state=info.get("device_state") or {},
        pools=info["pools"] or {},
        rounds=len(rounds),
        turns=Measurement(layout, seconds),
    )


_CASE = itemgetter(*Case._fields)
_NUMBERS = itemgetter("replica", "train_as_steps", "passes_over_x", "bytes", "flops", "implausible")


@lru_cache(maxsize=2**16)
def _case(*values: Any) -> Case:
    """One object for equal cases, which are what everything is looked up by."""
    case = Case(*values)
    if case.dtype not in ITEM_BYTES:
        raise ValueError(f"its dtype is {case.dtype!r}")
    _require((str,), case.op, case.optimizer, case.dataset, case.cache)
    _require((int,), case.steps, case.m, case.n, case.threads)
    if min(case.steps, case.m, case.n, case.threads) < 1:
        raise ValueError(f"its case is {tuple(case)}")
    return case


@lru_cache(maxsize=256)
def _row(*values: str) -> Row:
    """One object for equal rows: fifty thousand records name a dozen."""
    _require((str,), *values)
    return Row(*values)


def _require(kinds: tuple[type, ...], *values: object) -> None:
    if not all(map(isinstance, values, repeat(kinds))):
        wrong = next(value for value in values if not isinstance(value, kinds))
        raise TypeError(f"{wrong!r} is no {' or '.join(kind.__name__ for kind in kinds)}")


def _known(one_a_generation: Sequence[float | None] | None) -> list[float]:
    return [float(value) for value in one_a_generation or () if value is not None]


def _turns(info: Mapping[str, Any], rounds: Sequence[float], steps: int) -> tuple[Layout, Floats]:
    """The seconds of a step in each turn."""
    seconds = _seconds(rounds)
    if len(info["turn"]) != len(seconds):
        raise ValueError(f"it has {len(seconds)} rounds, but generations and turns of another number")
    layout, order = _order(tuple(info["generation"]), tuple(info["turn"]))
    return layout, seconds[order] / steps


def _seconds(rounds: Sequence[float]) -> Floats:
    seconds = np.array(rounds)
    if not len(seconds):
        raise ValueError("it has no rounds")
    if seconds.dtype.kind not in "fi":
        raise TypeError("its rounds are not all numbers")
    possible = (seconds > 0) & (seconds < np.inf)
    if not possible.all():
        raise ValueError(f"one of its rounds took {seconds[~possible][0]} seconds")
    return seconds


@lru_cache(maxsize=64)
def _order(generations: tuple[int, ...], turns: tuple[int, ...]) -> tuple[Layout, Places]:
    """The turns in their order, and the place of each one's round. Most records of a run share one."""
    found = list(zip(generations, turns, strict=True))
    layout = layout_of(tuple(sorted(set(found))))
    if len(layout.turns) < len(found):
        raise ValueError("two of its rounds are of one turn, as earlier versions had it: run the benchmark again")
    return layout, np.array(sorted(range(len(found)), key=found.__getitem__))


def _failure(entry: Mapping[str, Any]) -> Failure:
    try:
        _require((str,), entry["row"], entry["kind"], entry["reason"])
        _require((int, NoneType), entry.get("m"), entry.get("n"))
        return Failure(
            row=entry["row"],
            kind=entry["kind"],
            skipped=bool(entry["skipped"]),
            reason=entry["reason"],
            **{name: entry.get(name) for name in ("case", "op", "dtype", "dataset", "m", "n", "generation")},
        )
    except (KeyError, TypeError) as error:
        raise RecordError(f"failures.json has an entry that cannot be read ({error}); it is not complete.") from error
