"""tune: measure what the rows that are tuned to a machine do not know of this one."""

from __future__ import annotations

import os

from stepbench.commands.terminal import say, sentences


@sentences
def tune() -> None:
    """Measure how the fused rows read fastest on this machine, and keep it: a minute or two, with nothing else running.

    What was measured is in a file of the user's cache, or in that which STEPBENCH_TUNING names, and every later run,
    check and fit goes by it; the report says which plan a row went by. Delete the file to go back to the defaults.
    """
    from stepbench.machine.environment import refuse_variables
    from stepkernels.catalog import CATALOG

    refuse_variables(os.environ)
    for row in CATALOG.values():
        if row.unavailable() is None:
            for found in row.tune():
                say(f"{row.name}: {found}")
