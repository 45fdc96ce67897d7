"""The machine: its threads and network, the environment of child processes, its description and its limits.

Imports the kernels only.
"""
