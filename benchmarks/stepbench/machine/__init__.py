"""The machine: its threads, the environment of child processes, its description, its measured and its read limits.

Imports the kernels only.
"""
