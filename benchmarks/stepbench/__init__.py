"""The harness: proves that the rows agree, times them in turns, and records what it saw.

`python -m stepbench` is the command line. Importing this package loads nothing, so that a worker can set its
affinity before any library starts its threads.
"""
