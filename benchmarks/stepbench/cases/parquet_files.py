"""Parquet files, with all their columns: what pandas made an index of is still there, and decimals are numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepbench.cases.data_frame import NAMELESS_FIRST, Frame, is_nameless, named_index, require_names, without_index
from stepbench.cases.data_table import Table
from stepbench.cases.file_names import shown_name
from stepbench.cases.free_memory import require_memory
from stepbench.cases.reading import Reading
from stepkernels.problem import ProblemError

if TYPE_CHECKING:
    import pandas as pd

Level = str | dict[str, Any]  # of an index: the column it is stored as, or where it counts from and to

NAMELESS_INDEX = re.compile(r"__index_level_\d+__")  # as pandas writes an index without a name


def read_parquet(path: Path, reading: Reading) -> Table:
    require_pyarrow()
    from pyarrow.parquet import ParquetFile

    with path.open("rb") as stream, ParquetFile(stream) as file:
        schema = file.schema_arrow
        require_names(shown_name(path), schema.names)
        require_memory(shown_name(path), file.metadata.num_rows, len(schema.names), reading.copies)
        frame = frame_of(file.read())
    levels = (schema.pandas_metadata or {}).get("index_columns", [])
    frame = frame.assign(**counted_index(levels, len(frame)))
    index = {column: called(column) for level in levels if (column := name_of(level)) in frame}
    others = [column for column in frame.columns if column not in index]
    index |= {column: NAMELESS_FIRST for column in others[:1] if is_nameless(column)}
    others = [column for column in others if column not in index]
    frame, notes = without_index(frame[[*index, *others]], shown_name(path), index, reading.keep_index)
    return Frame(shown_name(path), frame, notes=notes)


def require_pyarrow() -> None:
    """Raise `ProblemError` where it is not installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise ProblemError("Parquet files are read with pyarrow; python -m pip install pyarrow") from None


def frame_of(table: Any) -> pd.DataFrame:
    """An Arrow table as pandas has it, decimals and dictionaries as the numbers or texts that they stand for."""
    import pyarrow.types as kinds

    for place, field in enumerate(table.schema):
        column = table.column(place)
        if kinds.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if kinds.is_decimal(column.type):
            column = column.cast("float64")
        if column.type != field.type:
            table = table.set_column(place, field.name, column)
    return table.to_pandas(ignore_metadata=True)


def counted_index(levels: Iterable[Level], rows: int) -> dict[str, range]:
    """The values of an index that has a name and even steps: pandas stores its ends alone."""
    return {
        level["name"]: steps
        for level in levels
        if isinstance(level, dict) and level["name"] is not None
        if len(steps := range(level["start"], level["stop"], level["step"])) == rows
    }


def name_of(level: Level) -> str:
    return level if isinstance(level, str) else level["name"] or ""


def called(column: str) -> str:
    """An index in a sentence."""
    return "the pandas index, which has no name," if NAMELESS_INDEX.fullmatch(column) else named_index(column)
