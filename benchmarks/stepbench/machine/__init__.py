"""The machine: its threads, environments for child processes, what it was measured to do, and its reading limit."""
