"""What does a whole validation say, and how is it written down?"""

from __future__ import annotations

import json
import platform
from functools import cache
from importlib.metadata import version
from typing import Any, Literal, Self

from pydantic import ValidationError

from foretrain import storage
from foretrain.cascade.record import Cascade
from foretrain.collapse.record import Collapse
from foretrain.data.reference import DatasetRef
from foretrain.diversity.record import Diversity
from foretrain.errors import DataError
from foretrain.localization.record import Localization
from foretrain.recommendations.record import Mended, Recommendation, Recommendations
from foretrain.record import Record, Score
from foretrain.settings import Settings
from foretrain.signatures.record import Prescreen

SCHEMA_VERSION: Literal["1"] = "1"


LIBRARIES = ("foretrain", "datasketches", "lightgbm", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "torch")
"""What numbers depend on."""


@cache
def versions() -> dict[str, str]:
    """Of foretrain, Python and the libraries that numbers depend on."""
    return {"python": platform.python_version()} | {library: version(library) for library in LIBRARIES}


class Inputs(Record):
    """What was compared."""

    candidate: DatasetRef
    original: DatasetRef | None
    """None where the candidate was looked at alone."""


class Validation(Collapse):
    """The verdict on a candidate dataset, everything it rests on, and all that is needed to reproduce it.

    The collapse stage's result stands at the top level, beside the other stages' results. Equal after a JSON round
    trip; `json_schema` describes the JSON.
    """

    schema_version: Literal["1"] = SCHEMA_VERSION
    """Raised when a reader of the earlier one could misread this."""
    inputs: Inputs
    diversity: Diversity | None
    """None where the stage failed; `failures` says why."""
    prescreen: Prescreen | None = None
    """What it looks like among known failures; None where it was not looked up: `not_run` or `failures` says why."""
    cascade: Cascade | None = None
    """None where no models were trained; `not_run` or `failures` says why."""
    localization: Localization | None = None
    """Which rows are bad; None where the stage failed: `failures` says why."""
    recommendations: Recommendations | None = None
    """Which fixes were tried, and what they changed; None where none were: `not_run` or `failures` says why."""
    failures: dict[str, str] = {}
    """Of stages that the run went on without, the reason."""
    not_run: dict[str, str] = {}
    """Of stages that were not to be run with these settings, the reason."""
    settings: Settings
    timings: dict[str, float]
    """Seconds each stage took to compute, also where it was restored later."""
    versions: dict[str, str]
    """Of foretrain, Python and the libraries that numbers depend on."""

    @property
    def collapse(self) -> Collapse:
        """The collapse stage's part of this record."""
        return self

    @property
    def flagged_rows(self) -> tuple[int, ...]:
        """Places of the flagged rows in the source, the first row of data being 0, surest first; at most 10,000."""
        return self.localization.flagged_rows if self.localization is not None else ()

    def to_dict(self) -> dict[str, Any]:
        """The validation as plain JSON values: what validation.json holds."""
        plain = self.model_dump(mode="json")
        return {"schema_version": plain.pop("schema_version"), **plain}

    def to_json(self) -> str:
        """`to_dict` as text, indented."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read back what `to_json` wrote.

        Raises:
            pydantic.ValidationError: the text is not a validation of this schema version.
        """
        return cls.model_validate_json(text)

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema (draft 2020-12) of validation.json."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **cls.model_json_schema(mode="serialization", by_alias=True),
        }

    def __rich__(self) -> object:
        from foretrain.display import summary

        return summary(self)

    def __repr__(self) -> str:
        from foretrain.display import line

        return f"<Validation {line(self)}>"

    def _repr_html_(self) -> str:
        from foretrain.display import html

        return html(self)


class Fixed(Record):
    """What came of applying recommendations: the promise and the outcome."""

    mended: Mended
    promise: Recommendation | None
    """None where they were not tried together."""
    before: Score
    """Of the candidate."""
    outcome: Validation
    """Of the mended dataset."""


def opened(out: str) -> tuple[str, Validation]:
    """The file and the content of an earlier validation, by its `out` or its validation.json.

    Raises:
        DataError: there is none, or it is of another version.
    """
    file = out if out.endswith(".json") else storage.join(out, "validation.json")
    fs, path, _ = storage.filesystem(file)
    with storage.faults(file):
        there = fs.isfile(path)
    if not there:
        raise DataError("no validation was found", file=file, hint="Name the --out of a foretrain validate")
    try:
        return file, Validation.from_json(storage.read(file))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"this is no validation of this version: {where}: {first['msg']}", file=file) from None
