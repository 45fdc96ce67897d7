"""A history in words: a sentence for each change, tables, Markdown and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stepreports.history.change_points import FEWEST, Change
from stepreports.history.links import Commit
from stepreports.history.timeline import Chain, History
from stepreports.records.journal import SCHEMA
from stepreports.statistics.bootstrap import CONFIDENCE
from stepreports.statistics.intervals import Estimate
from stepreports.telling import text
from stepreports.telling.tables import markdown

SHORT = 10  # characters of a commit that is told
_MOST_LINES = 40  # of a table in Markdown; the JSON has them all
_NOTHING = "–"


def headline(found: History) -> str:
    """How many changes there are, in a sentence."""
    commits = text.counted(len(found.commits), "commit")
    if not found.changes_can_be_found:
        return f"{commits}, not searched for changes"
    if all(len(chain.commits) < FEWEST for chain in found.chains):
        return f"{commits}, too few to find a change among"
    count = sum(len(chain.changes) for chain in found.chains)
    return f"{text.counted(count, 'change')} over {commits}" if count else f"No change over {commits}"


def change_sentences(found: History) -> list[str]:
    """A sentence for each change, in the order of the chains."""
    return [_sentence(chain, change) for chain in found.chains for change in chain.changes]


def how(found: History) -> list[str]:
    """What a level is, what counts as a change, and what could not be told."""
    settings = found.settings
    machines = text.counted(len(found.machines), "machine")
    lasting = text.counted(settings.least_commits, "commit")
    source = (
        f"From {text.counted(found.runs, 'run')} on {machines}. Times of two commits are divided where both took turns "
        "in one run, so that a commit may be timed on another machine than the one before it."
    )
    meaning = (
        f"A change is one of {100 * settings.least_change:g} % at least that lasts for {lasting} at least, which the "
        f"same commits in another order would show less than once in a hundred times: from {FEWEST} commits on."
    )
    lines = [source, meaning]
    if not found.changes_can_be_found:
        lines.append("Changes are found with `ruptures`, which is not installed: python -m pip install ruptures.")
    elif few := [chain for chain in found.chains if len(chain.commits) < FEWEST]:
        lines.append(
            f"{text.counted(len(few), 'chain')} of {len(found.chains)} {'has' if len(few) == 1 else 'have'} fewer "
            "commits: each of their levels stands with its interval, and none is called a change."
        )
    if found.apart:
        lines.append(f"{text.counted(found.apart, 'set')} of commits that no run connects with the rest are not shown.")
    return lines


def commit_lines(found: History) -> list[dict[str, str]]:
    """The table of commits, the latest first: what each says, where it was timed, and what changed with it."""
    changed: dict[str, list[str]] = {}
    for chain in found.chains:
        for change in chain.changes:
            told = f"`{chain.row}` {text.times(change.ratio)} on {chain.case.in_words}"
            changed.setdefault(chain.commits[change.place].name, []).append(told)
    failed = {commit.name for commit, _ in found.faults}
    return [
        {
            "commit": f"`{short(commit)}`",
            "made": commit.committed[:10],
            "says": commit.subject or _NOTHING,
            "machine": "; ".join(_machines(found, commit)) or _NOTHING,
            "changed": "; ".join(changed.get(commit.name, [])) or ("failed" if commit.name in failed else _NOTHING),
        }
        for commit in reversed(found.commits)
    ]


def chain_lines(chain: Chain) -> list[dict[str, str]]:
    """The numbers of a chain, the latest commit first."""
    starts = {change.place for change in chain.changes}
    return [
        {
            "commit": f"`{short(commit)}`",
            "says": commit.subject or _NOTHING,
            "of the first's time": text.times(chain.levels.ratio(place)) if place else "1",
            "of the time before": text.times(chain.levels.ratio(place, place - 1)) if place else _NOTHING,
            "": "**a change**" if place in starts else "",
        }
        for place, commit in reversed(list(enumerate(chain.commits)))
    ]


def end_lines(found: History) -> list[dict[str, str]]:
    """A line a chain: the time of its last commit over that of its first."""
    return [
        {
            "row": f"`{chain.row}`",
            "case": chain.case.in_words,
            "commits": str(len(chain.commits)),
            "last over first": text.times(chain.levels.ratio(len(chain.commits) - 1)),
            "changes": ", ".join(_where_changed(chain)) or _NOTHING,
        }
        for chain in found.chains
    ]


def end_sentences(found: History) -> list[str]:
    """A sentence for each chain: how long its last commit takes."""
    return list(map(_end, found.chains))


def fault_lines(found: History) -> list[str]:
    """What failed, by commit."""
    return [f"`{short(commit)}`: {fault}" for commit, fault in found.faults]


def in_markdown(found: History) -> str:
    """The whole of it, short."""
    lines = end_lines(found)
    more = len(lines) - _MOST_LINES
    parts = [
        f"### {headline(found)}",
        "\n".join(f"- {sentence}" for sentence in change_sentences(found)),
        markdown(lines[:_MOST_LINES]) if lines else "",
        f"And {text.counted(more, 'chain')} more, in the JSON." if more > 0 else "",
        "\n".join(f"- **{line}**" for line in fault_lines(found)),
        "\n".join(f"<sub>{line}</sub><br>" for line in how(found)),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def as_json(found: History) -> dict[str, Any]:
    """Everything, for another program. A ratio is of times."""
    return {
        "schema": SCHEMA,
        "least_change": found.settings.least_change,
        "least_commits": found.settings.least_commits,
        "reference": found.settings.reference,
        "confidence": CONFIDENCE,
        "searched_for_changes": found.changes_can_be_found,
        "machines": found.machines,
        "commits": [_commit(commit) for commit in found.commits],
        "faults": [{"commit": commit.name, "fault": fault} for commit, fault in found.faults],
        "left_out": list(found.left_out),
        "chains": [_chain(chain) for chain in found.chains],
    }


def short(commit: Commit) -> str:
    return commit.name[:SHORT]


def _sentence(chain: Chain, change: Change) -> str:
    commit, lasting = chain.commits[change.place], change.until - change.place
    how_it_is = "slower" if change.ratio.value > 1 else "faster"
    says = f" ({commit.subject})" if commit.subject else ""
    now = " and still is" if change.until == len(chain.commits) else ""
    return (
        f"`{chain.row}` became {how_it_is} with `{short(commit)}`{says}, on {chain.case.in_words}: "
        f"{text.times(change.ratio)} the time before, for {text.counted(lasting, 'commit')}{now}."
    )


def _end(chain: Chain) -> str:
    first, last = short(chain.commits[0]), short(chain.commits[-1])
    ratio = text.times(chain.levels.ratio(len(chain.commits) - 1))
    return f"`{chain.row}` takes {ratio} the time of `{first}` at `{last}`, on {chain.case.in_words}."


def _where_changed(chain: Chain) -> list[str]:
    return [f"`{short(chain.commits[each.place])}` {text.times(each.ratio)}" for each in chain.changes]


def _machines(found: History, commit: Commit) -> Sequence[str]:
    return list(dict.fromkeys(machine for chain in found.chains for machine in chain.machines_at.get(commit.name, [])))


def _commit(commit: Commit) -> dict[str, Any]:
    return {"commit": commit.name, "committed": commit.committed, "subject": commit.subject}


def _chain(chain: Chain) -> dict[str, Any]:
    levels = [
        {"commit": commit.name, **_ratio(chain.levels.ratio(place)), "machines": chain.machines_at[commit.name]}
        for place, commit in enumerate(chain.commits)
    ]
    found = [
        {"commit": chain.commits[each.place].name, "commits": each.until - each.place, **_ratio(each.ratio)}
        for each in chain.changes
    ]
    return {"row": chain.row, **chain.case._asdict(), "levels": levels, "changes": found}


def _ratio(found: Estimate) -> dict[str, float]:
    return {"ratio": found.value, "ratio_low": found.low, "ratio_high": found.high}
