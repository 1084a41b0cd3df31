"""Does the report say what would help, as it was measured?"""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from unit.recommendations.found import measured
from unit.report import cases
from unit.report.test_prescreen import page_of

from foretrain.display import summary
from foretrain.recommendations.record import Change
from foretrain.recommendations.sentences import cost, line
from foretrain.report import render
from foretrain.report.links import places_of
from foretrain.validation import Validation


def section(page: str) -> str:
    (found,) = [node for node in page_of(page).iter("section") if node.get("id") == "fixes"]
    return re.sub(r"\s+", " ", " ".join(found.itertext()))


def with_fixes(**changes: Any) -> Validation:
    found = cases.validation("reject")
    assert found.recommendations is not None
    return found.model_copy(update={"recommendations": found.recommendations.model_copy(update=changes)})


def test_it_says_what_was_measured_and_how_to_apply_it() -> None:
    found = cases.validation("reject")
    assert places_of(found)["fixes"] == "What would help"
    said = section(render(found))
    for words in (
        "Try deduplicate. On 1,000 rows, that took the score from 10 to 72: review.",
        "Score 10 before, 72 after, 90 % interval 68 to 78; 15 was expected.",
        "+62 +58 to +68",
        "1,100 rows, 18% real; 100 lost; price 1.00",
        "--apply deduplicate --out fixed.parquet",
        "Not tried, since 12 others were tried before: Try collect .",
        "Tried first because repeated rows beyond the original's 0.4, above 0.05; it is deduplicate.",
        "foretrain outcome 3f9ab71c0042 --applied ID",
    ):
        assert words in said, said


def test_without_a_best_there_is_nothing_to_apply() -> None:
    said = section(render(with_fixes(best=None)))
    assert "None of the 3 fixes that were tried helped surely." in said
    assert "Apply it" not in said
    found = with_fixes().recommendations
    assert found is not None
    none = tuple(each for each in found.found if each.measured is None)
    said = section(render(with_fixes(best=None, found=none, tried=0, first=())))
    assert "No fix was tried." in said
    assert "Tried first" not in said


def test_what_models_lost_is_said_where_they_were_trained() -> None:
    found = with_fixes().recommendations
    assert found is not None
    trained = measured(62.5).model_copy(update={"trained": Change(value=-0.2, interval=(-0.4, 0.0))})
    best = found.found[0].model_copy(update={"measured": trained})
    said = section(render(with_fixes(found=(best, *found.found[1:]))))
    assert re.search(r"lost share \D*20", said), said
    assert "Lost share: of what can be learned" in said


@pytest.mark.parametrize("verdict", ["reject", "review"])
def test_the_terminal_says_it_in_a_line(verdict: Any) -> None:
    found = cases.validation(verdict)
    assert found.recommendations is not None
    assert line(found.recommendations) == "try deduplicate: score 10 to 72, review; 3 tried"
    console = Console(file=StringIO(), width=80)
    console.print(summary(found))
    assert isinstance(console.file, StringIO)
    said = re.sub(r"\s+", " ", console.file.getvalue())
    assert "Fix try deduplicate: score 10 to 72" in said
    assert "foretrain fix CANDIDATE --plan OUT" in said
    nothing = found.recommendations.model_copy(update={"best": None})
    assert line(nothing) == "none of 3 fixes that were tried helped surely"
    assert cost(found.recommendations.found[-1]) == ""
