"""Does every reason lead to the picture that shows it?"""

from __future__ import annotations

import pytest
from unit.report import cases

from foretrain.report.links import drawn_columns, picture_of, places_of

FULL = cases.validation("reject")


def test_a_reason_about_one_column_leads_to_its_picture() -> None:
    worst = drawn_columns(FULL)[0]
    assert FULL.reasons[0].startswith(worst.name)
    assert picture_of(FULL.reasons[0], FULL).href == "#column-1"


def test_evidence_leads_to_its_dimensions_picture() -> None:
    sentence = FULL.dimensions["correlation_preservation"].evidence[0].sentence
    assert picture_of(sentence, FULL).href == "#correlations"
    without = FULL.model_copy(update={"correlations": None})
    assert picture_of(sentence, without).href == "#correlation_preservation"


def test_a_dimension_without_a_picture_leads_to_its_bar() -> None:
    gap = FULL.dimensions["generalization_gap"]
    several = gap.evidence[0].model_copy(update={"sentence": "A classifier tells them apart.", "columns": ()})
    changed = FULL.dimensions | {"generalization_gap": gap.model_copy(update={"evidence": (several,)})}
    link = picture_of(several.sentence, FULL.model_copy(update={"dimensions": changed}))
    assert link == ("#generalization_gap", "See Generalization Gap")


def test_a_diversity_measures_sentence_leads_to_the_measures() -> None:
    assert FULL.diversity is not None
    assert picture_of(FULL.diversity.structural[0].sentence, FULL).href == "#diversity"


@pytest.mark.parametrize(
    ("reason", "href"),
    [
        ("11 % of rows are copies.", "#copies"), ("4 rare categories are gone.", "#rare"),
        ("Variance along small principal axes fell.", "#spectrum"), ("Something else.", "#dimensions"),
    ],
)  # fmt: skip
def test_other_reasons_are_led_by_their_words(reason: str, href: str) -> None:
    assert picture_of(reason, FULL).href == href


def test_no_link_leads_to_an_absent_section() -> None:
    alone = cases.validation("review", original=False).model_copy(update={"diversity": None})
    places = {f"#{place}" for place in places_of(alone)}
    for reason in (*FULL.reasons, "copies", "rare", "principal", "correlation", "rank"):
        assert picture_of(reason, alone).href in places
