"""What does the localization stage say in a line or two?"""

from __future__ import annotations

from foretrain.localization.record import Localization, Mechanism

NAMES: dict[Mechanism, str] = {
    "copy": "copies",
    "copy_of_original": "copies of the original",
    "out_of_range": "out of range",
    "unlikely_target": "unlikely target",
    "unlikely_combination": "unlikely combination",
    "looks_synthetic": "looks synthetic",
    "crowded": "crowded",
    "misleads_neighbours": "misleads neighbours",
    "harms_models": "harms models",
}
"""Each mechanism in words."""


def line(localization: Localization) -> str:
    """E.g. "33 of 1,000 rows flagged: 21 copies, 10 out of range; most by income"."""
    if localization.abstained is not None:
        return f"none flagged: {localization.abstained}"
    kinds = ", ".join(f"{count:,} {NAMES[name]}" for name, count in localization.by_mechanism.items())
    most = f"; most by {localization.importance[0].column}" if localization.importance else ""
    return f"{localization.flagged:,} of {localization.rows:,} flagged: {kinds}{most}"
