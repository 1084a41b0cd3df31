"""How are edits applied: to a sample, and to a whole dataset as it streams by?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from foretrain.data.reference import DatasetRef
from foretrain.localization.copies import hashes
from foretrain.profile.hashing import Hashes, mix
from foretrain.recommendations.edit import BLOCK, Edit, Flags, Rows, Wanted
from foretrain.recommendations.scene import Scene, batches, content, donors
from foretrain.seeds import number


@dataclass(frozen=True)
class Applied:
    """A sample after some edits, and what that means for the whole dataset.

    Attributes:
        table: the rows.
        rows: of the whole result, about.
        rows_lost: of the whole candidate, about.
        rows_changed: the same.
        real_rows: that the whole result holds, about.
        seconds: that the whole takes, about.
    """

    table: pa.Table
    rows: int
    rows_lost: int
    rows_changed: int
    real_rows: int
    seconds: float


def to_sample(edits: Sequence[Edit], scene: Scene) -> Applied:
    """The scene's sample as the edits leave it; real rows in the proportion that they have in the whole."""
    began = time.process_time()
    first = scene.candidate
    regenerated = next((edit.made for edit in edits if edit.made is not None), None)
    if regenerated is not None:
        first = Rows(pa.concat_tables(_generated(regenerated, len(first))), np.arange(len(first)))
    kept = _changed(edits, first)
    lost = changed = 0
    if regenerated is None:
        lost = len(first) - len(kept)
        compared = content(scene.columns)
        changed = int((hashes(kept.table, compared) != scene.contents[kept.place]).sum()) if len(kept) else 0
    else:
        lost = len(first)
    parts, real = [kept.table], 0
    for wanted in [edit.real for edit in edits if edit.real is not None]:
        suitable = scene.donors if wanted.which is None else scene.donors.filter(pa.array(wanted.which(scene.donors)))
        share = scene.donors.num_rows / max(scene.donor_rows, 1)
        whole = min(wanted.rows, round(suitable.num_rows / share) if share else 0)
        some = min(round(whole * scene.rate), suitable.num_rows)
        if whole * scene.rate > suitable.num_rows:
            # the sample holds too few of them: less of the rest keeps the proportions
            stay = suitable.num_rows / (whole * scene.rate)
            parts = [part.filter(pa.array(_chances(part, scene) < stay)) for part in parts]
        order = np.argsort(_order(hashes(suitable, content(scene.columns)), scene.seed), kind="stable")
        parts.append(suitable.take(pa.array(order[:some])))
        real += whole
    scale = 1 / max(scene.rate, 1e-12)
    seconds = (time.process_time() - began) * scale
    rows = round(len(kept) * scale) + real
    return Applied(pa.concat_tables(parts), rows, round(lost * scale), round(changed * scale), real, seconds)


def to_dataset(edits: Sequence[Edit], scene: Scene, candidate: DatasetRef, real: DatasetRef) -> Iterator[pa.Table]:
    """The whole candidate as the edits leave it, then the real rows, batch by batch.

    Args:
        edits: in the order in which they apply.
        scene: what they were fitted on.
        candidate: the dataset to be mended.
        real: the original, of which the donors may be taken.
    """
    regenerated = next((edit.made for edit in edits if edit.made is not None), None)
    if regenerated is None:
        for batch in batches(candidate, scene.columns):
            yield _changed(edits, batch).table
    else:
        yield from _generated(regenerated, candidate.rows)
    for wanted in [edit.real for edit in edits if edit.real is not None]:
        yield from taken(wanted, scene, real)


def _changed(edits: Sequence[Edit], rows: Rows) -> Rows:
    for edit in edits:
        if edit.change is not None and len(rows):
            rows = edit.change(rows)
    return rows


def _generated(made: object, rows: int) -> Iterator[pa.Table]:
    assert callable(made)
    for block, first in enumerate(range(0, rows, BLOCK)):
        yield made(min(BLOCK, rows - first), block)


def taken(wanted: Wanted, scene: Scene, real: DatasetRef, *, new: bool = False) -> Iterator[pa.Table]:
    """The suitable rows whose contents come first in a seeded order, so many as are wanted.

    Args:
        wanted: which, and how many.
        scene: tells the donors.
        real: where they are taken from.
        new: whether these are new ones, all of which may be taken; else only the donors are.
    """
    compared = content(scene.columns)

    def suitable(table: pa.Table) -> tuple[Flags, Hashes]:
        found = hashes(table, compared)
        these = np.ones(table.num_rows, dtype=np.bool_) if new else donors(found, real, scene.seed)
        if wanted.which is not None:
            these &= wanted.which(table)
        return these, _order(found, scene.seed)

    orders = [np.empty(0, np.uint64)]
    for batch in batches(real, scene.columns):
        these, order = suitable(batch.table)
        orders.append(order[these])
    every = np.concatenate(orders)
    if not len(every) or not wanted.rows:
        return
    last = np.partition(every, min(wanted.rows, len(every)) - 1)[min(wanted.rows, len(every)) - 1]
    left = wanted.rows
    for batch in batches(real, scene.columns):
        these, order = suitable(batch.table)
        these &= order <= last
        table = batch.table.filter(pa.array(these))[:left]
        left -= table.num_rows
        yield table


def _order(contents: Hashes, seed: int) -> Hashes:
    return mix(contents + np.uint64(number(seed, "recommendations", "order")))


def _chances(table: pa.Table, scene: Scene) -> np.ndarray:
    return np.asarray((_order(hashes(table, content(scene.columns)), scene.seed) >> np.uint64(11)) * 2.0**-53)
