"""Which probes tell harm on datasets that the fit has not seen, and how much harm goes with a departure?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from foretrain.cascade.catalogue import BY_NAME, Calibrated, Fitted
from foretrain.collapse.dimensions.scale import CERTAIN, Scale, Worse
from foretrain.collapse.statistics.models import auc
from foretrain.seeds import stream

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Places = Sequence[npt.NDArray[np.intp]]
"""The rows of each source."""

COMMAND = "python -m foretrain.cascade.calibration.rebuild"

GROUPS = 6
"""Points of a curve, from groups of equal size."""

FEWEST = 30
"""Pairs that depart beyond noise, without which there is no curve."""

LEAST_POWER = 0.6
"""Area under the ROC curve that the lower end of a probe's interval must reach for it to be scored."""

LEAST_GAIN = 0.01
"""By which a further probe must raise the area of its dimension's probes together."""

MOST_FALSE = 0.08
"""Share of harmless candidates that may lose more than `MUCH` by the scored probes of a dimension together."""

MUCH = 0.1

DRAWS = 400


@dataclass(frozen=True)
class _Probe:
    """One probe in one tier.

    Attributes:
        curve: of all pairs.
        told: (pairs,) badness by the curve of the other sources' pairs; 0 where it was not measured.
        power: area under the ROC curve of that.
        low: lower end of its interval, over sources drawn again.
    """

    name: str
    tier: str
    curve: Floats
    told: Floats
    power: float
    low: float


def fitted(pairs: pd.DataFrame) -> Calibrated:
    """The calibration of all probes that were measured often enough.

    The probes of a dimension that are scored are chosen one after the other, the one that adds most power first, as
    long as few harmless candidates lose by them.

    Args:
        pairs: a row a pair: source, label (1 harmful, 0 not), damage, and `d_NAME@TIER`, `n_NAME@TIER`: the departure
            and its noise; NaN where it was not measured.
    """
    harmful = pairs["label"].to_numpy() > 0
    found = [probe for name, tier in _measured(pairs) if (probe := _fit(pairs, name, tier)) is not None]
    scored = {id(probe) for probe in _chosen(found, harmful)}
    probes: dict[str, dict[str, Fitted]] = {}
    for probe in found:
        probes.setdefault(probe.name, {})[probe.tier] = Fitted(
            curve=tuple((float(x), float(y)) for x, y in probe.curve.round(6)),
            power=round(probe.power, 4),
            scored=id(probe) in scored,
        )
    digest = hashlib.sha256(pd.util.hash_pandas_object(pairs, index=False).to_numpy().tobytes()).hexdigest()[:8]
    return Calibrated(version=f"1-{digest}", command=COMMAND, probes=probes)


def _measured(pairs: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for column in pairs.columns:
        if column.startswith("d_"):
            name, tier = column.removeprefix("d_").split("@")
            yield name, tier


def _fit(pairs: pd.DataFrame, name: str, tier: str) -> _Probe | None:
    """One probe in one tier; None where too few candidates depart for a curve."""
    of = pairs[["source", "label", "damage", f"d_{name}@{tier}", f"n_{name}@{tier}"]]
    of = of.set_axis(["source", "label", "damage", "departure", "noise"], axis=1).reset_index(drop=True)
    known, worse = of["departure"].notna().to_numpy(), BY_NAME[name].worse
    whole = curve(of[known], worse)
    if whole is None:
        return None
    told = np.zeros(len(of))
    for source in of["source"].unique():
        out = (of["source"] == source).to_numpy()
        apart = curve(of[known & ~out], worse)
        if apart is not None:
            told[known & out] = badness(of[known & out], apart, worse)
    harmful = of["label"].to_numpy() > 0
    places = [np.flatnonzero((of["source"] == source).to_numpy()) for source in of["source"].unique()]
    again = list(_again(told, harmful, places, stream(0, "probes", name, tier)))
    return _Probe(name, tier, whole, told, float(auc(told, harmful)), float(np.quantile(again, 0.05)))


def _chosen(probes: Sequence[_Probe], harmful: Flags) -> Iterator[_Probe]:
    """Those that are scored, dimension by dimension."""
    for dimension in dict.fromkeys(known.dimension for known in BY_NAME.values()):
        able = [p for p in probes if BY_NAME[p.name].dimension == dimension and p.low >= LEAST_POWER]
        told, power = np.zeros(len(harmful)), 0.5
        while True:
            together = [(np.maximum(told, probe.told), probe) for probe in able]
            fair = [(float(auc(both, harmful)), k) for k, (both, _) in enumerate(together)
                    if (both[~harmful] > MUCH).mean() <= MOST_FALSE]  # fmt: skip
            if not fair or max(fair)[0] < power + LEAST_GAIN:
                break
            power, best = max(fair)
            told, probe = together[best]
            able.remove(probe)
            yield probe


def curve(pairs: pd.DataFrame, worse: Worse) -> Floats | None:
    """The loss that goes with a departure: (points, 2), both rising from 0; None below `FEWEST` departures.

    The loss is the mean damage of candidates that depart so far, less the mean of those that do not depart beyond
    noise, as a share of what is left above it; isotonic.
    """
    from sklearn.isotonic import IsotonicRegression

    departure, damage = _signed(pairs, worse), pairs["damage"].to_numpy()
    beyond = departure > CERTAIN * pairs["noise"].to_numpy()
    if beyond.sum() < FEWEST or beyond.all():
        return None
    base = float(damage[~beyond].mean())
    order = np.flatnonzero(beyond)[np.argsort(departure[beyond], kind="stable")]
    groups = np.array_split(order, GROUPS)
    x = np.asarray([departure[group].mean() for group in groups])
    loss = np.clip((np.asarray([damage[group].mean() for group in groups]) - base) / (1 - base), 0, 1)
    rising = IsotonicRegression(y_min=0, y_max=1).fit_transform(x, loss)
    return np.vstack([[0.0, 0.0], np.column_stack([x, rising])])


def badness(pairs: pd.DataFrame, points: Floats, worse: Worse) -> Floats:
    """(pairs,) what the dimensions make of the departures, by this curve."""
    gaps, noises = pairs["departure"].to_numpy(), pairs["noise"].to_numpy()
    return np.asarray(
        [
            float(Scale(np.asarray([noise]), [worse], [points]).badness(np.asarray([gap]))[0])
            for gap, noise in zip(gaps, noises, strict=True)
        ]
    )


def _signed(pairs: pd.DataFrame, worse: Worse) -> Floats:
    gap = pairs["departure"].to_numpy(np.float64)
    return np.abs(gap) if worse == "any" else gap if worse == "more" else -gap


def _again(
    told: Floats, harmful: npt.NDArray[np.bool_], places: Places, chance: np.random.Generator
) -> Iterator[float]:
    """The area under the ROC curve of as many sources drawn again."""
    for _ in range(DRAWS):
        rows = np.concatenate([places[k] for k in chance.integers(len(places), size=len(places))])
        if 0 < harmful[rows].sum() < len(rows):
            yield float(auc(told[rows], harmful[rows]))
