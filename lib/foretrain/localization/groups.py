"""Which flagged rows are bad for the same cause?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from foretrain.localization.features import Features
from foretrain.localization.record import Group, Importance, Mechanism
from foretrain.localization.worst import Rows

MOST = 20
"""Groups, and columns by importance, at most."""

EXAMPLES = 5
"""Rows named a group."""

ALIKE = 3
"""So many flagged copies of one row make a group of their own."""


def groups(found: Rows, mechanisms: Sequence[Mechanism], features: Features) -> tuple[Group, ...]:
    """Rows of the same mechanism and the same strongest column, or copies of one row; largest first.

    Args:
        found: flagged rows, surest first.
        mechanisms: by their place.
        features: by their place.
    """
    members: dict[tuple[Mechanism, int], list[int]] = {}
    alike = Counter(found.content.tolist())
    for k in range(len(found)):
        name = mechanisms[found.mechanism[k]]
        content = int(found.content[k])
        cause = int(found.columns[k, 0])
        if name in ("copy", "copy_of_original"):
            cause = content if name == "copy" and alike[content] >= ALIKE else -1
        members.setdefault((name, cause), []).append(k)
    largest = sorted(members.items(), key=lambda item: (-len(item[1]), item[1][0]))[:MOST]
    return tuple(_group(found, name, cause, places, features) for (name, cause), places in largest)


def _group(found: Rows, name: Mechanism, cause: int, places: list[int], features: Features) -> Group:
    mechanism = name
    columns: tuple[str, ...] = ()
    if mechanism not in ("copy", "copy_of_original"):
        often = Counter(int(c) for k in places for c in found.columns[k] if c >= 0)
        order = sorted(often, key=lambda place: (place != cause, -often[place], place))
        columns = tuple(features.features[place].name for place in order[:3])
    return Group(
        mechanism=mechanism,
        columns=columns,
        rows=len(places),
        examples=tuple(int(found.row[k]) for k in places[:EXAMPLES]),
        confidence=float(np.mean(found.confidence[places])),
        sentence=_sentence(mechanism, columns, cause >= 0, int(found.times[places[0]])),
    )


def _sentence(mechanism: Mechanism, columns: Sequence[str], alike: bool, times: int) -> str:
    first = columns[0] if columns else "all columns together"
    match mechanism:
        case "copy":
            return f"{times:,} copies of one row." if alike else "Copies of several rows, two or a few of each."
        case "copy_of_original":
            return "Rows that occur exactly so in the original."
        case "out_of_range":
            return f"Values of {first} out of the original's range."
        case "unlikely_target":
            return f"Values of {first} that the rows' other values speak against."
        case "unlikely_combination":
            return f"Values that do not go together, {first} most of all."
        case "looks_synthetic":
            return f"Rows that a classifier tells from the original's, by {first} most of all."
        case "crowded":
            return "Rows that crowd where the original has few."
        case "misleads_neighbours":
            return f"Values of {first} that the original's rows around them speak against."
        case "harms_models":
            return "Rows that make models worse on the original's held-out rows."


def importance(found: Rows, features: Features) -> tuple[Importance, ...]:
    """Each column's part in the evidence against the flagged rows, largest first."""
    named = found.columns >= 0
    weight = np.bincount(found.columns[named], found.weights[named], minlength=len(features.features))
    total = weight.sum()
    if not total > 0:
        return ()
    order = np.argsort(-weight, kind="stable")[:MOST]
    return tuple(
        Importance(column=features.features[k].name, share=float(min(weight[k] / total, 1.0)))
        for k in order
        if weight[k] > 0
    )
