"""What do trained models change in the dimensions and in the verdict?"""

from __future__ import annotations

import numpy as np
import pytest
from unit.collapse.cascades import cascade, contrast
from unit.collapse.tables import QUICK, frame, narrowed, profiled
from unit.collapse.test_dimensions import CURVE, paired

from foretrain.cascade.record import Cascade
from foretrain.collapse import score, training, verdict
from foretrain.collapse.dimensions import DIMENSIONS
from foretrain.collapse.dimensions.dimension import NO_CASCADE, Comparison, Family, Statistic
from foretrain.collapse.dimensions.training import LOST, WithTraining
from foretrain.collapse.record import Collapse, Dimension, DimensionName
from foretrain.record import NotRun
from foretrain.settings import VerdictSettings

CURVES = {f"{name}, mlp": CURVE for name in ("noise_scale", "direction", "condition", "gap")} | {"up": CURVE}
SKILL = WithTraining(Family("generalization_gap", "T", "Q?", (Statistic("up", "up", "more", "{value} {fresh}"),)))
BY_NAME = {dimension.name: dimension for dimension in DIMENSIONS}
SETTINGS = VerdictSettings()


def measured(name: DimensionName, found: Cascade | NotRun) -> Dimension:
    return BY_NAME[name].measure(Comparison(paired(0.0, 0.0), CURVES, (), 0, found))


def test_a_dimension_of_contrasts_is_what_the_curve_says_of_the_worst() -> None:
    found = measured("gradient_health", cascade(contrasts=[contrast("noise_scale", -0.6), contrast("direction", -0.5)]))
    assert found.measured
    assert found.score == pytest.approx(40.0)
    assert [e.badness for e in found.evidence] == pytest.approx([0.6, 0.5])
    assert found.evidence[0].sentence.endswith("(mlp).")
    assert found.interval is not None
    assert found.fresh is not None
    # the difference is off by a deviation of 0.1: 90 % of the time by less than 0.165
    assert found.interval == pytest.approx((23.5, 56.5), abs=6)
    assert found.fresh[0] > 95
    assert found.smallest_effect == "noise_scale (mlp) off by 0.2"


def test_contrasts_within_the_noise_or_to_the_better_side_cost_nothing() -> None:
    for one in (contrast("noise_scale", 0.19), contrast("direction", 0.9), contrast("noise_scale", 0.6, noise=0.31)):
        assert measured("gradient_health", cascade(contrasts=[one])).score == 100.0


def test_contrasts_without_power_are_shown_and_not_scored() -> None:
    powerless = [contrast("noise_scale", 0.9, scored=False), contrast("noise_scale", 0.9, tier="resonance")]
    found = measured("gradient_health", cascade(contrasts=powerless))
    assert not found.measured
    assert found.score is found.interval is found.fresh is None
    assert "not been shown to tell harm" in (found.reason or "")
    assert [e.badness for e in found.evidence] == [0.0, 0.0]
    both = measured("gradient_health", cascade(contrasts=[*powerless, contrast("direction", -0.4)]))
    assert both.score == pytest.approx(60.0)
    assert len(both.evidence) == 3


def test_a_contrast_speaks_for_its_dimension_alone() -> None:
    found = cascade(contrasts=[contrast("condition", 0.8)])
    assert measured("loss_landscape", found).score == pytest.approx(20.0)
    assert measured("gradient_health", found).reason == "too few rows or models to measure gradients on"


def test_without_a_cascade_the_reason_is_told() -> None:
    why = NotRun(reason="it is switched off")
    assert measured("gradient_health", why).reason == "it is switched off"
    assert measured("loss_landscape", why).reason == "it is switched off"
    assert measured("gradient_health", NO_CASCADE).reason == NO_CASCADE.reason
    assert SKILL.measure(Comparison(paired(0.4, 0.0), CURVES, (), 0, why)).score == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("statistics", "lost", "wanted"),
    [(0.0, 0.25, 80.0), (0.4, 0.25, 60.0), (0.0, 0.05, 100.0), (0.0, -0.5, 100.0), (0.0, 3.0, 0.0)],
)
def test_the_worse_half_carries_the_generalization_gap(statistics: float, lost: float, wanted: float) -> None:
    comparison = Comparison(paired(statistics, 0.0), CURVES, (), 0, cascade([lost] * 3))
    found = SKILL.measure(comparison)
    assert found.score == pytest.approx(wanted)
    assert found.interval is not None
    assert found.interval[0] <= wanted + 1e-9
    assert wanted - 1e-9 <= found.interval[1]
    assert {LOST, "up"} == {e.statistic for e in found.evidence}
    assert "lost share of 7%" in (found.smallest_effect or "")


def test_the_lost_share_comes_with_its_interval() -> None:
    found = SKILL.measure(Comparison(paired(0.0, 0.0), CURVES, (), 0, cascade([0.25] * 3, apart=0.1)))
    assert found.interval == pytest.approx((70.0, 90.0))
    assert found.fresh is not None
    assert found.fresh[0] == pytest.approx(95.0)


def test_the_gap_of_trained_models_enters_too() -> None:
    found = cascade([0.1] * 3, contrasts=[contrast("gap", 0.7)])
    assert SKILL.measure(Comparison(paired(0.0, 0.0), CURVES, (), 0, found)).score == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("lost", "chance", "apart", "harmful"),
    [
        ((0.2, 0.1, 0.1), 0.9, 0.02, True),
        ((0.2, 0.1, 0.1), 0.49, 0.02, False),
        ((0.5, 0.1, -0.1), 0.9, 0.02, True),
        ((0.9, -0.1, -0.1), 0.9, 0.02, False),
        ((0.2, 0.1, 0.1), 0.7, 0.2, False),
    ],
    ids=["sure", "unlikely", "two of three", "one of three", "no more than chance"],
)
def test_harm_must_be_likely_and_agreed_on(lost: tuple[float, ...], chance: float, apart: float, harmful: bool) -> None:
    found = cascade(lost, chance, apart=apart)
    said = verdict.harm(found, SETTINGS)
    assert (said is not None) == harmful
    assert verdict.with_training("approve", said) == ("review" if harmful else "approve")
    for settled in ("reject", "review", "underpowered"):
        assert verdict.with_training(settled, said) == settled
    assert verdict.harm(found, VerdictSettings(reject_at=0.95)) is None
    assert verdict.harm(NO_CASCADE, SETTINGS) is None
    assert verdict.no_harm(found, SETTINGS) is None
    assert verdict.no_harm(NO_CASCADE, SETTINGS) is None
    assert verdict.no_harm(cascade(), SETTINGS) is not None


def test_what_models_lose_is_said_with_its_numbers() -> None:
    said = training.sentence(cascade((0.3, 0.12, -0.1), 0.83))
    assert said == (
        "Models trained on the candidate lose 11% (9 to 13) of what models trained on the original learn. "
        "The probability that more than 5% is lost is 83%."
    )
    little = training.sentence(cascade((0.3, 0.3, 0.3), 0.83, learned=0.01))
    assert little is not None
    assert "+30% of a constant guess's beyond theirs (+28% to +32%)" in little
    assert training.sentence(cascade(original=False)) is None
    assert training.decay(NO_CASCADE) is None
    assert training.decay(cascade()) is None
    assert "lose 20%" in (training.decay(cascade((0.2, 0.2, 0.2), original=False)) or "")


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Collapse]:
    """A healthy and a collapsed candidate, whose models are said to do well, or worse."""
    fresh, bad = frame(400, seed=1), narrowed(frame(400, seed=1))
    out = {}
    for name, rows in (("healthy", fresh), ("collapsed", bad)):
        made, real = profiled(tmp_path_factory.mktemp(name), rows, frame(400))
        for models, found in (("well", cascade()), ("worse", cascade([0.3] * 3, 0.97))):
            out[f"{name}, models {models}"] = score(made, real, QUICK, found)
        out[name] = score(made, real, QUICK)
    out["alone"] = score(made, None, QUICK, cascade([0.2] * 3, original=False))
    return out


def test_models_that_do_worse_ask_for_a_review_of_what_looks_well(judged: dict[str, Collapse]) -> None:
    healthy, worse = judged["healthy"], judged["healthy, models worse"]
    assert (healthy.verdict, worse.verdict) == ("approve", "review")
    assert worse.probability_of_collapse == healthy.probability_of_collapse
    assert worse.reasons[0].startswith("Models trained on the candidate lose 30%")
    assert worse.sentence.startswith("Review: the statistics look well")
    assert "models do not: models trained on the candidate lose 30% (28 to 32) of what" in worse.sentence
    assert worse.dimensions["generalization_gap"].score == pytest.approx(75.0)


def test_models_that_do_well_change_no_verdict(judged: dict[str, Collapse]) -> None:
    for name in ("healthy", "collapsed"):
        assert judged[f"{name}, models well"].verdict == judged[name].verdict
        assert judged[f"{name}, models well"].sentence == judged[name].sentence
    assert "learn as much as models trained on the original" in judged["healthy, models well"].reasons[0]


def test_harm_joins_the_reasons_of_what_is_rejected(judged: dict[str, Collapse]) -> None:
    found = judged["collapsed, models worse"]
    assert found.verdict == "reject"
    assert found.sentence == judged["collapsed"].sentence
    assert sum(reason.startswith("Models trained on the candidate") for reason in found.reasons[:2]) == 1
    assert len(set(found.reasons)) == len(found.reasons) <= 5


def test_notes_say_what_was_not_measured(judged: dict[str, Collapse]) -> None:
    said = [note for note in judged["healthy"].notes if "its training half was not measured" in note]
    assert len(said) == 1
    assert said[0].endswith(f"{NO_CASCADE.reason}.")
    assert not any("training half" in note for note in judged["healthy, models well"].notes)


def test_without_an_original_the_decay_is_a_reason(judged: dict[str, Collapse]) -> None:
    assert "a child of the candidate lose 20% (18 to 22)" in judged["alone"].reasons[-1]


def test_an_interval_of_a_scored_contrast_narrows_with_its_noise() -> None:
    widths = [
        np.ptp(found.interval or (0.0, 0.0))
        for noise in (0.01, 0.1)
        if (found := measured("gradient_health", cascade(contrasts=[contrast("noise_scale", 0.5, noise=noise)])))
    ]
    assert widths[0] < widths[1] / 5
