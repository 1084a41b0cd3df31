"""Does the page say what the candidate looks like, and the terminal too?"""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from unit.report import cases
from unit.report.test_page import parsed as page_of

from foretrain.display import summary
from foretrain.report import render
from foretrain.report.links import places_of


def section(page: str) -> str:
    (found,) = [node for node in page_of(page).iter("section") if node.get("id") == "prescreen"]
    return " ".join("".join(found.itertext()).split())


def test_the_page_shows_the_nearest_and_how_they_vote() -> None:
    said = section(render(cases.validation("reject", prescreen=cases.prescreen())))
    for words in (
        "It looks like a Gaussian copula",
        "5 generations of a Gaussian copula",
        "older, reject",
        "does not vote",
        "sequential trees 38",
        "Such a distance is not unusual: 41",
        "a group of 21 signatures",
    ):
        assert words in said


@pytest.mark.parametrize("novel", [True, False])
def test_what_was_never_seen_is_said(novel: bool) -> None:
    said = section(render(cases.validation("reject", prescreen=cases.prescreen(novel=novel))))
    assert ("Nothing like this was seen" in said) == novel


def test_names_from_a_library_are_text_and_nothing_else() -> None:
    for name in cases.HOSTILE:
        page = render(cases.validation("reject", columns=2, prescreen=cases.prescreen(name=name, mechanism=name)))
        assert len(list(page_of(page).iter("script"))) == 1
        assert "\u202e" not in page


def test_without_it_there_is_no_section_and_the_page_says_why() -> None:
    found = cases.validation("reject").model_copy(update={"not_run": {"prescreen": "none was given"}})
    assert "prescreen" not in places_of(found)
    assert "Prescreen:</strong> none was given" in render(found)


@pytest.mark.parametrize(
    ("novel", "line"),
    [
        (False, "5 generations of a Gaussian copula, similarity .93"),
        (True, "nothing seen before; nearest: 5 generations of a Gaussian copula, similarity .93"),
    ],
)
def test_the_terminal_says_it_in_a_line(novel: bool, line: str) -> None:
    console = Console(width=120, file=io.StringIO())
    with console.capture() as said:
        console.print(summary(cases.validation("reject", prescreen=cases.prescreen(novel=novel))))
    assert f"Looks like  {line}" in said.get()
