"""What the repository shows of published runs: the index in reports/, the figure and tables of README.md.

    python -m stepreports.publish RUN…      copy runs to reports/published/<machine>/<date>-<commit>/, then refresh
    python -m stepreports.publish ZIP…      the same of what `stepbench submit` packed, if nothing is against it
    python -m stepreports.publish           refresh
    python -m stepreports.publish --check   exit 1 where something is stale or against a published run, changing nothing

The README holds blocks between `<!-- stepbench:NAME -->` and `<!-- /stepbench:NAME -->`. NAME is `answer`, `table` or
`figure`, of the newest published run, or `NAME@machine`, of the newest run of that machine.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from stepreports.page.index_page import index_page
from stepreports.records.files import RecordError, write_whole
from stepreports.records.machines import gpu_models, numbers_of_processor, processors_apart
from stepreports.records.self_test_figures import NAME as SELF_TEST
from stepreports.render import write_report, written_or_told
from stepreports.statistics.runs import Run, load_run
from stepreports.statistics.views import step_views
from stepreports.submission.all_checks import faults_of_published, faults_of_submission
from stepreports.submission.contents import PACKED_JOURNAL
from stepreports.submission.packing import unpack
from stepreports.telling.findings import answer, headline
from stepreports.telling.page_blocks import with_blocks
from stepreports.telling.summary import alarms, every_row, where

PUBLISHED = Path("reports/published")
INDEX = Path("reports/README.md")
INDEX_PAGE = INDEX.with_name("index.html")
README = Path("README.md")
_FILES = ("benchmark.json", "failures.json", "summary.md", "table.csv")  # the page is 2 MB, and made again at will


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0, 1 where something is stale or a submission is refused, 2 for a folder that is no run."""
    about = (__doc__ or "").partition("\n")[0]  # `python -OO` leaves no docstring
    parser = argparse.ArgumentParser(prog="python -m stepreports.publish", description=about)
    parser.add_argument(
        "runs", nargs="*", type=Path, metavar="RUN", help="a run folder, or a packed submission, to publish"
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where something is stale")
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (default: the current folder)")
    chosen = parser.parse_args(arguments)
    try:
        for folder in chosen.runs:
            print(f"Published {add(folder, chosen.root)}")  # noqa: T201
        stale = refresh(chosen.root, check=chosen.check)
        against = faults_of_all(chosen.root) if chosen.check else []
    except RefusedError as refused:
        print(refused, file=sys.stderr)  # noqa: T201
        return 1
    except RecordError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    for path in stale:
        print(f"{path} {'is stale; run python -m stepreports.publish' if chosen.check else 'rewritten'}")  # noqa: T201
    for fault in against:
        print(fault)  # noqa: T201
    return int(chosen.check and bool(stale or against))


class RefusedError(RecordError):
    """A submission that is not to be published. The message says why, a line for each reason."""


def add(path: Path, root: Path) -> Path:
    """Copy a run, freshly reported, to its place among the published; the place. A packed one is checked first.

    Raises `RefusedError` for a submission that something is against, and `RecordError` for what is none.
    """
    if not path.is_file():
        return _copied(path, root, _FILES)
    with TemporaryDirectory() as folder:
        unpacked = unpack(path, Path(folder) / path.stem)
        if found := faults_of_submission(unpacked):
            raise RefusedError("\n".join(f"{path} is not published: {fault}." for fault in found))
        return _copied(unpacked, root, (*_FILES, PACKED_JOURNAL, SELF_TEST))


def faults_of_all(root: Path) -> list[str]:
    """What is against the published runs, a line each."""
    return [
        f"{run.folder.relative_to(root)}: {fault}"
        for run in published_runs(root)
        for fault in faults_of_published(run.folder)
    ]


def _copied(folder: Path, root: Path, names: Sequence[str]) -> Path:
    run = load_run(folder)
    write_report(folder)
    place = _place(run, root)
    with written_or_told(place):
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(folder / name, place / name)
        if (folder / "figures").is_dir():
            shutil.copytree(folder / "figures", place / "figures", dirs_exist_ok=True)
    return place


def name_of_place(folder: Path) -> str:
    """The name of a run as one word: its machine, day and commit."""
    run = load_run(folder)
    return f"{_slug(run.machine_name)}-{_moment(run)}"


def _moment(run: Run) -> str:
    return _slug(f"{run.when[:10]}-{_commit(run)}")


def _place(run: Run, root: Path) -> Path:
    """Named by day and commit; also by the run, where another of that day and commit is there already."""
    moment = _moment(run)
    place = _home(run, root) / moment
    taken = (place / "benchmark.json").is_file() and load_run(place).when != run.when
    return place.with_name(f"{place.name}-{_slug(run.run_id)}") if taken else place


def _home(run: Run, root: Path) -> Path:
    """The folder of the run's machine: named by its processor and GPU, and numbered where that name is another's."""
    name = _slug(" ".join(filter(None, (run.machine_name, numbers_of_processor(run.machine)))))
    places = (root / PUBLISHED / (name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(place for place in places if all(_is_one_machine(run, other) for other in _runs_in(place)))


def _is_one_machine(one: Run, other: Run) -> bool:
    apart = processors_apart(one.machine, other.machine)
    return not apart and gpu_models(one.machine) == gpu_models(other.machine)


def _runs_in(home: Path) -> list[Run]:
    return [load_run(path.parent) for path in sorted(home.glob("*/benchmark.json"))]


def _commit(run: Run) -> str:
    return str(run.commit.get("id") or "unknown")[:10]


def refresh(root: Path, *, check: bool) -> list[Path]:
    """Rewrite what is stale, or with `check` only name it."""
    runs = published_runs(root)
    wanted = {root / INDEX: index(runs, root), root / INDEX_PAGE: index_page(runs, root / INDEX.parent)}
    if (root / README).is_file():
        wanted[root / README] = rewritten((root / README).read_text(encoding="utf-8"), runs, root)
    stale = [path for path, content in wanted.items() if not path.is_file() or path.read_text("utf-8") != content]
    for path in stale if not check else ():
        write_whole(path, wanted[path])
    return stale


def published_runs(root: Path) -> list[Run]:
    """Every published run, the newest first."""
    folders = sorted(path.parent for path in (root / PUBLISHED).glob("*/*/benchmark.json"))
    return sorted((load_run(folder) for folder in folders), key=lambda run: run.when, reverse=True)


def index(runs: Sequence[Run], root: Path) -> str:
    """The index of the published runs, by machine, in Markdown."""
    parts = [
        "# Published runs",
        "Written by `python -m stepreports.publish` from the records; each folder holds them.",
        f"[{INDEX_PAGE.name}]({INDEX_PAGE.name}) has every row on every machine in one table, to filter.",
        "To add a machine: `stepbench submit RUN` checks a run, and packs it for a pull request.",
    ]
    for home in dict.fromkeys(run.folder.parent for run in runs):
        here = [run for run in runs if run.folder.parent == home]
        parts.append(f"## {here[0].machine_in_full}")
        for run in here:
            link = run.folder.relative_to(root / INDEX.parent).as_posix()
            name = f"{run.when[:10]}, commit {_commit(run)}, run {run.run_id}"
            parts.append(f"- [{name}]({link}/summary.md): {' '.join(headline(run))}")
    if not runs:
        parts.append("None yet.")
    return "\n\n".join(parts) + "\n"


def rewritten(readme: str, runs: Sequence[Run], root: Path) -> str:
    """The README with every block between markers made again. Raises `RecordError` for one that cannot be."""

    def content(asked: str) -> str:
        name, _, machine = asked.partition("@")
        if name in _BLOCKS and not runs:
            return "No run has been published yet."
        run = next((run for run in runs if not machine or run.folder.parent.name == machine), None)
        if name not in _BLOCKS or run is None:
            raise RecordError(f"README.md asks for the block {asked!r}; there is no such block or no published run.")
        return _BLOCKS[name](run, root)

    return with_blocks(readme, content)


def _answer_block(run: Run, _: Path) -> str:
    """The headline, the warnings that concern it, and why."""
    told = [f"**{sentence}**" for sentence in headline(run)]
    return "\n".join([*told, "", *(f"- {claim}" for claim in [*alarms(run), *answer(run)])])


def _table_block(run: Run, root: Path) -> str:
    link = run.folder.relative_to(root).as_posix()
    tables = "\n\n".join(every_row(run)[1:])
    return f"{tables}\n\n[{where(run)}]({link}/summary.md)"


def _figure_block(run: Run, root: Path) -> str:
    """The time of a step, as the published folder has it."""
    view = step_views(run)[0]
    link = (run.folder / "figures" / f"time-{view.slug}.svg").relative_to(root).as_posix()
    return f"![Time of one {view.unit} against the size of X: {view.title}, {run.machine_name}]({link})"


_BLOCKS: dict[str, Callable[[Run, Path], str]] = {
    "answer": _answer_block,
    "table": _table_block,
    "figure": _figure_block,
}


def _slug(name: str) -> str:
    """A name as that of a folder."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:100].strip("-") or "unknown"


if __name__ == "__main__":
    sys.exit(main())
