"""All that a submission is held to, by whoever makes it, by CI, and by whoever publishes it.

What these checks prove is that the files belong together, as one run of the harness leaves them. They cannot prove that
the times were taken: whoever writes a harness of their own can write a journal. A second machine of the same model that
comes to the same is what makes a number believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from stepreports.submission.checks_of_journal import (
    every_row_is_told_of,
    records_are_those_of_the_journal,
    rounds_fit_their_clocks,
    the_commit_is_clean,
    the_run_was_finished,
    the_run_was_made_as_it_says,
    turns_are_in_the_order_of_the_seed,
)
from stepreports.submission.checks_of_records import (
    a_row_timed_twice_is_itself,
    every_row_agreed,
    medians_follow_from_turns,
    no_row_beats_the_limit,
    no_turns_are_copied,
    nothing_says_whose_it_is,
    records_are_of_one_run,
    rows_are_of_the_suite,
)
from stepreports.submission.contents import Submission, read_submission, self_test_path

Check = Callable[[Submission], Iterator[str]]

OF_RECORDS: tuple[Check, ...] = (
    records_are_of_one_run,
    medians_follow_from_turns,
    no_turns_are_copied,
    every_row_agreed,
    no_row_beats_the_limit,
    nothing_says_whose_it_is,
)


def the_harness_was_tested(submission: Submission) -> Iterator[str]:
    """The harness's own test lies beside the run, is of this machine, and was passed."""
    if self_test_path(submission) is None or submission.run.self_test is None:
        yield (
            "there is no test of the harness on this machine; make it with `stepbench doctor --self-test --json "
            "self-test.json` in the run's folder"
        )
    elif not submission.run.self_test["passed"]:
        yield "the harness did not pass its own test on this machine; make both again while nothing else runs"


OF_JOURNAL: tuple[Check, ...] = (
    the_run_was_finished,
    the_run_was_made_as_it_says,
    the_commit_is_clean,
    every_row_is_told_of,
    records_are_those_of_the_journal,
    turns_are_in_the_order_of_the_seed,
    rounds_fit_their_clocks,
    a_row_timed_twice_is_itself,
    rows_are_of_the_suite,
    the_harness_was_tested,
)


def faults_of_submission(folder: Path, private: Iterable[str] = ()) -> list[str]:
    """Why a run is not to be published, a sentence each; empty where nothing is against it. Raises `RecordError`.

    `private` are words that it must not hold, such as the names of the host and of the user.
    """
    submission = read_submission(folder)
    if not submission.events:
        return [f"{folder} has no journal, so nothing shows how its records were made"]
    alone = partial(nothing_says_whose_it_is, private=tuple(private))
    checks = [alone if check is nothing_says_whose_it_is else check for check in (*OF_JOURNAL, *OF_RECORDS)]
    return list(dict.fromkeys(chain.from_iterable(check(submission) for check in checks)))


def faults_of_published(folder: Path) -> list[str]:
    """The same of a run that is published: with its journal all of it, and of one from before them its records alone.

    Raises `RecordError`.
    """
    submission = read_submission(folder)
    if submission.events:
        return faults_of_submission(folder)
    return list(dict.fromkeys(chain.from_iterable(check(submission) for check in OF_RECORDS)))
