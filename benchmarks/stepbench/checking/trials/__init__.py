"""The trials: what is done to a row, besides asking it for one step, so that a wrong one shows itself.

Imports scenes and bound rows; which trials a row goes through is the schedule's to say.
"""

from __future__ import annotations

from stepbench.checking.trials.of_declarations import allocation, difference, running_sum
from stepbench.checking.trials.of_extremes import extremes, not_a_number, settings
from stepbench.checking.trials.of_state import alternation, resets, results_demanded_again
from stepbench.checking.trials.of_steps import (
    gradient_again,
    margins,
    one_step,
    phases,
    phases_again,
    repetition,
    steps,
)
from stepbench.checking.trials.of_time import long_run, nothing_put_off, snapshots_copy
from stepbench.checking.trials.of_training import training
from stepbench.checking.trials.setup import Setup, Trial
from stepkernels import Op

__all__ = [
    "ALLOCATION",
    "DIFFERENCE",
    "EXTREMES",
    "LONG_RUN",
    "MARGINS",
    "NOTHING_PUT_OFF",
    "ONE_STEP",
    "PHASES",
    "REPETITION",
    "RUNNING_SUM",
    "SETTINGS",
    "SNAPSHOTS_COPY",
    "STATEFUL",
    "STEPS_TRIAL",
    "Setup",
    "Trial",
]

STEPS_TRIAL = Trial("steps from the row's own state", steps)
ONE_STEP = Trial("a step on large data", one_step)
MARGINS = Trial("one margin at a time", margins)
PHASES = Trial("the phases of a step", phases)
STATEFUL = (
    Trial("reset", resets),
    PHASES,
    Trial("operations called again", gradient_again, frozenset({Op.GRADIENT})),
    Trial("operations called again", phases_again, frozenset({Op.FORWARD, Op.BACKWARD})),
    Trial("two workspaces in turn", alternation),
    Trial("results demanded again", results_demanded_again),
    Trial("NaN and infinity", not_a_number),
    Trial("train", training, frozenset({Op.TRAIN})),
)
ALLOCATION = Trial("what a step allocates", allocation)
RUNNING_SUM = Trial("one running sum", running_sum)
DIFFERENCE = Trial("a difference of residuals", difference)
SETTINGS = Trial("settings", settings)
EXTREMES = Trial("extreme numbers", extremes)
REPETITION = Trial("the same steps again", repetition)
LONG_RUN = Trial("a long run", long_run)
SNAPSHOTS_COPY = Trial("what a snapshot takes", snapshots_copy)
NOTHING_PUT_OFF = Trial("work that is put off", nothing_put_off)
