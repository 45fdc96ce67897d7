"""What single values of a record may be. Numbers have bounds far beyond anything measured."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

Name = Annotated[str, Meta(min_length=1, max_length=255)]  # of a row, a library, a file of data
Word = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_.+-]{1,60}\Z")]  # becomes part of a file's name
Plan = Annotated[str, Meta(max_length=800)]  # how a row goes about a case, in its own words
Count = Annotated[int, Meta(ge=1, le=2**40)]
Ordinal = Annotated[int, Meta(ge=0, le=2**31)]
Amount = Annotated[int, Meta(ge=0, le=2**62)]  # of bytes or operations
Seconds = Annotated[float, Meta(ge=1e-15, le=1e9)]  # of one operation
Duration = Annotated[float, Meta(ge=0, le=1e9)]  # in seconds, of what may take none
InBounds = Annotated[float, Meta(ge=0, le=1e30)]  # an error, in units of its bound
Rate = Annotated[float, Meta(ge=1e-9, le=1e12)]
Busy = Annotated[float, Meta(ge=0, le=2**20)]  # processors
Relative = Annotated[float, Meta(ge=0, le=1e9)]  # a change, as a share of what changed
Fraction = Annotated[float, Meta(ge=0, le=1)]  # of a whole
Share = Annotated[float, Meta(ge=-1e6, le=1e6)]
Told = dict[str, Any]  # shown as it is, or passed on
