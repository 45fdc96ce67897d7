"""A run that was begun, made ready to go on: nothing that its journal names is run or read for that alone.

A row is the catalogue's, or that of a kernel file given again; data are found where they were, and are what they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stepbench.cases.datasets import DATASETS, SYNTHETIC, register_files
from stepbench.run.participants import LIMITS, Participant, Role
from stepbench.run.plan import Plan
from stepbench.run.provenance import Difference, Source, by_name, read_places
from stepkernels.catalog import CATALOG
from stepkernels.interface import Implementation
from stepreports.records.files import RecordError


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What is given to a run once more as it goes on. None: as it was.

    anyway   go on under other versions of the libraries or of the code, and have the record say so
    kernels  the rows of kernel files
    data     files in the place of those that are not where they were
    """

    anyway: bool = False
    kernels: Sequence[Implementation] = ()
    data: Sequence[Path] = ()
    timeout_seconds: float | None = None
    max_seconds: float | None = None


def plan_to_resume(folder: Path, stored: Mapping[str, Any], again: Again) -> tuple[Plan, list[Difference]]:
    """The plan, its rows and data as they are now, and where the catalogue's rows are not what they were.

    Raises `RecordError`.
    """
    try:
        planned = Plan.from_json(dict(stored))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{folder} has a plan that cannot be read ({error}); the journal is damaged.") from None
    participants = [replace(each, row=_row(each, planned, again)) for each in planned.participants]
    plan = replace(planned, participants=tuple(participants), data=_data(folder, planned, again))
    if again.timeout_seconds is not None:
        plan = replace(plan, timeout_seconds=again.timeout_seconds)
    if again.max_seconds is not None:
        plan = replace(plan, max_seconds=again.max_seconds)
    pairs = zip(planned.participants, participants, strict=True)
    return plan, [found for then, now in pairs if (found := _difference(then.row, now.row, plan))]


def _row(participant: Participant, plan: Plan, again: Again) -> Implementation:
    """The row that the user has named: never the journal's, which could name any module."""
    name = participant.row.name
    known = {row.name: row for row in LIMITS} if participant.role is Role.LIMIT else CATALOG
    if name in known:
        return known[name]
    source = by_name(plan.kernels).get(name)
    if source is None:
        raise RecordError(f"The run times {name!r}, which is no row of this version; time it anew.")
    given = next((row for row in again.kernels if row.name == name), None)
    if given is None:
        raise RecordError(
            f"The run times {name!r} of {Path(source.file).name}. Give that file again, with --kernel: "
            "nothing is executed that you have not named."
        )
    if source.has_changed(Path(given.module)):
        raise RecordError(
            f"{given.module} has changed since the run began: its times would be those of two programs. "
            "Restore it, or time it anew with another --out."
        )
    return given


def _difference(then: Implementation, now: Implementation, plan: Plan) -> Difference | None:
    """Whether a row of the catalogue is declared otherwise. A file that is the same declares the same."""
    if now.name in by_name(plan.kernels):
        return None
    before, after = then.to_json(), now.to_json()
    changed = [name for name in after if before.get(name) != after[name]]
    if not changed:
        return None
    return Difference(f"the row {now.name}'s {changed[0]}", before.get(changed[0]), after[changed[0]], of_versions=True)


def _data(folder: Path, plan: Plan, again: Again) -> tuple[Source, ...]:
    """The files of data, found and unchanged, and made known under their names."""
    places = read_places(folder)
    sources = [_found(source, places.get(source.name), again) for source in plan.data]
    known = {SYNTHETIC, *DATASETS, *(source.name for source in sources)}
    for case in plan.cases:
        if case.dataset not in known:
            raise RecordError(f"The run times data called {case.dataset!r}, and does not say where they are.")
    for source in sources:
        register_files([source.file], source.target, source.reading)
    return tuple(sources)


def _found(source: Source, place: Path | None, again: Again) -> Source:
    given = next((path for path in again.data if path.name == source.name), None)
    path = given or place or Path(source.file)
    if not path.is_file() or path.name != source.name:
        raise RecordError(f"{path} is not there any more. Say where the data are now, with --data.")
    if source.has_changed(path):
        raise RecordError(
            f"{path} has changed since the run began: its times would be those of two problems. "
            "Restore it, or time it anew with another --out."
        )
    return replace(source, file=str(path))
