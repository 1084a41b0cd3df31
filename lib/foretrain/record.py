"""What is a record: the frozen, JSON-proof result that one stage hands to the next?"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Interval = tuple[float, float]
"""Lower and upper end of a 90 % interval, in the unit of what it surrounds."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A part of a whole, 0 to 1."""

Score = Annotated[float, Field(ge=0.0, le=100.0)]
"""0 to 100; 100 is as good as a fresh sample of the original."""

Role = Literal["candidate", "original"]


class Record(BaseModel):
    """Base of everything a stage returns: frozen, strict about its fields, equal after a JSON round trip.

    Tables are never held in a record: they are named by URL.
    Non-finite numbers are refused, since JSON has none: "could not measure" is None, with a reason.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
    )


class NotRun(Record):
    """What the stages after it are given in place of the record of a stage that was not run, or failed."""

    reason: str
    """In words that can follow "not measured: "."""
