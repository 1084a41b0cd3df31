"""Does the sentence about a cascade say what its figures say, whatever came of it?"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.report.cascades import TIERS, cascade

from foretrain.cascade.record import Cascade
from foretrain.cascade.sentences import agreement, learns_little, line, percent, sentences, span, weak

MINUS = "\N{MINUS SIGN}"
HARM = "Models trained on the candidate lose 12% (10 to 15) of what models trained on the original learn."
ALL_OF_THE_CANDIDATE = [(tier, "candidate") for tier in TIERS for _ in (0, 1)]


def said(found: Cascade) -> str:
    return " ".join(sentences(found))


def test_harm_its_probability_and_one_more_generation() -> None:
    assert said(cascade()) == (
        f"{HARM} The probability that more than 5% is lost is 97%. "
        "One more generation would cost another 6% (3.5 to 9.0)."
    )


def test_no_harm() -> None:
    assert said(cascade(0.004, 0.003)) == (
        "Models trained on the candidate learn as much as models trained on the original, to within 3.4%. The "
        "probability that more than 5% is lost is 2%. One more generation would cost at most 3.3% more, if anything."
    )


def test_too_uncertain_to_tell() -> None:
    assert said(cascade(0.04, -0.2, wide=0.1, probability_of_harm=0.4)) == (
        "Models trained on the candidate may lose up to 16% of what models trained on the original learn, or nothing: "
        "the difference is not larger than chance. The probability that more than 5% is lost is 40%. "
        "One more generation would cost nothing more."
    )


def test_a_gain() -> None:
    assert said(cascade(-0.08, 0.06, probability_of_harm=0.0)) == (
        "Models trained on the candidate lose nothing: they learn 8% (5 to 11) more than models trained on the "
        "original. The probability that more than 5% is lost is under 1%. "
        "One more generation would cost 6% (3.5 to 9.0)."
    )


def test_everything_lost() -> None:
    assert said(cascade(1.3, 0.003, probability_of_harm=1.0)).startswith(
        "Models trained on the candidate lose 130% (128 to 133) of what models trained on the original learn: they are "
        "no better than a constant guess. The probability that more than 5% is lost is over 99%."
    )


def test_nothing_to_learn() -> None:
    assert said(cascade(0.3, 0.1, learned=0.05, wide=0.6)) == (
        "There is little to learn: models trained on the original are hardly better than a constant guess, "
        "so there is little that could be lost."
    )


def test_without_an_original() -> None:
    assert said(cascade(original=False)) == (
        "Models trained on a child of the candidate lose 6% (3.5 to 9.0) of what models trained on the candidate "
        "itself learn. One more generation would cost another 6% (3.5 to 9.0). "
        "What the candidate itself has lost cannot be seen without an original."
    )


def test_nothing_to_compare() -> None:
    assert said(cascade(failed=ALL_OF_THE_CANDIDATE)) == (
        "What models learn from the candidate cannot be said: too few models finished, 12 of 18."
    )


def test_models_that_did_not_finish_are_counted() -> None:
    found = cascade(failed=[("mlp", "candidate"), ("resonance", "child"), ("resonance", "child")])
    assert sentences(found)[0] == HARM
    assert sentences(found)[-1] == "This rests on 15 of 18 models."
    assert line(found).endswith("; from 15 of 18 models")


def test_the_same_in_one_line() -> None:
    assert line(cascade()) == (
        "12% (10 to 15) of what models learn is lost, P(above 5%) 0.97; by one more generation 6% (3.5 to 9.0)"
    )
    assert line(cascade(original=False)) == (
        "one more generation costs 6% (3.5 to 9.0) of what models learn; the one after it 6% (3.5 to 9.0)"
    )
    assert line(cascade(learned=0.05)) == "little to learn: models hardly beat a constant guess"
    assert line(cascade(failed=ALL_OF_THE_CANDIDATE)) == "too few finished, 12 of 18 models"


def test_agreement_and_slope_are_said() -> None:
    assert agreement(cascade()) == (
        "3 of 3 sizes of models agree on the direction; with ten times the parameters the lost share is 1.2 points "
        "higher."
    )
    assert "is 12 points lower." in agreement(cascade(slope=-0.12))
    assert "is the same." in agreement(cascade(slope=0.0001))
    assert agreement(cascade(slope=None, agreement=2 / 3)) == "2 of 3 sizes of models agree on the direction."
    two = cascade(failed=[("mlp", "candidate"), ("mlp", "candidate")])
    assert agreement(two).startswith("2 of 2 sizes")
    assert agreement(cascade(original=False)).startswith("3 of 3 sizes")


@given(st.floats(0, 1.4), st.floats(0.1, 5))
def test_one_tier_that_learns_enough_is_enough(share: float, guess: float) -> None:
    found = cascade(guess=guess)
    first = [
        model.model_copy(update={"loss": guess if model.tier != "mlp" else guess * (1 - share)})
        if model.arm == "original"
        else model
        for model in found.models
    ]
    changed = found.model_copy(update={"models": tuple(first)})
    if share != pytest.approx(0.05):
        assert learns_little(changed) == (share < 0.05)
        assert weak(changed) == (["trees", "resonance"] if share > 0.05 else list(TIERS))


def test_what_is_lost_many_times_over_is_only_said_to_be_more() -> None:
    assert (percent(12.0), percent(-80.0), span((-80.0, 0.4))) == (
        "over 999%",
        f"under {MINUS}999%",
        f"under {MINUS}999 to 40",
    )


@given(st.floats(-9, 9), st.floats(-9, 9))
def test_numbers_have_at_most_three_digits_and_keep_their_sign(one: float, other: float) -> None:
    text = percent(one)
    assert len(re.sub(r"\D", "", text)) <= 3
    assert float(text.removesuffix("%").replace(MINUS, "-")) == pytest.approx(100 * one, abs=0.5001)
    low, _, high = span((min(one, other), max(one, other))).partition(" to ")
    assert len(re.sub(r"\D", "", low)) <= 3
    assert float(low.replace(MINUS, "-")) <= float((high or low).replace(MINUS, "-"))
