"""A training shared among ranks: each reads its own rows, no rank holds them all. Rank 0 decides, scores and writes.

world        how a rank that torchrun started meets the others, and what all of them must agree on
own_rows     the rows of one rank, of an .npy file or of Parquet files
block_share  the gradient of rows that stay on disk, a block at a time
sharded_fit  the training
checkpoints  where it can go on from
launching    ranks on this machine, started as torchrun starts them
"""
