"""Every field that a kernel file declares is right, or one sentence says which is not and what it must be."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage import HOSTILE
from runs import KERNELS
from stepbench.checking.declared_fields import KernelFileError, validated
from stepbench.checking.kernel_child import declared_fields
from stepkernels import Implementation

OWN = "stepbench itself uses; choose another"
OWN_FIELDS = {
    name: value for name, value in Implementation(name="own", module="").to_json().items() if name != "module"
} | {"ops": ["step"], "dtypes": ["float64"], "optimizers": ["gd"]}
BOOLS = ("deterministic", "allocates", "compiles_per_shape", "raw_kernels")
WRONG = {
    "at most 80 letters": {"name": (
        "a/b", "a\0b", "a\nb", "x" * 300, 3, "", " ", "../../up", ".", "..", "-x", "a#1", "#", "numpy-blas#1", "a,b",
        None, True, ["x"], "a`b", "x ", "\u202ex", "a$b",
    )},
    OWN: {"name": ("read-limit", "read-limit-cuda", "numpy-blas", "NumPy-BLAS", "cupy-fused", "cpu", "cuda")},
    "the import name of the library": {"library": ("", "a.b", "..", 3, None, "__main__", "a b", "a/b", "\0")},
    "'c', 'c\\+\\+' or None": {"compiler": ("gcc", "", 3, True, ["c"])},
    "'cpu' or 'cuda'": {"device": ("tpu", None, 1, "")},
    "a few words": {"technique": ("", " ", None, 3, "a\nb", "x" * 300, "\x1b[0m")},
    "a sentence of at most": {"summary": (None, 3, "a\nb", "x" * 3000, "\0")},
    "a number from 1 on, or None": {"max_work": ("many", 0, -1, True, [1], 1e300, 10**400)},
    "a whole number from 1 on": {"passes_over_x": (0, -1, "two", 1.5, None, True, 2**40)},
    "'blocked' or 'sequential'": {"accumulation": ("sideways", None, 1)},
    "'stable' or 'difference'": {"residual": ("odd", None, 1)},
    "it must be True or False": {name: (1, "no", None, []) for name in BOOLS},
    "a whole number from 0 on": {"auto_from": (-1, 1.5, "x", True, 2**70)},
    "the name of a file beside": dict.fromkeys(
        ("cuda_source", "cpp_source"), ("gone.cu", "../x.cu", "/etc/passwd", "", 3, "\0", ".", "..")
    ),
    "a mapping of names to plain JSON values": {"options": (
        None, [1], 3, "x", {"a b": 1}, {"problem": 1}, {"a": 2**64}, {"a": "x" * 20_000}, {"": 1},
        {"a": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]},
    )},
    "every row has step": {"ops": (("gradient",), ("train", "forward"))},
    "a tuple out of": {
        "ops": (("step", "step"), "step", (3,), None, (), ("fly", "step"), 3, ["Step"], {"step": 1}),
        "dtypes": (("float32", "float32"), ("float16",), (), "float32", None),
        "optimizers": (("gd", "gd"), ("sgd",), (), None, 7),
    },
}  # fmt: skip
NOT_PLAIN = (
    "options={3: 1}", "options={'a': {1, 2}}", "options={'a': 1j}", "options={'a': float('nan')}",
    "options={'a': b'x'}", "options={'a': print}", "options={'a': {'b': [object()]}}", "options={(1, 2): 1}",
    "optimizers={'gd'}", "max_work=float('nan')", "max_work=float('inf')", "max_work=-float('inf')",
    r"technique='\ud800'", r"options={'a': '\ud800'}", r"options={'\ud800': 1}",
    "max_work=__import__('numpy').float64(1)",
    "allocates=__import__('numpy').bool_(True)",
)  # fmt: skip


def declaring(folder, declared):
    """A kernel file whose Implementation has these arguments."""
    path = folder / "own.py"
    path.write_text(
        "from stepkernels import Implementation, Op\n"
        f"IMPLEMENTATION = Implementation(module=__file__, {declared})\n"
        "def bind(problem, config): ...\n"
    )
    return path


def row_of(path):
    """As it goes from the process of a file to ours."""
    return validated(declared_fields(path), path)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        pytest.param(field, value, says, id=f"{field}-{ascii(value)[:30]}")
        for says, fields in WRONG.items()
        for field, values in fields.items()
        for value in values
    ],
)
def test_a_field_that_is_wrong_is_one_sentence(tmp_path, field, value, says):
    given = {"name": "own"} | {field: value}
    path = declaring(tmp_path, ", ".join(f"{name}={value!r}" for name, value in given.items()))
    with pytest.raises(KernelFileError, match=says) as error:
        row_of(path)
    assert str(error.value).startswith(f"IMPLEMENTATION.{field} is ")
    assert str(error.value).isprintable()


@pytest.mark.parametrize("declared", NOT_PLAIN)
def test_a_value_that_is_not_plain_is_told_by_its_field(tmp_path, declared):
    field = declared.partition("=")[0]
    with pytest.raises(KernelFileError, match=f"holds what cannot be sent to another process .*{field}.*plain values"):
        row_of(declaring(tmp_path, f"name='own', {declared}"))


@given(field=st.sampled_from(sorted(OWN_FIELDS)), value=HOSTILE)
def test_whatever_is_declared_is_a_row_or_a_sentence(field, value):
    path = KERNELS / "matrix_form.py"
    try:
        row = validated({**OWN_FIELDS, field: value}, path)
    except KernelFileError as error:
        assert str(error).isprintable()  # noqa: PT017  either may be
    else:
        assert Implementation.from_json(json.loads(msgspec.json.encode(row.to_json()))) == row


SNEAKY = """
from stepkernels import Implementation
class Sneaky(str):
    def __str__(self): raise SystemExit
    def __hash__(self): return hash("own")
    def __eq__(self, other): return True
class Own(Implementation):
    pass
class Odd:
    def __repr__(self): raise KeyboardInterrupt
    __str__ = __len__ = __iter__ = __bool__ = __repr__
def bind(problem, config): ...
"""


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("Implementation(name=Sneaky('../up'), module='')", "name is a Sneaky"),
        ("Implementation(name='own', module='', technique=Odd())", "technique is a Odd"),
        ("Implementation(name='own', module='', options=Odd())", "options is a Odd"),
        ("Own(name='own', module='')", "needs IMPLEMENTATION"),
        ("Odd()", "needs IMPLEMENTATION"),
        ("type('Implementation', (), {'name': 'own'})()", "needs IMPLEMENTATION"),
        ("Implementation", "needs IMPLEMENTATION"),
    ],
)
def test_an_object_that_is_not_what_it_says_is_told(tmp_path, row, says):
    path = tmp_path / "sneaky.py"
    path.write_text(f"{SNEAKY}\nIMPLEMENTATION = {row}\n")
    with pytest.raises(KernelFileError, match=says):
        row_of(path)


@pytest.mark.parametrize("fields", [None, 3, [], {}, {"name": "own"}, "own"], ids=str)
def test_fields_that_are_not_those_of_a_row_are_told(tmp_path, fields):
    with pytest.raises(KernelFileError, match="does not have the fields of an Implementation"):
        validated(fields, tmp_path / "own.py")


@pytest.mark.parametrize("name", ["own", "a", "x" * 80, "my kernel 2", "ядро", "numpy-blas-2", "a.b_c+d"])
def test_an_honest_name_is_kept(tmp_path, name):
    assert row_of(declaring(tmp_path, f"name={name!r}")).name == name


def test_what_is_declared_arrives(tmp_path):
    (tmp_path / "own.cu").touch()
    options = {"a": [1, 2.5, None, True, {"b": "x"}], "c": (1, 2)}
    row = row_of(
        declaring(tmp_path, f"name='own', options={options}, max_work=5, cuda_source='own.cu', passes_over_x=1")
    )
    assert row.options == {"a": [1, 2.5, None, True, {"b": "x"}], "c": [1, 2]}
    assert (row.max_work, row.cuda_source, row.passes_over_x) == (5, "own.cu", 1)
    assert row.module == str(tmp_path / "own.py")
