"""A step shared among the ranks of torch.distributed: each has rows of its own, and all have the same parameters.

ranks          the processes that take a step together: what they tell one another, and that one of them is lost
roll_call      which rank is lost, and what became of it
sharded_step   one rank's part of a step
orders         rank 0 is asked, and tells the others what to do

Training on several hosts and the rows `torch-distributed-*` both stand on this.
"""
