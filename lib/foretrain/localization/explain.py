"""Why is a row flagged, in one sentence with numbers?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from foretrain.collapse.table import Floats
from foretrain.data.reference import Kind
from foretrain.localization.evidence import Side
from foretrain.localization.features import Feature, Features
from foretrain.localization.record import AXES, Blame, Mechanism, Row
from foretrain.localization.scorer import Found, Scorer
from foretrain.localization.worst import BLAMED, Rows

WORTH = 0.3
"""A column is named from this share of the strongest one's evidence on."""

CERTAIN = 0.5
"""A row that is a copy with this probability is called one."""

EXTREME = 1e-3
"""A value that so few rows reach by itself is called out of range, whatever else speaks against the row."""

BROAD: tuple[Mechanism, ...] = ("unlikely_combination", "looks_synthetic")
"""Mechanisms that all columns have a part in."""

EFFECTS: tuple[Mechanism, ...] = ("misleads_neighbours", "harms_models")
"""Mechanisms that say what a row does, not what is wrong with it."""

UNUSUAL = 0.05
"""A target that so few rows are as far from what is expected is what is wrong with a row that does harm."""

LONGEST = 40
"""Characters of a value that are shown."""


def described(scorer: Scorer, side: Side, found: Found, first: int) -> Rows:
    """A batch's rows with what carries the evidence against each.

    Args:
        scorer: by which they were scored.
        side: the rows.
        found: what was found of them.
        first: place of the first in the source.
    """
    mechanisms = scorer.mechanisms
    target = scorer.features.target
    likeliest = _mechanism(found, mechanisms, target)
    weights = np.zeros(side.numbers.shape)
    for place, name in enumerate(mechanisms):
        mine = np.flatnonzero(likeliest == place)
        if name == "out_of_range":
            weights[mine] = found.evidence.range[mine]
        elif name == "unlikely_combination":
            weights[mine] = found.evidence.surprise[mine]
        elif name in ("unlikely_target", "misleads_neighbours") and target is not None:
            weights[mine, target] = found.evidence.surprise[mine, target]
        elif name == "harms_models" and scorer.judge is not None:
            flagged = mine[found.confidence[mine] > 0.1]
            weights[flagged] = np.maximum(scorer.judge.harm(side.take(flagged)), 0.0)
        elif name in ("looks_synthetic", "crowded") and scorer.judge is not None:
            # TreeSHAP costs more than the score itself: only where it will be read
            flagged = mine[found.confidence[mine] > 0.1]
            weights[flagged] = np.maximum(scorer.judge.contributions(side.take(flagged)), 0.0)
    columns, carried = _strongest(weights)
    values = np.take_along_axis(side.numbers, np.maximum(columns, 0), axis=1)
    return Rows(
        row=np.arange(first, first + len(side)),
        confidence=found.confidence,
        axes=found.axes,
        mechanism=likeliest,
        columns=columns,
        weights=carried,
        values=values,
        times=found.copies.times,
        other=found.copies.other,
        content=side.contents,
    )


def _mechanism(found: Found, mechanisms: Sequence[Mechanism], target: int | None) -> np.ndarray:
    """The likeliest mechanism of each row, (rows,).

    Of what all columns say together, one value may say more: the target's, or one that is extreme by itself. Of a row
    that does harm, an unlikely target says why. A copy is called one, whatever else it is.
    """
    likeliest = np.asarray(found.by.argmax(axis=1))
    broad = [mechanisms.index(name) for name in BROAD if name in mechanisms]
    together = np.isin(likeliest, broad)
    if "unlikely_target" in mechanisms and target is not None:
        told = np.isin(likeliest, [mechanisms.index(name) for name in EFFECTS if name in mechanisms])
        unlikely = found.evidence.surprise[:, target] >= -np.log(UNUSUAL)
        likeliest[told & unlikely] = mechanisms.index("unlikely_target")
        strongest = found.evidence.surprise.argmax(axis=1)
        combined = likeliest == mechanisms.index("unlikely_combination")
        likeliest[combined & (strongest == target)] = mechanisms.index("unlikely_target")
    if "out_of_range" in mechanisms:
        alone = found.evidence.range.max(axis=1)
        likeliest[together & (alone >= -np.log(EXTREME))] = mechanisms.index("out_of_range")
    copy = mechanisms.index("copy")
    likeliest[found.by[:, copy] >= CERTAIN] = copy
    return likeliest


def _strongest(weights: Floats) -> tuple[np.ndarray, Floats]:
    """The features with the most weight, -1 where there is none, and their weights, (rows, `BLAMED`)."""
    most = min(BLAMED, weights.shape[1])
    order = np.argsort(-weights, axis=1, kind="stable")[:, :most]
    carried = np.take_along_axis(weights, order, axis=1)
    worth = (carried > 0) & (carried >= WORTH * carried[:, :1])
    order, carried = np.where(worth, order, -1), np.where(worth, carried, 0.0)
    missing = BLAMED - most
    return (
        np.pad(order, ((0, 0), (0, missing)), constant_values=-1),
        np.pad(carried, ((0, 0), (0, missing))),
    )


def rows(found: Rows, mechanisms: Sequence[Mechanism], features: Features) -> tuple[Row, ...]:
    """Rows for the record, in the order given."""
    return tuple(_row(found, k, mechanisms, features) for k in range(len(found)))


def _row(found: Rows, k: int, mechanisms: Sequence[Mechanism], features: Features) -> Row:
    mechanism = mechanisms[found.mechanism[k]]
    blames = blamed(found, k, features)
    times, other = int(found.times[k]), int(found.other[k])
    return Row(
        row=int(found.row[k]),
        confidence=float(found.confidence[k]),
        **{axis: float(found.axes[k, place]) for place, axis in enumerate(AXES)},
        mechanism=mechanism,
        sentence=sentence(mechanism, blames, times, other),
        columns=blames,
    )


def blamed(found: Rows, k: int, features: Features) -> tuple[Blame, ...]:
    """The columns that carry the evidence against a row."""
    kinds = {column.name: column.kind for column in features.columns}
    said = []
    for place, weight, value in zip(found.columns[k], found.weights[k], found.values[k], strict=True):
        if place >= 0:
            feature = features.features[place]
            shown = _shown(feature, kinds[feature.column], float(value))
            said.append(Blame(column=feature.name, value=shown, one_in=float(np.exp(min(weight, 27.0)))))
    return tuple(said)


def sentence(mechanism: Mechanism, blames: Sequence[Blame], times: int, other: int) -> str:
    """The evidence against one row."""
    match mechanism:
        case "copy":
            return f"{times:,} rows share this exact combination of values."
        case "copy_of_original":
            often = "" if other == 1 else f", {other:,} times"
            return f"It occurs exactly so in the original{often}."
        case "out_of_range":
            return f"{_listed(blames)}: so far out of the original's range."
        case "unlikely_target":
            return f"{_listed(blames)}: so unlikely, given the row's other values."
        case "unlikely_combination":
            return f"{_listed(blames)}: so unlikely, each given the row's other values."
        case "looks_synthetic":
            by = ", ".join(f"{each.column} ({each.value})" for each in blames)
            return "A classifier tells it from the original's rows" + (f", most by {by}." if by else ".")
        case "crowded":
            return f"The candidate's rows crowd around it{_values(blames)}, the original's do not."
        case "misleads_neighbours":
            return f"{_listed(blames)}: the original's rows around it say otherwise."
        case "harms_models":
            by = _values(blames)
            return f"A step of training on it makes models worse on the original's held-out rows{by}."


def _values(blames: Sequence[Blame]) -> str:
    by = ", ".join(f"{each.column} {each.value}" for each in blames)
    return f" ({by})" if by else ""


def _listed(blames: Sequence[Blame]) -> str:
    said = [f"{each.column} is {each.value}, {one_in(each.one_in)}" for each in blames]
    return "; ".join(said) or "All columns together"


def one_in(count: float) -> str:
    """A small probability as a frequency: "1 in 5,000"."""
    if count >= 1e6:
        return "less than 1 in 1,000,000"
    digits = max(0, len(f"{count:.0f}") - 2)
    return f"1 in {max(1, round(count, -digits)):,.0f}"


def _shown(feature: Feature, kind: Kind, value: float) -> str:
    """A value as people read it."""
    if feature.levels is not None:
        place = int(value)
        text = feature.levels[place] if place < len(feature.levels) else "new" if place == len(feature.levels) else None
        return "missing" if text is None else text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    if np.isnan(value):
        return "missing"
    if kind is Kind.DATETIME:
        moment = datetime(1970, 1, 1, tzinfo=UTC)
        try:
            return (moment + timedelta(microseconds=value)).strftime("%Y-%m-%d %H:%M:%S")
        except OverflowError:
            return f"{value:.6g}"
    if kind is Kind.DURATION:
        return str(timedelta(microseconds=value)) if abs(value) < 8e19 else f"{value:.6g}"
    return f"{value:,.0f}" if feature.whole and abs(value) < 1e15 else f"{value:.6g}"
