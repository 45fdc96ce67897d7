"""How far an honest row may be from the truth, element by element, and how far one is; imports the reference."""

from stepkernels.agreement.bounds import (
    GRADIENT_FIELDS,
    STEP_FIELDS,
    TRUTH,
    UPDATE_FIELDS,
    Agreement,
    C,
    Expectation,
    Expected,
    Traits,
    compare,
    expect_step,
    expect_steps,
    expect_update,
    smallest_visible_change,
)

__all__ = [
    "GRADIENT_FIELDS",
    "STEP_FIELDS",
    "TRUTH",
    "UPDATE_FIELDS",
    "Agreement",
    "C",
    "Expectation",
    "Expected",
    "Traits",
    "compare",
    "expect_step",
    "expect_steps",
    "expect_update",
    "smallest_visible_change",
]
