"""What the attempts of a journal say of each participant on each case, and which of them need not be made again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from stepbench.proof.conduct import Conduct, Watched
from stepbench.run.plan import TIME_BUDGET
from stepreports.records.journal import Event
from stepreports.records.last_attempts import Attempt, Pair, last_attempts
from stepreports.records.turns import Turn

NOT_BELIEVED = frozenset({"disagreement", "implausible"})  # a time that such a fault stands beside is no time
FAULTS_REDONE = NOT_BELIEVED | {"crash", "timeout", "error", "memory", "thread-pool", TIME_BUDGET}

Key = tuple[str, str]  # participant, case name


def finished_pairs(events: Iterable[Event]) -> frozenset[Pair]:
    """The (generation, case name) pairs a resumed run need not do again: closed, and without a fault."""
    return frozenset(
        pair
        for pair, attempt in last_attempts(events).items()
        if not any(failure["kind"] in FAULTS_REDONE for failure in attempt.failures)
    )


@dataclass(frozen=True, slots=True)
class Timing:
    """The events of one participant on one case, generation by generation."""

    events: list[Event] = field(default_factory=list)

    def of(self, kind: str) -> list[Event]:
        """The events of a kind."""
        return [event for event in self.events if event["event"] == kind]

    @property
    def rounds(self) -> list[Event]:
        return self.of("round")

    @property
    def seconds(self) -> list[float]:
        return [event["seconds"] for event in self.rounds]

    @property
    def turns(self) -> dict[Turn, float]:
        """The seconds of each (generation, turn)."""
        return {(event["generation"], event["turn"]): event["seconds"] for event in self.rounds}

    def conduct(self, threads: int, *, on_host: bool) -> Conduct:
        """What its processes did beside the rounds; of events that another version wrote, what they tell of that."""
        names = [each.name for each in fields(Watched)]
        return Conduct(
            threads=threads,
            on_host=on_host,
            rounds=[event for event in self.rounds if "told_seconds" in event],
            holding=[event["holding_seconds"] for event in self.of("judged") if "holding_seconds" in event],
            watched=[Watched(**{name: event[name] for name in names if name in event}) for event in self.of("watched")],
        )

    @property
    def generations(self) -> list[int]:
        return sorted({event["generation"] for event in self.events})


def timings(attempts: Mapping[Pair, Attempt]) -> dict[Key, Timing]:
    """What is known of each participant on each case.

    A generation in which it failed there is left out; all are, where its numbers or its time were wrong in one.
    """
    found: dict[Key, Timing] = {}
    refused = {
        (failure["participant"], failure["case"])
        for attempt in attempts.values()
        for failure in attempt.failures
        if failure["kind"] in NOT_BELIEVED
    }
    for _, attempt in sorted(attempts.items(), key=lambda item: item[0][0]):
        failed = {failure["participant"] for failure in attempt.failures}
        for event in attempt.events:
            if event["participant"] not in failed and (event["participant"], event["case"]) not in refused:
                found.setdefault((event["participant"], event["case"]), Timing()).events.append(event)
    return found
