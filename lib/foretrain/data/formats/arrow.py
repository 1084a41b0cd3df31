"""How are Arrow IPC files, Arrow streams and Feather files read?"""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from foretrain.data.access import Access
from foretrain.data.faults import guard
from foretrain.errors import DataError

BATCH_ROWS = 65536
_FILE, _STREAM, _FEATHER1 = b"ARROW1", b"\xff\xff\xff\xff", b"FEA1"


class Arrow:
    """Arrow IPC in its file and stream forms; Feather (version 2) is the same file by another name."""

    untyped = False
    sparse = False

    def __init__(self, name: str, *suffixes: str) -> None:
        self.name, self.suffixes = name, suffixes

    def recognises(self, head: bytes) -> bool:
        return head.startswith((_FILE, _STREAM, _FEATHER1))

    def read(self, file: Access) -> Iterator[pa.RecordBatch]:
        path, head = file.path(), file.head(8)
        if head.startswith(_FEATHER1):
            raise DataError(
                "Feather version 1 is not read any more", file=file.name, hint="Write it again as version 2"
            )
        with guard(file.name, "Arrow IPC"), pa.OSFile(str(path)) as stored:
            if head.startswith(_FILE):
                with pa.ipc.open_file(stored) as reader:
                    yield from _sliced(reader.schema, (reader.get_batch(at) for at in range(reader.num_record_batches)))
            else:
                with pa.ipc.open_stream(stored) as stream:
                    yield from _sliced(stream.schema, stream)


def _sliced(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """At least one batch, none longer than `BATCH_ROWS`."""
    yield pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
    for batch in batches:
        batch.validate(full=True)  # offsets in a damaged file point outside its memory
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield batch.slice(start, BATCH_ROWS)


ARROW = Arrow("arrow", ".arrow", ".ipc", ".arrows")
FEATHER = Arrow("feather", ".feather", ".ftr")
