"""The command line where a scaling takes one generation of two turns: `python -m few_turns scale …`.

All that is started, proven and written is the same.
"""

from stepbench.cli import main
from stepbench.run.scaling import scale_timed

if __name__ == "__main__":
    scale_timed.GENERATIONS, scale_timed.TURNS = 1, 2
    main()
