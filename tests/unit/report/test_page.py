"""Is the report one valid, self-contained, escaped page for every validation there can be?"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import html5lib
import pytest
from unit.report import cascades, cases

from foretrain.report import render, write
from foretrain.settings import Settings
from foretrain.validation import Validation

BUILD: dict[str, Callable[[], Validation]] = {
    "approve": lambda: cases.validation("approve"),
    "review": lambda: cases.validation("review"),
    "reject": lambda: cases.validation("reject"),
    "underpowered": lambda: cases.validation("underpowered", columns=3, rows=180),
    "alone": lambda: cases.validation("review", original=False),
    "hostile": lambda: cases.validation("reject", names=cases.HOSTILE),
    "one column": lambda: cases.validation("reject", columns=1, rows=1),
    "1,000 columns": lambda: cases.validation("reject", columns=1_000),
    "trained": lambda: cases.validation("reject", cascade=cascades.cascade()),
    "trained alone": lambda: cases.validation("review", original=False, cascade=cascades.cascade(original=False)),
    "badly trained": lambda: cases.validation("review", columns=2, cascade=cascades.badly(target=cases.HOSTILE[0])),
    "bare": lambda: bare(cases.validation("approve")),
}


def bare(full: Validation) -> Validation:
    """All that may be absent is absent."""
    nothing: dict[str, Any] = {"interval": None, "fresh": None, "evidence": (), "smallest_effect": None}
    return full.model_copy(
        update={
            "diversity": None,
            "failures": {"diversity": "out of memory"},
            "columns": (),
            "correlations": None,
            "spectrum": None,
            "reasons": (),
            "error_rates": None,
            "timings": {},
            "versions": {},
            "notes": (),
            "dimensions": {
                name: dimension.model_copy(update=nothing | {"reason": None})
                for name, dimension in full.dimensions.items()
            },
        }
    )


def parsed(page: str) -> ElementTree.Element:
    """The page's tree; raises at the first breach of the HTML standard."""
    root = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    assert isinstance(root, ElementTree.Element)
    return root


@pytest.fixture(scope="module", params=BUILD)
def root(request: pytest.FixtureRequest) -> ElementTree.Element:
    return parsed(render(BUILD[request.param]()))


def test_the_page_is_valid_and_its_links_lead_somewhere(root: ElementTree.Element) -> None:
    places = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    assert len(places) == len(set(places))
    links = [node.attrib["href"] for node in root.iter("a")]
    assert links
    assert all(link.startswith("#") and link[1:] in places for link in links)


def test_every_picture_has_a_name_and_a_description(root: ElementTree.Element) -> None:
    pictures = [node for node in root.iter() if str(node.tag).endswith("svg") and node.get("role") == "img"]
    assert pictures
    for picture in pictures:
        said = {str(child.tag).rpartition("}")[2]: child.text for child in picture}
        assert said["title"]
        assert said["desc"]


def test_the_page_needs_nothing_but_itself(root: ElementTree.Element) -> None:
    assert not [node for node in root.iter() if "src" in node.attrib or "srcset" in node.attrib]
    assert {node.attrib["href"] for node in root.iter("link")} == {"data:,"}
    assert not re.search(r"url\(|@import|//[a-z]", "".join(node.text or "" for node in root.iter("style")))


def test_the_policy_admits_this_style_and_this_script_and_no_other(root: ElementTree.Element) -> None:
    (policy,) = [m.attrib["content"] for m in root.iter("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        (block,) = root.iter(kind)
        digest = base64.b64encode(hashlib.sha256((block.text or "").encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert not [node for node in root.iter() if any(key == "style" or key.startswith("on") for key in node.attrib)]


def test_names_and_values_are_text_and_nothing_else() -> None:
    root = parsed(render(BUILD["hostile"]()))
    text = "".join(root.itertext())
    for name in cases.HOSTILE:
        if name.strip() and "\u202e" not in name:
            assert name in text
    assert "\\u202eoverride" in text
    assert '" "' in text
    assert "\u202e" not in render(BUILD["hostile"]())
    assert len(list(root.iter("script"))) == len(list(root.iter("style"))) == len(list(root.iter("title"))) == 1


def test_200_columns_fit_into_two_megabytes() -> None:
    names = [f"{index:03d} " + "long name " * 19 for index in range(200)]
    assert len(render(cases.validation("reject", names=names)).encode()) < 2e6
    assert len(render(cases.validation("reject", columns=1_000)).encode()) < 2e6


@pytest.mark.parametrize("verdict", ["approve", "review", "reject", "underpowered"])
def test_the_verdict_is_a_word_before_it_is_a_colour(verdict: Any) -> None:
    root = parsed(render(cases.validation(verdict)))
    (title,) = root.iter("title")
    (word,) = root.iter("h1")
    assert "".join(word.itertext()).strip() == verdict.capitalize()
    assert title.text == f"{verdict.capitalize()}: customers_gen5"


def test_the_first_screen_says_what_a_manager_asks() -> None:
    (header,) = parsed(render(cases.validation("reject"))).iter("header")
    text = " ".join("".join(header.itertext()).split())
    for said in (
        "Training on this is like training on 5 generations of itself; expect 13 % of what is learnable to be lost",
        "Expected damage", "8 to 17", "Medium", "5 generations", "Probability of collapse", "97", "customers",
        "20,190 rows \N{MULTIPLICATION SIGN} 12 columns", "customers_gen5", "Seed 42", "version 0.1.0",
    ):  # fmt: skip
        assert said in text
    assert "Reject: " not in text


def test_without_an_original_the_page_says_so_and_claims_nothing_else() -> None:
    page = render(BUILD["alone"]())
    text = "".join(parsed(page).itertext())
    assert "No original was given." in text
    for absent in ('id="columns"', 'id="correlations"', 'id="spectrum"', "occurs exactly so in the original"):
        assert absent not in page
    assert "there is no original to compare with" in text


def test_what_was_not_measured_is_named_with_its_reason_and_has_no_number() -> None:
    full = cases.validation("reject")
    root = parsed(render(full))
    for name in ("gradient_health", "loss_landscape"):
        (row,) = [node for node in root.iter("li") if node.get("id") == name]
        text = "".join(row.itertext())
        assert "Not measured" in text
        assert full.dimensions[name].reason is not None
        assert str(full.dimensions[name].reason) in text
        assert not re.search(r"\d", text)


def test_a_failed_stage_is_named_with_its_reason() -> None:
    text = "".join(parsed(render(BUILD["bare"]())).itertext())
    assert "Diversity: the stage failed. out of memory" in " ".join(text.split())


def test_copies_near_duplicates_and_error_rates_are_said() -> None:
    text = " ".join("".join(parsed(render(cases.validation("reject"))).itertext()).split())
    for said in (
        "1 row in 13 repeats an earlier row", "1 row in 9 occurs exactly so in the original", "On 120 test pairs",
        "False alarms: healthy tables that were flagged", "mild 6 %", "A loss of 1.4 % of the rows' spread",
        "4,000 rows a side, 12 split-halves",
    ):  # fmt: skip
        assert said in text.replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_every_setting_is_listed_and_the_changed_ones_stand_out() -> None:
    page = render(cases.validation("reject", settings=Settings(seed=9)))
    root = parsed(page)
    rows = {
        str(row[0].text): row[1]
        for row in root.iter("tr")
        if len(row) == 3 and row[0].get("scope") == "row" and row[0].text
    }
    assert {"seed", "effort", "profile.sample_rows", "verdict.reject_at"} <= rows.keys()
    assert (rows["seed"].text, rows["seed"].get("class")) == ("9", "out")
    assert rows["verdict.reject_at"].get("class") != "out"


def test_the_same_validation_gives_the_same_page() -> None:
    assert render(BUILD["reject"]()) == render(Validation.from_json(BUILD["reject"]().to_json()))


class Here:
    """A folder whose files will be elsewhere once they are committed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, name: str) -> Path:
        return self.root / name

    def url(self, name: str) -> str:
        return f"s3://bucket/{name}"


def test_the_record_names_where_the_page_will_be(tmp_path: Path) -> None:
    made = write(BUILD["hostile"](), Here(tmp_path))
    assert made.html == "s3://bucket/report.html"
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render(BUILD["hostile"]())


def test_flagged_rows_are_shown_with_their_causes_or_that_there_are_none() -> None:
    section = render(BUILD["hostile"]()).split('<section id="rows">')[1].split("Diversity")[0]
    assert "240 rows of 20,190 are bad with a probability of" in section
    assert "The surest 100" in section
    assert section.count("41 rows share this exact combination of values.") == 50
    assert "<script" not in section
    none = cases.validation("approve").model_copy(update={"localization": cases.localization(["age"], 900, flagged=0)})
    assert "No row is flagged: no row is more likely bad than not" in render(none)
