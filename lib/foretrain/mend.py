"""How does a recommendation become a dataset?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from foretrain import storage
from foretrain.data.canonical import canonical_schema
from foretrain.data.faults import guard
from foretrain.data.reference import DatasetRef, Kind
from foretrain.errors import DataError, SettingsError
from foretrain.localization.copies import hashes
from foretrain.recommendations.apply import taken, to_dataset
from foretrain.recommendations.fixes import restored
from foretrain.recommendations.record import Action, Mended
from foretrain.recommendations.scene import batches, content, donors, read
from foretrain.record import NotRun

if TYPE_CHECKING:
    from foretrain.validation import Validation

_GROUP_ROWS = 131_072


def chosen(plan: Validation, ids: Sequence[str]) -> tuple[Action, ...]:
    """The actions of these recommendations, one after the other.

    Raises:
        DataError: the validation has no recommendations, or not these.
    """
    found = plan.recommendations
    if found is None:
        why = plan.not_run.get("recommendations") or plan.failures.get("recommendations") or "it is of an earlier time"
        raise DataError(f"this validation has no recommendations: {why}")
    actions: list[Action] = []
    for id_ in ids:
        each = found.named(id_)
        if each is None:
            near = ", ".join(other.id for other in found.found)
            raise DataError(f"this validation has no recommendation {id_}", hint=f"It has {near or 'none'}")
        actions += each.actions
    return tuple(actions)


def mend(
    plan: Validation,
    actions: Sequence[Action],
    candidate: DatasetRef,
    original: DatasetRef,
    out: str,
    held_out: str,
    new: DatasetRef | None = None,
) -> Mended:
    """Write the candidate as the actions leave it, whole or not at all.

    What the actions learn, they learn from the samples that they were tried on.

    Args:
        plan: the validation that recommended them.
        actions: see `chosen`.
        candidate: the dataset that was validated.
        original: what it was validated against.
        out: path or URL; .parquet, .csv or .arrow.
        held_out: path or URL, .parquet, for the rows of the original that no action has seen.
        new: newly collected real rows, which an action that collects some takes.

    Raises:
        DataError: a dataset is not the one that was validated, or nothing is left.
        SettingsError: `out` has another ending, or an action that collects rows was given none.
        ResourceError: the flagged rows that the plan names are gone.
    """
    write = _writer(out)
    for ref, known in ((candidate, plan.inputs.candidate), (original, plan.inputs.original)):
        if known is None or ref.fingerprint != known.fingerprint:
            raise DataError("this is not the dataset that was validated", file=ref.uri, hint="Validate it again")
    fixes = sorted((restored(action) for action in actions), key=lambda fix: fix.order)
    collects = any(fix.collects for fix in fixes)
    if collects and new is None:
        raise SettingsError(
            "this fix adds newly collected real rows, and none were given", hint="Name them with --real"
        )
    settings = plan.settings
    scene = read(candidate, original, plan.localization or NotRun(reason="it failed"), settings.target, settings.seed)
    kept = [fix for fix in fixes if not fix.collects]
    edits = [(fix.fit(scene), fix.collects) for fix in fixes]

    def tables() -> Iterable[pa.Table]:
        yield from to_dataset([edit for edit, collected in edits if not collected], scene, candidate, original)
        for edit, collected in edits:
            if collected and new is not None and edit.real is not None:
                yield from taken(edit.real, scene, new, new=True)

    schema = canonical_schema(original.columns)
    rows = write(tables(), schema, out)
    if not rows:
        raise DataError("nothing would be left of the candidate", file=candidate.uri)
    apart = any(fix.sees_original for fix in kept)
    if apart:
        compared = content(original.columns)
        others = (
            batch.table.filter(pa.array(~donors(hashes(batch.table, compared), original, settings.seed)))
            for batch in batches(original, original.columns)
        )
        _parquet(others, schema, held_out)
    return Mended(dataset=out, rows=rows, held_out=held_out if apart else None)


_Write = Callable[[Iterable[pa.Table], pa.Schema, str], int]


def _writer(out: str) -> _Write:
    ending = out.rsplit("/", 1)[-1].rsplit(".", 1)[-1].lower()
    if ending not in _WRITERS:
        raise SettingsError(f"expected a file that ends in .{', .'.join(_WRITERS)}", file=out)
    return _WRITERS[ending]


def _parquet(tables: Iterable[pa.Table], schema: pa.Schema, out: str) -> int:
    return _written(tables, out, lambda path: pq.ParquetWriter(path, schema, compression="zstd"), schema)


def _csv(tables: Iterable[pa.Table], schema: pa.Schema, out: str) -> int:
    lists = [field.name for field in schema if pa.types.is_fixed_size_list(field.type)]
    if lists:
        raise SettingsError(f"CSV cannot hold a column of kind {Kind.EMBEDDING}", file=out, column=lists[0])
    return _written(tables, out, lambda path: pyarrow.csv.CSVWriter(path, schema), schema)


def _arrow(tables: Iterable[pa.Table], schema: pa.Schema, out: str) -> int:
    return _written(tables, out, lambda path: pa.ipc.new_file(path, schema), schema)


_WRITERS: dict[str, _Write] = {"parquet": _parquet, "csv": _csv, "arrow": _arrow}


def _written(tables: Iterable[pa.Table], out: str, opened: Callable[[str], Any], schema: pa.Schema) -> int:
    """Rows written, in groups of a size that reads well; under the final name once they are whole."""
    rows = 0
    with storage.unfinished(out) as path, guard(out):
        with opened(str(path)) as writer:
            group: list[pa.Table] = []
            for table in tables:
                if not table.num_rows:
                    continue
                rows += table.num_rows
                group.append(table.select(schema.names).cast(schema))
                if sum(part.num_rows for part in group) >= _GROUP_ROWS:
                    writer.write_table(pa.concat_tables(group))
                    group = []
            if group:
                writer.write_table(pa.concat_tables(group))
        if not rows:
            Path(path).unlink()
    return rows
