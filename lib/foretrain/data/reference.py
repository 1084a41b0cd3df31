"""How is a dataset passed between stages without passing its rows?"""

from __future__ import annotations

from enum import StrEnum

from foretrain.record import Record


class Kind(StrEnum):
    """What a column means. The kind decides how it is profiled, compared and scored.

    Canonical Arrow type of each kind, as every reader of a `DatasetRef` meets it:
    """

    NUMERIC = "numeric"  # float64
    INTEGER = "integer"  # int64
    BOOLEAN = "boolean"  # bool
    CATEGORICAL = "categorical"  # string
    ORDINAL = "ordinal"  # string, order in Column.levels
    DATETIME = "datetime"  # timestamp[us]
    DURATION = "duration"  # duration[us]
    TEXT = "text"  # string
    IDENTIFIER = "identifier"  # string
    EMBEDDING = "embedding"  # fixed_size_list<float32>[width]


class Column(Record):
    """One column of a dataset, after nested ones were flattened to dotted names."""

    name: str
    kind: Kind
    source_type: str
    """The type the source declared or the reader found, in Arrow's words."""
    width: int = 1
    """Values a row; above 1 for embeddings only."""
    levels: tuple[str, ...] | None = None
    """Of an ordinal column, its levels from lowest to highest."""


class DatasetRef(Record):
    """A dataset by reference: where it is, what it holds, and a fingerprint that changes when its content does."""

    name: str
    """Short, for people: the file's or folder's stem."""
    uri: str
    """What the user gave (credentials removed); "memory" for a table given from Python."""
    table: str
    """URL of the canonical Parquet file or folder: what stages open."""
    format: str
    """Format of the source: parquet, csv, ..."""
    columns: tuple[Column, ...]
    rows: int
    bytes: int
    """Size of the source as stored."""
    fingerprint: str
    """SHA-256 over the source's content and the schema it was read with, in hexadecimal."""

    @property
    def kinds(self) -> dict[str, Kind]:
        return {column.name: column.kind for column in self.columns}
