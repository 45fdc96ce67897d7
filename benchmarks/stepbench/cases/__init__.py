"""What is timed: cases, the presets that choose them, data sets, and tables from files.

Imports the kernels and the machine.
"""
