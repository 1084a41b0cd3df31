"""Where on the page is the picture that shows a reason?"""

from __future__ import annotations

from typing import NamedTuple

from foretrain.collapse.record import Collapse, ColumnComparison, DimensionName, Evidence
from foretrain.diversity.record import Diversity, Measure
from foretrain.validation import Validation

MOST_DRAWN = 12
"""Columns whose distributions are drawn."""


class Link(NamedTuple):
    """A place on the page, and what to read on the way there."""

    href: str
    label: str


_LEARNED = Link("#cascade", "See what models learn")

_PICTURES: dict[DimensionName, Link] = {
    "distribution_fidelity": Link("#columns", "See the columns"),
    "statistical_consistency": Link("#columns", "See the columns"),
    "correlation_preservation": Link("#correlations", "See the correlations"),
    "spectral_coherence": Link("#spectrum", "See the spectrum"),
    "entropy_stability": Link("#diversity", "See the diversity measures"),
    "gradient_health": _LEARNED,
    "loss_landscape": _LEARNED,
}

_WORDS: tuple[tuple[tuple[str, ...], Link], ...] = (
    (("models trained", "one more generation"), _LEARNED),
    (("copies", "copied", "duplicate", "repeat"), Link("#copies", "See the copies")),
    (("correlat",), _PICTURES["correlation_preservation"]),
    (("spectr", "principal"), _PICTURES["spectral_coherence"]),
    (("categor", "rare", "combination"), Link("#rare", "See what was lost and invented")),
    (("rank", "neighbour", "coverage", "cluster", "diversity"), _PICTURES["entropy_stability"]),
)
"""The last resort, for a reason that no record names."""


def drawn_columns(collapse: Collapse) -> list[ColumnComparison]:
    """The worst columns that came with a histogram."""
    return [column for column in collapse.columns if column.histogram is not None][:MOST_DRAWN]


def picture_of(reason: str, validation: Validation) -> Link:
    """The picture behind a reason: of the evidence or the measure it quotes, else of what its words speak of."""
    places = {f"#{place}" for place in places_of(validation)}
    for name, dimension in validation.dimensions.items():
        for evidence in dimension.evidence:
            if evidence.sentence == reason:
                link = _of_training(evidence, validation) or _of_column(evidence, validation) or _PICTURES.get(name)
                return link if link and link.href in places else Link(f"#{name}", f"See {dimension.title}")
    if validation.diversity is not None and any(m.sentence == reason for m in measures_of(validation.diversity)):
        return _PICTURES["entropy_stability"]
    for index, column in enumerate(drawn_columns(validation.collapse), 1):
        if reason.startswith(f"Column {column.name} "):
            return Link(f"#column-{index}", "See the column")
    said = reason.lower()
    for words, link in _WORDS:
        if link.href in places and any(word in said for word in words):
            return link
    return Link("#dimensions", "See the dimensions")


def measures_of(diversity: Diversity) -> tuple[Measure, ...]:
    """All diversity measures, in the order of the report."""
    return (*diversity.statistical, *diversity.structural, *diversity.rare, *diversity.semantic)


def places_of(validation: Validation) -> dict[str, str]:
    """The sections this report has, in order: their anchors and titles; and the anchors of single pictures."""
    collapse, diversity = validation.collapse, validation.diversity
    sections = {"dimensions": "Eight dimensions"}
    if validation.prescreen is not None:
        sections["prescreen"] = "What it looks like"
    if validation.cascade is not None:
        sections["cascade"] = "What models learn"
    if collapse.columns:
        sections["columns"] = "Columns"
    if collapse.correlations is not None:
        sections["correlations"] = "Correlations"
    if collapse.spectrum is not None:
        sections["spectrum"] = "Spectrum"
    if diversity is not None:
        sections["copies"] = "Copies"
    if validation.localization is not None:
        sections["rows"] = "Rows"
    if validation.recommendations is not None:
        sections["fixes"] = "What would help"
    if diversity is not None:
        if measures_of(diversity):
            sections["diversity"] = "Diversity"
        if diversity.rare_values:
            sections["rare"] = "Lost and invented"
    columns = {f"column-{index}": column.name for index, column in enumerate(drawn_columns(collapse), 1)}
    return sections | {"missing": "Not measured", "trust": "Can I trust this?", "run": "Reproduce"} | columns


def _of_column(evidence: Evidence, collapse: Collapse) -> Link | None:
    """A single column's own picture, where the evidence speaks of one that is drawn."""
    for index, column in enumerate(drawn_columns(collapse), 1):
        if evidence.columns == (column.name,):
            return Link(f"#column-{index}", "See the column")
    return None


def _of_training(evidence: Evidence, validation: Validation) -> Link | None:
    """What models learned, where the evidence comes from training them."""
    if validation.cascade is None:
        return None
    probed = {f"{contrast.title} ({contrast.tier})" for contrast in validation.cascade.contrasts}
    return _LEARNED if evidence.statistic in probed or evidence.sentence.startswith("Models trained") else None
