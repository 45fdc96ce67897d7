"""Short vectors for Numba: registers of the machine as values in compiled code.

Numba leaves vectorizing to LLVM, which does well on long, simple loops and badly on those a fused step is made of.
Rows of 20 or 30 features are shorter than its unrolled loop; a sum stays scalar unless it may be reordered; a loop
that calls `exp` stays scalar without SVML, which the registry's Numba is built without. Here the code says what it
wants: a `Vector` is one register full of float32 or float64, and the functions below are instructions on it. No
fast-math flag is needed anywhere, so every sum is added in the order written down.

A vector is 64 bytes where the processor has AVX-512 and 32 elsewhere; LLVM splits it where registers are narrower.
"""

from stepkernels.simd.arithmetic import (
    absolute,
    add,
    add_to_exponent,
    divide,
    first,
    fma,
    maximum,
    multiply,
    negate,
    subtract,
    where_negative,
)
from stepkernels.simd.compiling import compiled, compiled_parallel, compiled_within
from stepkernels.simd.exponential import exp
from stepkernels.simd.loads import (
    add_to_float64,
    behind,
    broadcast,
    elements,
    lanes,
    load,
    load_int8,
    load_part,
    prefetch,
    store,
    zeros,
)
from stepkernels.simd.logarithm import log1p
from stepkernels.simd.rows_at_once import (
    add_of_all_rows,
    add_of_all_rows_part,
    add_to_each_row,
    add_to_each_row_part,
    element_of_each_row,
    prefetch_rows,
    rows_at_once,
    zero_for_each_row,
)
from stepkernels.simd.sums import (
    add_all_products,
    add_products,
    lane_growth,
    lane_sum,
    store_sums,
)
from stepkernels.simd.vector import ROWS_AT_ONCE, VECTOR_BYTES, Vector

__all__ = [
    "ROWS_AT_ONCE",
    "VECTOR_BYTES",
    "Vector",
    "absolute",
    "add",
    "add_all_products",
    "add_of_all_rows",
    "add_of_all_rows_part",
    "add_products",
    "add_to_each_row",
    "add_to_each_row_part",
    "add_to_exponent",
    "add_to_float64",
    "behind",
    "broadcast",
    "compiled",
    "compiled_parallel",
    "compiled_within",
    "divide",
    "element_of_each_row",
    "elements",
    "exp",
    "first",
    "fma",
    "lane_growth",
    "lane_sum",
    "lanes",
    "load",
    "load_int8",
    "load_part",
    "log1p",
    "maximum",
    "multiply",
    "negate",
    "prefetch",
    "prefetch_rows",
    "rows_at_once",
    "store",
    "store_sums",
    "subtract",
    "where_negative",
    "zero_for_each_row",
    "zeros",
]
