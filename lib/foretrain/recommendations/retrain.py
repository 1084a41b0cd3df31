"""Do models lose less, too, after a fix? Boosted trees, the cascade's cheapest, are trained on the mended sample."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import pyarrow as pa

from foretrain.cascade import cheapest
from foretrain.cascade.record import Difference
from foretrain.checkpoint import LocalFolder
from foretrain.data import load
from foretrain.data.reference import DatasetRef
from foretrain.profile import ProfileRef, profile
from foretrain.recommendations.record import Change
from foretrain.settings import Settings


class Retraining:
    """Trains on samples, judged by rows of the original that no fix has seen.

    Args:
        original: the dataset whose kinds all samples have.
        before: sample of the candidate.
        real: rows of the original that no fix has seen.
        settings: reads seed, effort, target and cascade.
    """

    def __init__(self, original: DatasetRef, before: pa.Table, real: pa.Table, settings: Settings) -> None:
        self.original, self.before, self.real, self.settings = original, before, real, settings
        self.at_first = cache(lambda: self._harm(self.before))

    def change(self, after: pa.Table) -> Change | None:
        """Share of what can be learned that is lost, after less before; None where models could not tell.

        The interval is wider than it need be: both ends are taken for independent.

        Raises:
            DataError: there is nothing to learn.
        """
        one, other = self.at_first(), self._harm(after)
        if one is None or other is None:
            return None
        value = other.share - one.share
        down = ((other.share - other.share_interval[0]) ** 2 + (one.share_interval[1] - one.share) ** 2) ** 0.5
        up = ((other.share_interval[1] - other.share) ** 2 + (one.share - one.share_interval[0]) ** 2) ** 0.5
        return Change(value=value, interval=(value - down, value + up))

    def _harm(self, candidate: pa.Table) -> Difference | None:
        with tempfile.TemporaryDirectory(prefix="foretrain-") as root:
            made, real = (
                self._profiled(rows, Path(root) / name) for rows, name in ((candidate, "made"), (self.real, "real"))
            )
            return cheapest.harm(made, real, self.settings)

    def _profiled(self, rows: pa.Table, root: Path) -> ProfileRef:
        ref = load(rows, self.settings, LocalFolder(root / "data"), like=self.original, name=root.name)
        return profile(ref, self.settings, LocalFolder(root / "profile"))
