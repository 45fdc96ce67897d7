"""How far an honest row may be from the truth, element by element, and how far one is; imports the reference."""

from stepkernels.agreement.bounds import TRUTH, C, Traits
from stepkernels.agreement.comparing import Agreement, compare, smallest_visible_change
from stepkernels.agreement.expected import (
    GRADIENT_FIELDS,
    STEP_FIELDS,
    UPDATE_FIELDS,
    Expectation,
    Expected,
    expect_step,
    expect_steps,
    expect_update,
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
