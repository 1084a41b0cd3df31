"""How is a paired comparison written as one row of numbers for the calibration?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from foretrain.collapse.pairing import Paired
from foretrain.collapse.table import Floats

RELATIVE = (
    "trees_skill",
    "linear_skill",
    "trees_reverse",
    "linear_reverse",
    "coverage",
    "recall",
    "precision",
    "density",
)
"""Statistics whose loss is also read as a share of what a fresh sample has."""

_LEAST = 0.15
"""Below this skill a share of it means nothing."""


@dataclass(frozen=True)
class Loss:
    """A statistic read as the share that was lost of something worth having.

    Attributes:
        value: the feature it is read from.
        noise: the statistic whose split-halves say how certain it is.
        sign: +1 where more of the value is a loss, -1 where less is.
        towards: the same of the noise's statistic.
        limit: share at which the loss counts as harm.
        log: the feature is the logarithm of what is left.
        sharper: by how much the value is more certain than one split-half.
    """

    value: str
    noise: str
    sign: Literal[1, -1]
    towards: Literal[1, -1]
    limit: float
    log: bool = False
    sharper: float = 1.0


LOSSES = {
    "trees": Loss("r_trees_skill", "trees_skill", -1, -1, 0.10),
    "linear": Loss("r_linear_skill", "linear_skill", -1, -1, 0.10),
    "all_trees": Loss("w_transfer_trees_loss", "trees_skill", 1, -1, 0.10, sharper=1.5),
    "all_linear": Loss("w_transfer_linear_loss", "linear_skill", 1, -1, 0.10, sharper=1.5),
    "recall": Loss("r_recall", "recall", -1, -1, 0.15),
    "coverage": Loss("r_coverage", "coverage", -1, -1, 0.15),
    "variance": Loss("d_variance_mean", "variance_mean", -1, -1, 0.20, log=True),
    "axes": Loss("d_axes_large", "axes_large", -1, -1, 0.20, log=True),
    "repeats": Loss("d_near_duplicates", "near_duplicates", 1, 1, 0.15),
    "all_repeats": Loss("w_near_duplicates", "", 1, 1, 0.15),
    "categories": Loss("d_tvd_mean", "tvd_mean", 1, 1, 0.12),
    "levels": Loss("d_levels_lost", "levels_lost", 1, 1, 0.10),
}
"""What a collapsed table loses, as the calibration's own labels define harm (see `loops.harm`)."""

CERTAIN = 3.5
"""Standard deviations at which a loss counts as harm."""

NOTICED = 2.0
"""Standard deviations at which a loss counts towards the damage."""

REPEAT_CERTAINTY = 100.0
"""Standard deviations a share of near-copies over all rows stands for: they hardly occur by chance."""


def features(paired: Paired, repeats: int | None = None) -> dict[str, float]:
    """Each statistic of a comparison in several units, by name.

    ``z_`` departure from a fresh sample in standard deviations of split-halves, ``t_`` the same over the spread of the
    paired differences, both on a signed logarithmic scale; ``d_`` as it is; ``r_`` as a share of the fresh sample's
    value; ``w_`` between all rows of both tables; ``e_`` read as a loss, ``h_`` the loss as a multiple of what counts
    as harm, or its certainty, whichever is less; ``h_worst`` and so on the largest of these; ``g_`` sizes.

    Args:
        paired: the comparison.
        repeats: read only the first so many repeats.
    """
    made, fresh = paired.candidate[:repeats], paired.fresh[:repeats]
    gap = made - fresh
    mean = gap.mean(axis=0)
    z = mean / (fresh.std(axis=0, ddof=1) + 1e-6)
    t = mean / (gap.std(axis=0, ddof=1) + 1e-6)
    relative = mean / np.maximum(fresh.mean(axis=0), _LEAST)
    out: dict[str, float] = {}
    columns = (paired.names, *(each.tolist() for each in (_log(z), _log(t), mean, relative)))
    for name, far, apart, gone, share in zip(*columns, strict=True):
        out |= {f"z_{name}": far, f"t_{name}": apart, f"d_{name}": gone}
        if name in RELATIVE:
            out[f"r_{name}"] = share
    out |= {f"w_{name}": value for name, value in paired.whole.items()}
    out |= _losses(out, dict(zip(paired.names, z.tolist(), strict=True)))
    out["g_rows"] = float(np.log(paired.rows))
    return out


def _losses(found: dict[str, float], z: dict[str, float]) -> dict[str, float]:
    out: dict[str, float] = {}
    harms, damages = [], []
    for name, loss in LOSSES.items():
        value = found.get(loss.value, 0.0)
        share = 1.0 - float(np.exp(value)) if loss.log else loss.sign * value
        certain = loss.towards * z.get(loss.noise, 0.0) * loss.sharper if loss.noise else REPEAT_CERTAINTY * share
        harm = _within(min(share / loss.limit, certain / CERTAIN), -1.0, 6.0)
        out[f"e_{name}"] = _within(share, -1.0, 1.5)
        out[f"h_{name}"] = harm
        harms.append(harm)
        damages.append(_within(share, 0.0, 1.0) if certain > NOTICED else 0.0)
    for k, rank in enumerate(("worst", "second", "third")):
        out[f"h_{rank}"] = sorted(harms, reverse=True)[k]
    for k, rank in enumerate(("damage", "damage_second")):
        out[f"h_{rank}"] = sorted(damages, reverse=True)[k]
    return out


def row(found: dict[str, float], names: tuple[str, ...]) -> Floats:
    """The features in a calibration's order, 0 where a table has no column of the kind; (features,)."""
    return np.asarray([found.get(name, 0.0) for name in names])


def _within(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


def _log(value: Floats) -> Floats:
    return np.asarray(np.sign(value) * np.log1p(np.abs(value)), dtype=np.float64)
