"""A training shared among ranks: each reads its own rows, no rank holds them all. Rank 0 decides, scores and writes.

world        how a rank that torchrun started meets the others, and what all of them must agree on
rows_of_rank what a training wants of the rows of one rank
own_rows     those of an .npy file
row_groups   those of Parquet files
block_share  the gradient of rows that stay on disk, a block at a time
bound_share  the rows of a rank, bound: compiled for in turn, read at once
sharded_fit  the training
checkpoints  where it can go on from
launching    ranks on this machine, started as torchrun starts them
"""
