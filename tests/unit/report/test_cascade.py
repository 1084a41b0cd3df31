"""Does the report show of a cascade what its record says?"""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from unit.report import cases
from unit.report.cascades import GUESS, TIERS, cascade
from unit.report.test_figures import having, parsed, percent
from unit.report.test_page import parsed as page_of

from foretrain.cascade.record import Cascade
from foretrain.collapse.record import Evidence
from foretrain.report import figures, render
from foretrain.report.figures.cascade import comparisons, loss_axis, share_axis, ticks, tier_title
from foretrain.report.links import picture_of, places_of
from foretrain.report.wording import MINUS, SPACE

ABSENT = "\N{EN DASH}"
FAILED = [("mlp", "candidate"), ("resonance", "child"), ("resonance", "child")]


def said(found: Cascade) -> str:
    original = found.arms[0] == "original"
    root = page_of(render(cases.validation("reject", columns=2, original=original, cascade=found)))
    (section,) = [node for node in root.iter("section") if node.get("id") == "cascade"]
    return " ".join("".join(section.itertext()).split()).replace(SPACE, " ")


def rows(found: Cascade, at: int = 0) -> ElementTree.Element:
    arms, differences = comparisons(found)[at]
    return parsed(figures.difference_rows(" - ".join(arms), differences, found))


def test_differences_stand_where_they_belong_and_both_pictures_share_the_axis() -> None:
    found = cascade()
    low, high = share_axis(found)
    for at, differences in enumerate((found.harm, found.decay)):
        root = rows(found, at)
        dots = having(root, "ringed")
        assert [percent(dot, "cx") for dot in dots] == pytest.approx(
            [100 * (each.share - low) / (high - low) for each in differences], abs=0.006
        )
        assert {dot.get("class") for dot in dots} == {f"{differences[0].arms[0]} ringed"}
        lines = having(root, "whisker")[::3]
        assert [(percent(each, "x1"), percent(each, "x2")) for each in lines] == [
            tuple(pytest.approx(100 * (end - low) / (high - low), abs=0.006) for end in each.share_interval)
            for each in differences
        ]
        zero = percent(having(root, "zero")[0], "x1")
        assert zero == pytest.approx(100 * -low / (high - low), abs=0.006)
        band = having(root, "margin")[0]
        assert percent(band, "x") + percent(band, "width") / 2 == pytest.approx(zero, abs=0.01)
        assert percent(band, "width") == pytest.approx(100 * 2 * found.margin / (high - low), abs=0.01)


def test_differences_are_named_and_told_in_figures() -> None:
    root = rows(cascade())
    assert [node.text for node in having(root, "strong")] == ["All together", f"12{SPACE}% (10 to 15)"]
    assert [node.text for node in having(root, "label")][:2] == ["Boosted trees (LightGBM)", f"14{SPACE}% (10 to 18)"]
    described = root.findtext("desc") or ""
    assert "All together: 12" in described
    assert [node.text for node in having(root, "label")][6:] == [
        f"{tick}{SPACE}%" for tick in (f"{MINUS}5", "0", "5", "10", "15")
    ]


def test_an_unlimited_difference_is_cut_off_in_the_picture_and_not_in_its_figures() -> None:
    root = rows(cascade(70.0))
    assert 0 <= percent(having(root, "ringed")[-1], "cx") <= 100
    assert having(root, "strong")[1].text == f"over 999{SPACE}% (over 999)"
    marks = [node.text or "" for node in having(root, "label")][6:]
    assert len(marks) > 2
    assert not [mark for mark in marks if "over" in mark]


@pytest.mark.parametrize("tier", TIERS)
def test_curves_end_at_their_losses_and_the_axis_is_the_same_in_all_tiers(tier: str) -> None:
    found = cascade()
    low, high = loss_axis(found)
    root = parsed(figures.learning_curves(found, tier))
    models = [model for model in found.models if model.tier == tier]
    lines = having(root, "line")
    assert [line.get("class") for line in lines] == [f"{model.arm} line thin" for model in reversed(models)]
    for line, model in zip(lines, reversed(models), strict=True):
        drawn = [tuple(map(float, pair.split())) for pair in (line.get("d") or "").strip("M").split("L")]
        assert len(drawn) == len(model.curve)
        assert drawn[-1][1] == pytest.approx(100 * (high - model.curve[-1].validation) / (high - low), abs=0.006)
        assert all(one[0] < other[0] for one, other in pairwise(drawn))
    dots = having(root, "ringed")
    heights = [float(dot.get("cy") or 0) for dot in dots]
    losses = [model.loss for model in models if model.loss is not None]
    assert sorted(range(6), key=lambda k: heights[k]) == sorted(range(6), key=lambda k: -losses[k])
    assert low < min(losses) < GUESS < high
    assert max(percent(dot, "cx") for dot in dots) <= 98


def test_long_curves_are_thinned_and_keep_their_ends() -> None:
    found = cascade()
    model = found.models[-1]
    point = model.curve[0]
    long = tuple(point.model_copy(update={"step": step, "validation": 0.4 + step / 1e5}) for step in range(1000))
    models = (*found.models[:-1], model.model_copy(update={"curve": long}))
    root = parsed(figures.learning_curves(found.model_copy(update={"models": models}), model.tier))
    drawn = (having(root, "line")[0].get("d") or "").split("L")
    assert 100 < len(drawn) <= 121
    assert float(drawn[-1].split()[0]) == pytest.approx(790)


def test_what_rises_far_above_a_guess_is_cut_off() -> None:
    found = cascade()
    model = found.models[-1]
    high = tuple(point.model_copy(update={"validation": 1e30}) for point in model.curve)
    models = (*found.models[:-1], model.model_copy(update={"curve": high, "loss": None, "metric": None}))
    assert loss_axis(found.model_copy(update={"models": models}))[1] < 2 * GUESS


@pytest.mark.parametrize("curve", [0, 1])
def test_models_without_a_curve_are_drawn(curve: int) -> None:
    found = cascade(guess=0.0)
    models = tuple(model.model_copy(update={"curve": model.curve[:curve], "loss": 0.0}) for model in found.models)
    drawn = figures.learning_curves(found.model_copy(update={"models": models}), "mlp")
    assert len(having(parsed(drawn), "ringed")) == 6
    assert "nan" not in drawn
    assert ("without steps" in drawn) == (curve == 0)


def test_models_that_failed_have_no_dot_and_are_named() -> None:
    found = cascade(failed=FAILED)
    root = parsed(figures.learning_curves(found, "resonance"))
    assert {node.get("class") for node in having(root, "ringed")} == {"original ringed", "candidate ringed"}
    assert "child none finished" in (root.findtext("desc") or "")
    text = said(found)
    assert "This rests on 15 of 18 models." in text
    assert text.count("Diverged: by step 40 the training loss was no longer a finite number") == 3


@pytest.mark.parametrize(("low", "high"), [(-0.066, 0.19), (0.33, 0.73), (-1.18, 2.18), (0.0, 1e-6), (2.2, 2.9)])
def test_ticks_are_round_and_inside(low: float, high: float) -> None:
    marks = ticks(low, high)
    assert 3 <= len(marks) <= 8
    assert all(low <= mark <= high for mark in marks)
    for mark in marks:
        assert mark == 0 or float(f"{mark:.3g}") == pytest.approx(mark)


def test_the_section_says_what_is_asked_of_it() -> None:
    text = said(cascade(resumed=2))
    for words in (
        "Models trained on the candidate lose 12 % (10 to 15) of what models trained on the original learn.",
        "The probability that more than 5 % is lost is 97 %. One more generation would cost another 6 % (3.5 to 9.0).",
        "3 of 3 sizes of models agree", "Within 5 %: too little to count as harm", "Candidate against original",
        "Child against candidate", "All 18 models", "Resonance NN, 8 a column, 2 FFT mixers", "10.1 k",
        "what is not has not been shown to, and counts nowhere",
        "18 models, of three sizes and two seeds each, learned to predict weight_kg from 8,000 rows of the original,",
        "of the candidate, or of the child (sequential CART, fitted on the candidate and drawn from).",
        "the same 4,000 rows of the original", "on AMD EPYC", "41.2 k rows a second", "812 MB",
        "went on from a snapshot, 2 times", "Models learn from 8,000 of the original's 20,190 rows.",
    ):  # fmt: skip
        assert words in text


def test_the_time_it_took_is_said_where_it_is_known() -> None:
    found = cases.validation("reject", columns=2, cascade=cascade())
    timed = found.model_copy(update={"timings": {"cascade": 41.26}})
    assert "which were kept from all, on AMD EPYC;" in render(found)
    assert f"which were kept from all, in 41.3{SPACE}s on AMD EPYC;" in render(timed)


def test_without_an_original_generations_are_compared_and_no_harm_is_claimed() -> None:
    text = said(cascade(original=False))
    assert "Child against candidate" in text
    assert "Grandchild against child" in text
    assert "What the candidate itself has lost cannot be seen without an original." in text
    assert "the same 4,000 rows of the candidate" in text
    for absent in ("Harm", "against original", "probability", "Gradients, curvature"):
        assert absent not in text


def test_where_little_was_learned_shares_are_said_to_be_of_the_guess() -> None:
    whole = "a share of the constant guess\N{RIGHT SINGLE QUOTATION MARK}s whole loss"
    text = said(cascade(0.3, 0.1, learned=0.05, wide=0.6))
    assert "There is little to learn" in text
    assert f"Too little was learned by Boosted trees (LightGBM), MLP, Resonance NN: there, as {whole}." in text
    assert whole not in said(cascade())


def test_lines_and_dots_are_compared_only_where_they_were_asked_the_same() -> None:
    same, other = "Where a dot lies above its lines", "asked for other columns than the lines"
    assert same in said(cascade())
    assert other not in said(cascade())
    assert same not in said(cascade(target=None))
    assert other in said(cascade(target=None))
    assert "learned to fill in hidden columns from" in said(cascade(target=None))


def test_where_nothing_could_be_compared_the_models_are_still_shown() -> None:
    text = said(cascade(failed=[(tier, arm) for tier in TIERS for arm in ("candidate", "child") for _ in (0, 1)]))
    assert "cannot be said: too few models finished, 6 of 18" in text
    assert "What is lost" not in text
    assert "All 18 models" in text


def test_what_is_scored_stands_first_and_noise_is_the_unit() -> None:
    found = cascade()
    changed = found.contrasts[0].model_copy(update={"difference": -3.0, "noise": 0.5, "scored": False})
    silent = found.contrasts[1].model_copy(update={"difference": 0.1, "noise": 0.0, "scored": True})
    root = page_of(
        render(cases.validation("reject", cascade=found.model_copy(update={"contrasts": (changed, silent)})))
    )
    (table,) = [node for node in root.iter("div") if node.get("aria-label") == "Properties of gradients and minima"]
    shown = ["".join(row[-1].itertext()) for row in table.iter("tr")][1:]
    assert shown == ["Scored", ABSENT, "Shown, not scored", f"{MINUS}6.0"]


def test_a_hostile_target_is_text_and_nothing_else() -> None:
    for name in cases.HOSTILE:
        page = render(cases.validation("reject", columns=2, cascade=cascade(target=name)))
        root = page_of(page)
        assert len(list(root.iter("script"))) == 1
        assert "\u202e" not in page


def test_the_page_without_a_cascade_has_no_section_and_says_why() -> None:
    found = cases.validation("reject").model_copy(update={"not_run": {"cascade": "it is off at quick effort"}})
    page = render(found)
    assert "cascade" not in places_of(found)
    assert 'id="cascade"' not in page
    assert "What models learn:</strong> it is off at quick effort" in page


def test_reasons_from_training_lead_to_the_section() -> None:
    found = cases.validation("reject", cascade=cascade())
    contrast = found.cascade.contrasts[0] if found.cascade else None
    assert contrast is not None
    gap = found.dimensions["generalization_gap"]
    told = [
        ("share of what can be learned that is lost", "Models trained on the candidate lose 12% of what is learned."),
        (f"{contrast.title} ({contrast.tier})", "Before training, gradients differ."),
    ]
    evidence = tuple(
        Evidence(statistic=name, value=0.1, fresh=0.0, badness=0.5, sentence=sentence) for name, sentence in told
    )
    changed = found.model_copy(
        update={"dimensions": found.dimensions | {"generalization_gap": gap.model_copy(update={"evidence": evidence})}}
    )
    for each in evidence:
        assert picture_of(each.sentence, changed).href == "#cascade"
        without = changed.model_copy(update={"cascade": None})
        assert picture_of(each.sentence, without).href == "#generalization_gap"


def test_a_tier_is_named_by_its_architecture() -> None:
    assert [tier_title(cascade(), tier) for tier in (*TIERS, "all", "unknown")] == [
        "Boosted trees (LightGBM)", "MLP", "Resonance NN", "All together", "Unknown",
    ]  # fmt: skip
