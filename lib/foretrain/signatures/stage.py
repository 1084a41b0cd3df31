"""What does a candidate look like among known failures?"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

from foretrain.collapse.rows import sample
from foretrain.signatures import seed, sentences, vectors
from foretrain.signatures.collection import Collection
from foretrain.signatures.embedding import VERSION, embed
from foretrain.signatures.library import Library
from foretrain.signatures.prescreen import Known
from foretrain.signatures.record import Prescreen

if TYPE_CHECKING:
    from foretrain.checkpoint import Folder
    from foretrain.profile import ProfileRef
    from foretrain.settings import Settings, SignatureSettings

VECTOR = "signature.safetensors"


def screen(candidate: ProfileRef, original: ProfileRef, settings: Settings, folder: Folder) -> Prescreen:
    """Embed a candidate against its original, and look it up among the known signatures.

    Args:
        candidate: profiled with the same settings as the original; 20 rows at least.
        original: what it is held against; as many.
        settings: reads seed, target and signatures.
        folder: takes the embedding.

    Raises:
        DataError: the user's library is damaged or of another embedding version.
        ResourceError: the user's library cannot be read.
    """
    rows = sample(candidate, original, settings.target, settings.seed)
    with threadpool_limits(1, user_api="blas"):  # matrices are small: more threads cost more than they give
        vector = embed(rows.candidate, rows.original, settings.seed)
    vectors.write(str(folder.path(VECTOR)), vector[None, :])
    pair = "-".join(ref.dataset.fingerprint[:16] for ref in (candidate, original))
    library = known(settings.signatures, besides=pair)
    found = library.look(vector)
    return Prescreen(
        matches=found.matches,
        mechanisms=found.mechanisms,
        generations=found.generations,
        prior=found.prior,
        novelty=found.novelty,
        novel=found.novel,
        cluster=found.cluster,
        sentence=sentences.sentence(found, len(library)),
        library=len(library),
        version=VERSION,
        pair=pair,
        vector=folder.url(VECTOR),
        notes=rows.notes,
    )


def known(settings: SignatureSettings, besides: str = "") -> Known:
    """The shipped signatures and the user's.

    Args:
        settings: where the user's library is.
        besides: id of the one signature that is left out: a candidate is not told that it is like itself.
    """
    if not Library.exists(settings):
        return _shipped()
    shipped, fitted = seed.load()
    own = Library.of(settings).read()
    votes = [k for k, s in enumerate(own.signatures) if s.collapsed is not None and s.id != besides]
    others = [k for k, s in enumerate(own.signatures) if s.collapsed is None and s.id != besides]
    return Known(shipped + own.pick(votes), own.pick(others), fitted)


@cache
def _shipped() -> Known:
    shipped, fitted = seed.load()
    return Known(shipped, Collection.empty(), fitted)
