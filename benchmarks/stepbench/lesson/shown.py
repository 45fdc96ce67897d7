"""The rows of the lesson, as data: their order in the text, what is shown of each, and the size they run at."""

from __future__ import annotations

SIZE = (20_000, 50)

# What of each row's source shows its technique; the rows in the order of the text.
EXCERPTS: dict[str, tuple[str, ...]] = {
    "python-loop": ("softplus", "sigmoid", "forward", "backward"),
    "numpy-blas": ("forward", "backward"),
    "numba-loop": ("softplus", "sigmoid", "forward", "backward"),
    "torch-autograd-cpu": ("LogisticRegression", "cost", "Workspace.forward", "Workspace.backward"),
    "numba-fused-simple": ("IN_ANY_ORDER", "gradient"),
}
ROWS = (*EXCERPTS, "numba-fused", "numba-fused-parallel")  # those whose cost is told; each is compared with the first
WALKER = "numpy-blas"  # takes the steps of every descent
