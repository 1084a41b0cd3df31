"""Which rows of the candidate are bad, how sure is that, and why?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

from foretrain.cascade.record import Cascade
from foretrain.collapse.rows import expand, readable
from foretrain.collapse.statistics.models import auc
from foretrain.collapse.table import Floats
from foretrain.data import open_batches
from foretrain.data.reference import Column, Kind
from foretrain.errors import DataError, ResourceError
from foretrain.localization import explain, groups
from foretrain.localization.abstain import abstention
from foretrain.localization.copies import Counts, hashes
from foretrain.localization.evidence import Side
from foretrain.localization.features import Features
from foretrain.localization.record import Localization, Mechanism
from foretrain.localization.scorer import Scorer, Tables
from foretrain.localization.worst import BLAMED, KEPT, Rows, Worst
from foretrain.profile import ProfileRef, read_sample
from foretrain.progress import Advance, advance
from foretrain.record import NotRun
from foretrain.seeds import stream
from foretrain.settings import Settings

if TYPE_CHECKING:
    from foretrain.checkpoint import Folder
    from foretrain.localization.influence import Influence

NO_CASCADE = NotRun(reason="no models were trained")

TABLE = "rows.parquet"

TOP, LISTED = 100, 10_000
"""Flagged rows explained in the record, and listed in it, at most."""

MOST_ROWS = 20_000
"""Rows of a table's sample that say what is usual."""

BATCH_ROWS = 32_768


def localize(
    candidate: ProfileRef,
    original: ProfileRef | None,
    settings: Settings,
    folder: Folder,
    cascade: Cascade | NotRun = NO_CASCADE,
) -> Localization:
    """Score every row of the candidate: models are fitted on samples, then all rows pass by in batches.

    Memory: 16 bytes a different row of both tables for their copies, and a bounded rest.

    Args:
        candidate: its profile.
        original: the original's profile; without it only copies within the candidate can be told.
        settings: reads seed, effort, target, cascade and localization.
        folder: takes rows.parquet.
        cascade: of the same two; its nets say which rows harm them.

    Raises:
        DataError: a source is gone, or is not what it was.
        StorageError: storage did not answer.
    """
    import faiss  # noqa: F401  loaded before, so that its threads are limited too

    with ExitStack() as one_thread:  # more cost more than these small products, and round in other places
        one_thread.enter_context(threadpool_limits(limits=1))
        if not isinstance(cascade, NotRun):
            from foretrain.cascade.training.devices import threads

            one_thread.enter_context(threads(1))
        return _localize(candidate, original, settings, folder, cascade)


def _localize(
    candidate: ProfileRef,
    original: ProfileRef | None,
    settings: Settings,
    folder: Folder,
    cascade: Cascade | NotRun,
) -> Localization:
    advance(Advance(0.0, "counting copies"))
    known = (original or candidate).dataset.columns
    content = [column for column in known if column.kind is not Kind.IDENTIFIER] or list(known)
    columns, drawn_from = readable(known, settings.target, settings.seed)
    tables = Tables(_counts(candidate, content), _counts(original, content))
    both = (("original", original), ("candidate", candidate))
    samples = [_sample(ref, role, settings.seed) for role, ref in both if ref is not None]
    features = Features.of(columns, samples, settings.target)
    influence, absent = _nets(cascade, candidate, original, settings)
    *real, made = [_side(rows, features, content, influence) for rows in samples]
    advance(Advance(0.1, "learning what is usual"))
    scorer = Scorer.fit(made, real[0] if real else None, features, tables, settings.seed, settings.effort, influence)
    seen = scorer.candidate
    worst, expected = Worst(), 0.0
    for first, side in _sides(candidate, features, content, influence):
        advance(Advance(0.5 + 0.5 * first / max(candidate.rows, 1), "scoring rows"))
        found = scorer.read(side)
        expected += float(found.confidence.sum())
        worst.update(explain.described(scorer, side, found, first))
    kept = worst.rows()
    at = settings.localization.flag_at
    ability = _ability(seen, scorer.original)
    why = abstention(kept, seen, scorer.original, ability, at)
    return _record(candidate, scorer, kept, why, expected, ability, at, folder).model_copy(
        update={
            "nets": influence is not None and scorer.judge is not None,
            "notes": (*_notes(candidate, original, scorer, drawn_from), *absent),
        }
    )


def _nets(
    cascade: Cascade | NotRun, candidate: ProfileRef, original: ProfileRef | None, settings: Settings
) -> tuple[Influence | None, tuple[str, ...]]:
    """The cascade's nets, or a note on why they are not asked which rows harm them."""
    if original is None:
        return None, ()
    why = cascade.reason if isinstance(cascade, NotRun) else "it kept no net of a table with a target and without texts"
    found = None
    if isinstance(cascade, Cascade):
        from foretrain.localization.influence import Influence

        try:
            found = Influence.of(cascade, candidate, original, settings)
        except (DataError, ResourceError) as error:
            why = str(error)
    return found, () if found else (f"The cascade's nets were not asked which rows harm them: {why}.",)


def _counts(ref: ProfileRef | None, columns: Sequence[Column]) -> Counts:
    if ref is None:
        return Counts.of([])
    names = [column.name for column in columns]
    return Counts.of(hashes(batch, columns) for batch in open_batches(ref.dataset, names, BATCH_ROWS, encoded=True))


def _sample(ref: ProfileRef, role: str, seed: int) -> pa.Table:
    """The profile's sample, each row as often as it occurs."""
    return expand(read_sample(ref), MOST_ROWS, stream(seed, "localization", "sample", role))


def _side(
    rows: pa.Table | pa.RecordBatch, features: Features, content: Sequence[Column], influence: Influence | None
) -> Side:
    nets = None if influence is None else influence.read(rows)
    return Side(features.read(rows), hashes(rows, content), nets)


def _sides(
    ref: ProfileRef, features: Features, content: Sequence[Column], influence: Influence | None
) -> Iterator[tuple[int, Side]]:
    """The candidate's rows batch by batch, each with the place of its first row."""
    first = 0
    names = list(dict.fromkeys([c.name for c in content] + [c.name for c in features.columns]))
    for batch in open_batches(ref.dataset, names, BATCH_ROWS, encoded=True):
        yield first, _side(pa.Table.from_batches([batch]), features, content, influence)
        first += batch.num_rows


def _ability(made: Floats, real: Floats) -> float | None:
    """Area under the ROC curve of the rows' confidence, candidate against original; None without an original."""
    if not len(real):
        return None
    return auc(np.concatenate([made, real]), np.arange(len(made) + len(real)) < len(made))


def _record(
    candidate: ProfileRef,
    scorer: Scorer,
    kept: Rows,
    why: str | None,
    expected: float,
    ability: float | None,
    at: float,
    folder: Folder,
) -> Localization:
    mechanisms = scorer.mechanisms
    _write(kept, mechanisms, scorer.features, folder)
    flagged = kept.take(np.flatnonzero(kept.confidence >= at) if why is None else np.empty(0, int))
    counted = Counter(mechanisms[place] for place in flagged.mechanism)
    return Localization(
        rows=candidate.rows,
        flagged=len(flagged),
        flag_at=at,
        expected_bad=round(expected, 6),
        auc=ability,
        flagged_of_original=float((scorer.original >= at).mean()) if len(scorer.original) else None,
        abstained=why,
        by_mechanism=dict(sorted(counted.items(), key=lambda item: (-item[1], item[0]))),
        groups=groups.groups(flagged, mechanisms, scorer.features),
        top=explain.rows(flagged.take(np.arange(min(TOP, len(flagged)))), mechanisms, scorer.features),
        importance=groups.importance(flagged, scorer.features),
        table=folder.url(TABLE),
        table_rows=len(kept),
        flagged_rows=tuple(flagged.row[:LISTED].tolist()),
    )


def _write(kept: Rows, mechanisms: Sequence[Mechanism], features: Features, folder: Folder) -> None:
    """rows.parquet: every row that was kept, surest first."""
    names = np.array([feature.name for feature in features.features] + [""], dtype=object)
    arrays = {
        "row": pa.array(kept.row, pa.int64()),
        "confidence": pa.array(kept.confidence, pa.float64()),
        "looks_synthetic": pa.array(kept.axes[:, 0], pa.float64()),
        "does_harm": pa.array(kept.axes[:, 1], pa.float64()),
        "mechanism": pa.array([mechanisms[place] for place in kept.mechanism], pa.string()),
        "copies": pa.array(kept.times, pa.int64()),
        "in_original": pa.array(kept.other, pa.int64()),
    }
    for k in range(BLAMED):
        known = kept.columns[:, k] >= 0
        named = names[kept.columns[:, k]]
        odds: Floats = np.exp(np.minimum(kept.weights[:, k], 27.0))
        arrays[f"column_{k + 1}"] = pa.array(np.where(known, named, None), pa.string())
        arrays[f"one_in_{k + 1}"] = pa.array(np.where(known, odds, np.nan), pa.float64(), from_pandas=True)
    pq.write_table(pa.table(arrays), folder.path(TABLE), compression="zstd")


def _notes(candidate: ProfileRef, original: ProfileRef | None, scorer: Scorer, drawn_from: int) -> tuple[str, ...]:
    notes = []
    if original is None:
        notes.append("Without an original only copies within the candidate can be told.")
    elif scorer.judge is None:
        notes.append(
            "Only copies were looked for: there are too few different rows, or no column that a model could read."
        )
    for name, ref in (("candidate", candidate), ("original", original)):
        if ref is not None and not ref.sample_complete:
            notes.append(f"What is usual was learned from a sample of the {name}; copies are counted over all rows.")
    if drawn_from:
        notes.append(f"Of {drawn_from:,} columns, {len(scorer.features.columns):,} were read, drawn by the seed.")
    if candidate.rows > KEPT:
        notes.append(f"Every row was scored; {TABLE} holds the {KEPT:,} surest.")
    return tuple(notes)
