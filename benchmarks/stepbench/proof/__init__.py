"""What a time has to stand up to: the work that was timed is proven, by the runner, which never loads a row.

points          where a round starts
compiled_truth  the truth and its bounds, fast enough to take thousands of steps
compiled_updates  so many updates by one gradient
paths           the truth's own steps from a point, and how far an honest row may be from them
judging         what a row holds after a round, held to them
clocks          the worker's clock, believed as far as the runner's shows
conduct         what a process did beside the round: processors, memory, what it left for later
"""
