"""Which formats are there, and which one is a file in?

Adding a format is a file that fulfils `Format` and one entry in `FORMATS`.
"""

from __future__ import annotations

from foretrain.data.access import Access
from foretrain.data.formats.arrow import ARROW, FEATHER
from foretrain.data.formats.csv import CSV, TSV
from foretrain.data.formats.excel import EXCEL
from foretrain.data.formats.format import Format
from foretrain.data.formats.hdf5 import HDF5
from foretrain.data.formats.json import JSON, JSONL
from foretrain.data.formats.parquet import PARQUET
from foretrain.data.locate import File
from foretrain.errors import DataError

FORMATS: dict[str, Format] = {form.name: form for form in (PARQUET, ARROW, FEATHER, HDF5, EXCEL, JSONL, JSON, TSV, CSV)}
"""By name; in the order in which content is tried."""

_BY_SUFFIX = {suffix: form for form in FORMATS.values() for suffix in form.suffixes}

__all__ = ["FORMATS", "Format", "by_content", "by_name", "by_suffix"]


def by_name(name: str) -> Format:
    """The format that a user names.

    Raises:
        DataError: there is none of that name.
    """
    wanted = name.lower().lstrip(".")
    if wanted in FORMATS:
        return FORMATS[wanted]
    if f".{wanted}" in _BY_SUFFIX:
        return _BY_SUFFIX[f".{wanted}"]
    raise DataError(f"no format is called {name!r}", hint=f"Known ones: {', '.join(sorted(FORMATS))}")


def by_suffix(file: File) -> Format | None:
    return _BY_SUFFIX.get(file.suffix)


def by_content(file: Access) -> Format:
    """The format that a file's first bytes show.

    Raises:
        DataError: the file is empty, or nothing known.
    """
    head = file.head()
    if not head.strip():
        raise DataError("the file is empty", file=file.name)
    for form in FORMATS.values():
        if form.recognises(head):
            return form
    raise DataError(
        "neither its extension nor its content shows a known format",
        file=file.name,
        hint=f"Name it with --format: {', '.join(sorted(FORMATS))}",
    )
