"""What do measured departures mean: how likely is collapse, how large the damage?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from foretrain.collapse.features import LOSSES, features, row
from foretrain.collapse.forest import Forest
from foretrain.collapse.pairing import Paired, half_samples
from foretrain.collapse.record import ErrorRates
from foretrain.collapse.table import Floats
from foretrain.errors import InternalError
from foretrain.record import Interval
from foretrain.seeds import stream

Curves = dict[str, Floats]

COUNTED = 0.95
"""Least probability of collapse where a harm was counted over all rows."""

DRAWS = 40
"""Half-samples of repeats behind an interval."""


@dataclass(frozen=True)
class Judgement:
    """What the calibration says of one comparison.

    Attributes:
        probability: of collapse, 0 to 1, with its 90 % interval.
        damage: expected share of utility or diversity lost, 0 to 1, with its 90 % interval.
        generations: of self-consumption that do the same damage.
    """

    probability: float
    probability_interval: Interval
    damage: float
    damage_interval: Interval
    generations: float


@dataclass(frozen=True)
class Calibration:
    """A fitted calibration.

    Attributes:
        version: changes with the training pairs, the features or the fit.
        names: features, in the order the forests read them.
        alone_names: the same of a table without an original.
        collapse, damage, alone: forests over the features.
        scales: by number of repeats, slope and offset on the log odds of `collapse`, so that probabilities are
            frequencies among the calibration's tables.
        residual: predicted damage, and the 5th and 95th percentile of the true damage there; columns of (points, 3).
        generations: damage after so many generations of the project's loops, (points, 2), both rising.
        curves: by statistic, the loss that goes with a departure from a fresh sample: (departure, loss) points.
        caution: (sizes, 2): tables of at most so many rows are rejected from this probability on, so that few fresh
            samples of that size are (see `fit.FALSE_ALARMS`); rising rows, falling probabilities.
        error_rates: measured leave-one-dataset-out.
    """

    version: str
    names: tuple[str, ...]
    alone_names: tuple[str, ...]
    collapse: Forest
    damage: Forest
    alone: Forest
    scales: dict[int, tuple[float, float]]
    residual: Floats
    generations: Floats
    curves: Curves
    caution: Floats
    error_rates: ErrorRates | None

    def judge(self, paired: Paired, seed: int, repeated: float = 0.0) -> Judgement:
        """Probability and damage, with intervals over the repeats (and, for damage, over the calibration's misses).

        Args:
            paired: the comparison.
            seed: the run's seed.
            repeated: share of rows that repeat others beyond the usual, counted over all rows. Where it is a harm by
                the definition of the calibration's labels, it is one here, whatever a sample shows.
        """
        odds, damage = self.draws(paired, seed, repeated)
        low, high = (float(np.interp(damage[0], self.residual[:, 0], self.residual[:, k])) for k in (1, 2))
        return Judgement(
            float(odds[0]),
            _around(float(odds[0]), np.quantile(odds[1:], [0.05, 0.95])),
            float(damage[0]),
            _around(float(damage[0]), np.asarray([low, high])),
            float(np.interp(damage[0], self.generations[:, 1], self.generations[:, 0])),
        )

    def draws(self, paired: Paired, seed: int, repeated: float = 0.0) -> tuple[Floats, Floats]:
        """Probability and damage by all repeats, then by each half-sample of them, (1 + `DRAWS`,) each.

        Comparisons with the same original, seed and number of repeats are cut into the same half-samples, so that
        their differences can be taken draw by draw. The arguments are those of `judge`.
        """
        rows = [row(features(paired), self.names)]
        chance = stream(seed, "collapse", "judge")
        rows += [
            row(features(paired.pick(pick)), self.names) for pick in half_samples(len(paired.fresh), DRAWS, chance)
        ]
        matrix = np.vstack(rows)
        odds = self.probability(self.collapse.predict(matrix), len(paired.fresh))
        damage = np.clip(self.damage.predict(matrix), 0, 1)
        if repeated >= LOSSES["all_repeats"].limit:
            odds, damage = np.maximum(odds, COUNTED), np.maximum(damage, min(repeated, 1.0))
        return odds, damage

    def least(self, rows: int) -> float:
        """The least probability at which a table of so many rows is rejected, however low the user has set it."""
        known = self.caution[self.caution[:, 0] >= rows]
        return float(known[0, 1]) if len(known) else 0.0

    def alone_probability(self, found: dict[str, float]) -> float:
        """Probability of collapse by the signs inside one table."""
        return float(self.alone.predict(row(found, self.alone_names)[None, :])[0])

    def probability(self, vote: Floats, repeats: int) -> Floats:
        """Share of trees that say collapsed, as a probability; by the scale of at most so many repeats."""
        slope, offset = self.scales[max([r for r in self.scales if r <= repeats], default=min(self.scales))]
        vote = np.clip(vote, 1e-3, 1 - 1e-3)
        return np.asarray(1 / (1 + np.exp(-(slope * np.log(vote / (1 - vote)) + offset))))


def _around(value: float, ends: Floats) -> Interval:
    return min(value, float(ends[0])), max(value, float(ends[1]))


@cache
def load() -> Calibration:
    """The calibration that ships with this version.

    Raises:
        InternalError: it is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load as read

    folder = files("foretrain.collapse") / "fitted"
    try:
        about = json.loads((folder / "calibration.json").read_text(encoding="utf-8"))
        arrays = read((folder / "forests.safetensors").read_bytes())
        return Calibration(
            version=about["version"],
            names=tuple(about["names"]),
            alone_names=tuple(about["alone_names"]),
            collapse=Forest.restore(arrays, "collapse"),
            damage=Forest.restore(arrays, "damage"),
            alone=Forest.restore(arrays, "alone"),
            scales={int(r): (slope, offset) for r, (slope, offset) in about["scales"].items()},
            residual=np.asarray(about["residual"]),
            generations=np.asarray(about["generations"]),
            curves={name: np.asarray(points) for name, points in about["curves"].items()},
            caution=np.asarray(about["caution"], dtype=np.float64).reshape(-1, 2),
            error_rates=ErrorRates.model_validate(about["error_rates"]),
        )
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise InternalError(f"the calibration cannot be read: {error}", file=str(folder)) from error
