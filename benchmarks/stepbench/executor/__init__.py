"""A kernel's own process, and the judge's end of the line to it.

A kernel is a stranger's program: in its own process it can change everything, so that process computes and nothing
else. What is asked, why, and what the answer should be are known on the other side of a socket alone.

wire              requests one way, answers the other, and what is no answer
sealed            a problem in memory that nobody can write to
computing         a workspace bound to a problem, and what is done to it: beside the caller, or in the executor
raised_by_row     what a row's code raised, told by its own line
serving           the executor: it does what it is asked, one request at a time
line, patience    the judge's end: limits on time, size and output
remote            a workspace in an executor, used as if it were here
cuda_driver       the CUDA driver alone: wait for all that was launched

Imports `machine` and below, and of the kernels the interface.
"""
