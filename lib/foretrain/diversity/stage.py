"""How diverse is a dataset, alone and against its original?"""

from __future__ import annotations

from threadpoolctl import threadpool_limits

from foretrain.data.reference import Kind
from foretrain.diversity import rare, semantic, statistical, structural
from foretrain.diversity.draws import Pools
from foretrain.diversity.record import Diversity, LostOrInvented, Measure
from foretrain.diversity.semantic import Encoder
from foretrain.profile import ProfileRef, open_profile
from foretrain.settings import Effort, Settings

_ROWS = {Effort.QUICK: 500, Effort.STANDARD: 1000, Effort.THOROUGH: 2000}
_REPEATS = {Effort.QUICK: 4, Effort.STANDARD: 8, Effort.THOROUGH: 16}
_PAIR_ROWS = 4


def measure(
    candidate: ProfileRef, original: ProfileRef | None, settings: Settings, *, encoder: Encoder | None = None
) -> Diversity:
    """Four families of diversity of the candidate, beside the original's and what a fresh sample of it would show.

    Args:
        candidate: its profile.
        original: the original's profile; without it, the candidate is measured alone.
        settings: seed, effort and diversity.
        encoder: turns texts into vectors for the Vendi score; the one the settings name when not given.

    Raises:
        ModelError: the encoder that the settings name cannot be loaded.
    """
    if encoder is None and settings.diversity.encoder is not None:
        encoder = semantic.sentence_encoder(settings.diversity.encoder)
    with threadpool_limits(limits=1, user_api="blas"):  # threads cost more than these small products
        return _measure(candidate, original, settings, encoder)


def _measure(
    candidate: ProfileRef, original: ProfileRef | None, settings: Settings, encoder: Encoder | None
) -> Diversity:
    rows, repeats, seed = _ROWS[settings.effort], _REPEATS[settings.effort], settings.seed
    mine = open_profile(candidate)
    theirs = open_profile(original) if original is not None else None
    samples = mine.sample(), theirs.sample() if theirs is not None else None
    pools = Pools.of(*samples, rows, repeats, seed, "rows")
    counted, notes = statistical.measures(mine, theirs, pools, seed)
    spread = structural.measures(pools, candidate.dataset.columns, seed)
    if not spread:
        notes.append("Structure was not measured: it needs ten rows of numbers, categories or embeddings.")
    uncommon: list[Measure] = []
    named: list[LostOrInvented] = []
    if theirs is not None:
        wide = Pools.of(*samples, _PAIR_ROWS * rows, repeats, seed, "pairs")
        uncommon, named = rare.measures(mine, theirs, wide, seed)
    else:
        notes.append("Rare values can only be missed against an original.")
    said: list[Measure] = []
    for column in candidate.dataset.columns:
        if column.kind is Kind.TEXT:
            found = semantic.measures(pools, column.name, seed, encoder)
            said += found
            if not found:
                notes.append(f"Texts of {column.name!r} were not measured: too few, or without words.")
    if any(not profile.sample_complete for profile in (mine, theirs) if profile is not None):
        notes.append("Counts and duplicates are over all rows; distances, pairs and texts are of a seeded sample.")
    notes.append(f"Each comparison is of {pools.rows:,} rows a side, repeated {len(pools.draws)} times.")
    return Diversity(
        statistical=tuple(counted),
        structural=tuple(spread),
        rare=tuple(uncommon),
        rare_values=tuple(named),
        semantic=tuple(said),
        duplicate_rows=mine.duplicate_share(),
        copies_of_original=mine.overlap(theirs) if theirs is not None else None,
        notes=tuple(notes),
    )
