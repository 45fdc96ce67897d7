"""The command line where a run takes six turns, and a scaling one generation of two: `python -m few_turns run …`.

For what does not depend on how many there are. All that is started, proven and written is the same.
"""

from dataclasses import replace

from stepbench.cases.presets import PRESETS
from stepbench.cli import main
from stepbench.run.scaling import scale_timed

if __name__ == "__main__":
    PRESETS.update({name: replace(preset, turns=6) for name, preset in PRESETS.items()})
    scale_timed.GENERATIONS, scale_timed.TURNS = 1, 2
    main()
