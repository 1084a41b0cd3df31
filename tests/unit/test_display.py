"""Is a validation well told in a terminal of 80 cells, in a notebook, and in one line?"""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from unit.report import cascades, cases

from foretrain.display import html, line, summary
from foretrain.validation import Validation

BUILD = {
    "reject": lambda: cases.validation("reject", cascade=cascades.cascade()),
    "alone": lambda: cases.validation("review", original=False, cascade=cascades.cascade(original=False)),
    "underpowered": lambda: cases.validation("underpowered", cascade=cascades.badly()),
    "untrained": lambda: cases.validation("approve"),
}


def told(found: Validation) -> list[str]:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(summary(found, "out/report.html"))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


@pytest.mark.parametrize("kind", BUILD)
def test_it_fits_80_cells_and_names_every_dimension_on_one_line(kind: str) -> None:
    found = BUILD[kind]()
    lines = told(found)
    assert max(map(len, lines)) <= 80
    for dimension in found.dimensions.values():
        (row,) = [each for each in lines if each.startswith(dimension.title)]
        if dimension.score is None:
            assert row.split(dimension.title)[1].strip() == "not measured"
        else:
            assert f" {dimension.score:.0f} (" in row


def test_a_reason_for_not_measuring_is_said_once_for_all_it_holds_for() -> None:
    text = " ".join(" ".join(told(BUILD["alone"]())).split())
    assert text.count("it compares with the original, and none was given") == 1
    assert (
        "- Distribution Fidelity, Correlation Preservation, Generalization Gap, Statistical Consistency: it compares"
    ) in text
    assert "- Gradient Health, Loss Landscape: it needs the cascade of proxy models, which did not run." in text


def test_what_models_learn_takes_two_lines_at_most() -> None:
    for kind, said in {
        "reject": "12% (10 to 15) of what models learn is lost, P(above 5%) 0.97; "
        "by one more generation 6% (3.5 to 9.0)",
        "alone": "one more generation costs 6% (3.5 to 9.0) of what models learn; the one after it 6% (3.5 to 9.0)",
        "underpowered": "little to learn: models hardly beat a constant guess; from 15 of 18 models",
    }.items():
        lines = told(BUILD[kind]())
        (first,) = [at for at, each in enumerate(lines) if each.startswith("Training")]
        last = next(at for at in range(first, len(lines)) if not lines[at].strip() or lines[at].startswith("Rows"))
        assert last - first <= 2
        assert " ".join(" ".join(lines[first:last]).split()) == f"Training {said}"
    assert not [each for each in told(BUILD["untrained"]()) if each.startswith("Training")]


def test_a_notebook_shows_the_same_and_escapes_names() -> None:
    shown = html(cases.validation("reject", names=cases.HOSTILE, cascade=cascades.cascade()))
    assert "<p>Models trained on the candidate lose 12% (10 to 15) of what models trained on the original" in shown
    assert "<script" not in shown
    assert "Models trained" not in html(BUILD["untrained"]())


def test_one_line() -> None:
    assert line(BUILD["reject"]()) == "reject: score 32 (29 to 35), P(collapse) 0.97, medium damage 13%"


def test_flagged_rows_are_said_in_a_line() -> None:
    said = " ".join(" ".join(told(BUILD["reject"]())).split())
    assert "Rows 240 of 20,190 flagged: 120 copies, 120 unlikely combination; most by age" in said
