"""The catalogue: one row of data per implementation, in the order of the ladder. Imports no backend.

Adding a technique is a file in `rows/` and an entry here.
"""

from __future__ import annotations

from collections.abc import Iterable

from stepkernels.interface import Implementation, Op
from stepkernels.problem import ProblemError

_PHASES = (Op.FORWARD, Op.BACKWARD, Op.GRADIENT, Op.UPDATE, Op.STEP)
_FUSED = (Op.GRADIENT, Op.UPDATE, Op.STEP, Op.TRAIN)

_ROWS = (
    Implementation(
        name="python-loop",
        module="stepkernels.rows.python_loop",
        library="python",
        technique="interpreted loop",
        summary="Sample by sample and feature by feature in the interpreter: the baseline.",
        ops=_PHASES,
        accumulation="sequential",
        allocates=True,
        max_work=2e6,
    ),
    Implementation(
        name="numpy-blas",
        module="stepkernels.rows.numpy_blas",
        library="numpy",
        technique="matrix form",
        summary="Two BLAS calls and a dozen vector operations, compiled and threaded, with every output preallocated.",
        ops=_PHASES,
        auto_from=0,
    ),
    Implementation(
        name="numpy-blas-fortran",
        module="stepkernels.rows.numpy_blas",
        library="numpy",
        technique="matrix form, column-major X",
        summary="The matrix form on a column-major X, which BLAS threads better for Xᵀr.",
        options={"order": "F"},
        ops=_PHASES,
    ),
    Implementation(
        name="numba-loop",
        module="stepkernels.rows.numba_loop",
        library="numba",
        technique="compiled loop",
        summary="The loop of python-loop, compiled: no interpreter, no objects; one core and one running sum a row.",
        ops=(*_PHASES, Op.TRAIN),
        accumulation="sequential",
    ),
    Implementation(
        name="numba-fused",
        module="stepkernels.rows.numba_fused",
        library="numba",
        technique="one pass, vector code",
        summary="X is read once: forward and backward of a block of rows while it is in cache, in vector code.",
        ops=_FUSED,
        passes_over_x=1,
        auto_from=0,
    ),
    Implementation(
        name="numba-fused-parallel",
        module="stepkernels.rows.numba_fused",
        library="numba",
        technique="one pass, vector code, threads",
        summary="The same pass shared among threads, each with partial sums of its own, where the problem is worth it.",
        options={"parallel": True},
        ops=_FUSED,
        passes_over_x=1,
        auto_from=100_000,  # below, two threads gain less than waking them costs
    ),
    Implementation(
        name="torch-manual-cpu",
        module="stepkernels.rows.torch_manual",
        library="torch",
        technique="matrix form on tensors",
        summary="The matrix form in PyTorch: fewer, richer vector operations than NumPy's, threaded, preallocated.",
        options={"device": "cpu"},
        ops=_PHASES,
    ),
    Implementation(
        name="torch-manual-cuda",
        module="stepkernels.rows.torch_manual",
        library="torch",
        device="cuda",
        technique="matrix form on tensors",
        summary="The same lines on the GPU, each of them a launch.",
        options={"device": "cuda"},
        ops=_PHASES,
    ),
    Implementation(
        name="cupy-arrays",
        module="stepkernels.rows.cupy_arrays",
        library="cupy",
        device="cuda",
        technique="matrix form on the GPU",
        summary="The matrix form in CuPy: two cuBLAS calls and a launch for every vector operation, preallocated.",
        ops=_PHASES,
    ),
    Implementation(
        name="cupy-fused",
        module="stepkernels.rows.cupy_fused",
        library="cupy",
        device="cuda",
        technique="fused CUDA C++",
        summary="Reads X once: a tile's margins, residuals and share of the gradient from one copy in shared memory.",
        ops=_FUSED,
        passes_over_x=1,
        cuda_source="fused_step.cu",
        raw_kernels=True,
    ),
    Implementation(
        name="triton-fused",
        module="stepkernels.rows.triton_fused",
        library="triton",
        compiler="c",
        device="cuda",
        technique="fused Triton",
        summary="Reads X once: a tile of rows in registers, from a program that leaves threads to the compiler.",
        ops=(Op.GRADIENT, Op.UPDATE, Op.STEP),
        passes_over_x=1,
        compiles_per_shape=True,
        raw_kernels=True,
    ),
    Implementation(
        name="numba-cuda-fused",
        module="stepkernels.rows.numba_cuda_fused",
        library="numba_cuda",
        device="cuda",
        technique="fused Python for the GPU",
        summary="Reads X once: the fused kernel in Python, its threads exchanging sums through shared memory alone.",
        ops=(Op.GRADIENT, Op.UPDATE, Op.STEP),
        passes_over_x=1,
        raw_kernels=True,
    ),
    Implementation(
        name="torch-autograd-cpu",
        module="stepkernels.rows.torch_autograd",
        library="torch",
        technique="autograd",
        summary="A module, a criterion, backward() and an optimizer: the gradient recorded instead of written out.",
        options={"device": "cpu"},
        ops=_PHASES,
        residual="difference",
        allocates=True,
    ),
    Implementation(
        name="torch-autograd-cuda",
        module="stepkernels.rows.torch_autograd",
        library="torch",
        device="cuda",
        technique="autograd",
        summary="The same module on the GPU.",
        options={"device": "cuda"},
        ops=_PHASES,
        residual="difference",
        allocates=True,
    ),
    Implementation(
        name="torch-compiled-cpu",
        module="stepkernels.rows.torch_compiled",
        library="torch",
        compiler="c++",
        technique="compiled graph",
        summary="The whole step through torch.compile: what lies between the two products becomes one pass.",
        options={"device": "cpu", "mode": "default"},
        allocates=True,
        compiles_per_shape=True,
    ),
    Implementation(
        name="torch-compiled-cuda",
        module="stepkernels.rows.torch_compiled",
        library="torch",
        compiler="c",
        device="cuda",
        technique="compiled graph",
        summary="The whole step through torch.compile, replayed as a CUDA graph.",
        options={"device": "cuda", "mode": "reduce-overhead"},
        allocates=True,
        compiles_per_shape=True,
    ),
    Implementation(
        name="jax-jit-cpu",
        module="stepkernels.rows.jax_jit",
        library="jax",
        technique="compiled pure functions",
        summary="The step as one XLA program; training is a scan that never returns to Python.",
        options={"device": "cpu"},
        ops=_FUSED,
        allocates=True,
        compiles_per_shape=True,
    ),
    Implementation(
        name="jax-jit-cuda",
        module="stepkernels.rows.jax_jit",
        library="jax",
        device="cuda",
        technique="compiled pure functions",
        summary="The same program for the GPU.",
        options={"device": "cuda"},
        ops=_FUSED,
        allocates=True,
        compiles_per_shape=True,
    ),
    Implementation(
        name="sklearn-loss",
        module="stepkernels.rows.sklearn_loss",
        library="sklearn",
        technique="scikit-learn's own gradient",
        summary="What scikit-learn's solvers call: NumPy's products around one compiled loop over the samples.",
        ops=(Op.GRADIENT, Op.UPDATE, Op.STEP),
        residual="difference",
        allocates=True,
    ),
)

CATALOG: dict[str, Implementation] = {row.name: row for row in _ROWS}


def rows_named(names: Iterable[str], catalog: dict[str, Implementation] = CATALOG) -> list[Implementation]:
    """The rows of the catalogue with these names, in catalogue order. Raises `ProblemError` for an unknown one."""
    wanted = list(names)
    for name in wanted:
        if name not in catalog:
            raise ProblemError(f"There is no row called {name!r}. Rows: {', '.join(catalog)}.")
    return [row for row in catalog.values() if row.name in wanted]
