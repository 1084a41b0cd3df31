"""Do differences between arms come with intervals that hold what they say, and nothing where there is no difference?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretrain.cascade.comparison import compare as comparing
from foretrain.cascade.comparison.compare import compare, weigh
from foretrain.cascade.comparison.metric import METRICS, metric
from foretrain.cascade.comparison.resampling import HeldOut
from foretrain.cascade.problem import Arm, Problem, Study
from foretrain.cascade.record import ArmName, Goal
from foretrain.cascade.tiers.tier import Run, Trained
from foretrain.seeds import stream

Floats = npt.NDArray[np.float64]
ARMS: tuple[ArmName, ...] = ("original", "candidate", "child")
TIERS = ("trees", "mlp", "resonance")
GUESS = 1.0


def study(rows: int, arms: Sequence[ArmName] = ARMS, goal: Goal = "regression") -> Study:
    some = {"goal": np.zeros(rows)}
    return Study(Problem("table", goal, "y", 1), dict.fromkeys(arms, Arm(some, some)), some, rows, "none", GUESS)


def model(run: Run, loss: Floats | None, parameters: int = 1000, right: Floats | None = None) -> Trained:
    return Trained(run, loss, right, "converged" if loss is not None else "diverged", None, 10, 1.0, (), parameters)


def models(
    rng: np.random.Generator,
    rows: int = 300,
    *,
    shift: Mapping[ArmName, float] = {},
    apart: float = 0.3,
    seeds: Sequence[float] = (0.02, 0.02, 0.02),
    own: float = 0.1,
    arms: Sequence[ArmName] = ARMS,
) -> dict[str, list[Trained]]:
    """Six models a tier: rows are of different difficulty, rows and seeds scatter, arms are shifted by so much.

    Args:
        apart: deviation of a row's difference between two arms, the same at every seed.
        seeds: deviation of the difference at one seed, each tier's.
        own: deviation of a row's difference at one seed.
    """
    out = {}
    for k, (tier, deviation) in enumerate(zip(TIERS, seeds, strict=True)):
        difficulty = 0.4 + 0.5 * rng.standard_normal(rows)
        of_arm = {arm: apart / 2**0.5 * rng.standard_normal(rows) for arm in arms}
        of_seed = 0.05 * rng.standard_normal(2)
        out[tier] = [
            model(
                Run(seed, arm),
                difficulty
                + of_arm[arm]
                + of_seed[seed]
                + shift.get(arm, 0.0)
                + (deviation * rng.standard_normal() + own * rng.standard_normal(rows)) / 2**0.5,
                10 ** (3 + k),
            )
            for arm in arms
            for seed in (0, 1)
        ]
    return out


@given(st.integers(0, 1000), st.floats(0.01, 0.5))
@settings(max_examples=10, deadline=None)
def test_identical_arms_differ_by_exactly_nothing(seed: int, margin: float) -> None:
    rng = np.random.default_rng(seed)
    alike = {
        tier: [model(Run(s, arm), loss) for s, loss in enumerate(rng.random((2, 40))) for arm in ARMS] for tier in TIERS
    }
    found = compare(alike, study(40), seed, margin)
    for difference in (*found.harm, *found.decay):
        assert difference.loss == difference.share == difference.metric == 0.0
        assert difference.interval == difference.share_interval == (0.0, 0.0)
    assert found.probability_of_harm == 0.0
    assert found.agreement == 1.0


def test_arms_that_are_alike_are_seldom_harmful() -> None:
    found = [compare(models(np.random.default_rng(seed)), study(300), seed, 0.05) for seed in range(20)]
    chances = [each.probability_of_harm or 0.0 for each in found]
    assert np.mean(chances) < 0.2
    assert np.mean([chance > 0.9 for chance in chances]) <= 0.1


@given(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
@settings(max_examples=15, deadline=None)
def test_a_known_shift_is_found(harm: float, decay: float) -> None:
    made = models(np.random.default_rng(0), 2000, shift={"candidate": harm, "child": harm + decay}, own=0.02)
    found = compare(made, study(2000), 0, 0.05)
    assert [d.tier for d in found.harm] == [*TIERS, "all"]
    assert [d.arms for d in found.decay] == [("child", "candidate")] * 4
    for differences, wanted in ((found.harm, harm), (found.decay, decay)):
        for difference in differences:
            assert difference.loss == pytest.approx(wanted, abs=0.06)
            assert difference.interval[0] <= difference.loss <= difference.interval[1]
            # R squared falls by what the loss rises, as a share of the guess
            assert difference.metric == pytest.approx(-difference.loss / GUESS)
    assert found.probability_of_harm is not None
    if abs(harm / 0.6 - 0.05) > 0.1:  # the originals' models learn 0.6 of the guess's 1
        assert (found.probability_of_harm > 0.5) == (harm / 0.6 > 0.05)


@pytest.mark.parametrize(
    "kind",
    [
        {},
        {"seeds": (0.0, 0.0, 0.0)},
        {"seeds": (0.0, 0.01, 0.03)},
        {"apart": 0.05, "own": 0.02},
        {"apart": 0.0, "own": 0.3, "seeds": (0.0, 0.0, 0.0)},
    ],
    ids=["usual", "seeds alike", "tiers apart", "seeds above all", "rows at a seed above all"],
)
def test_a_90_percent_interval_holds_the_truth_as_often(
    kind: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "DRAWS", 600)
    monkeypatch.setattr(comparing, "STRETCH", 1.0)  # these rows are learned from by nobody
    held, trials = np.zeros(8), 120
    for trial in range(trials):
        rng = stream(trial, "coverage", str(kind))
        found = compare(models(rng, 120, shift={"candidate": 0.05, "child": 0.1}, **kind), study(120), trial, 0.05)  # type: ignore[arg-type]
        held += [d.interval[0] <= 0.05 <= d.interval[1] for d in (*found.harm, *found.decay)]
    assert 0.85 <= held.mean() / trials <= 0.95
    assert (held / trials > 0.8).all()


def test_intervals_are_stretched_for_the_draw_of_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = models(stream(0, "stretch"), 120, shift={"candidate": 0.05, "child": 0.1})
    wide = compare(arms, study(120), 0, 0.05).harm
    monkeypatch.setattr(comparing, "STRETCH", 1.0)
    for one, other in zip(wide[:-1], compare(arms, study(120), 0, 0.05).harm[:-1], strict=True):
        ends = [np.subtract(each.interval, each.loss) for each in (one, other)]
        assert np.allclose(ends[0], 1.2 * ends[1], rtol=1e-6)
        assert one.loss == other.loss


def test_models_that_did_not_end_are_left_out_with_their_pair() -> None:
    made = models(np.random.default_rng(0), shift={"candidate": 0.1})
    whole = compare(made, study(300), 0, 0.05)
    for lost in (made["mlp"][2], made["resonance"][0], made["resonance"][1]):
        made = {tier: [model(each.run, None) if each is lost else each for each in all_] for tier, all_ in made.items()}
    found = compare(made, study(300), 0, 0.05)
    assert [d.tier for d in found.harm] == ["trees", "mlp", "all"]
    assert [d.tier for d in found.decay] == ["trees", "mlp", "resonance", "all"]
    one = {run: loss for each in made["mlp"] if (loss := each.loss) is not None and (run := each.run)}
    assert found.harm[1].loss == pytest.approx(float((one[Run(1, "candidate")] - one[Run(1, "original")]).mean()))
    assert found.harm[0].loss == whole.harm[0].loss


def test_nothing_can_be_said_of_models_that_all_failed() -> None:
    failed = {tier: [model(Run(s, arm), None) for arm in ARMS for s in (0, 1)] for tier in TIERS}
    found = compare(failed, study(10), 0, 0.05)
    assert found.harm == found.decay == ()
    assert found.probability_of_harm is found.slope is None
    assert len(found.notes) == 1


def test_without_an_original_there_is_decay_alone() -> None:
    arms: tuple[ArmName, ...] = ("candidate", "child", "grandchild")
    made = models(np.random.default_rng(0), 1000, shift={"child": 0.1, "grandchild": 0.3}, arms=arms)
    found = compare(made, study(1000, arms), 0, 0.05)
    assert found.harm == ()
    assert found.probability_of_harm is None
    assert [d.arms for d in found.decay] == [("child", "candidate")] * 4 + [("grandchild", "child")] * 4
    assert [d.loss for d in found.decay if d.tier == "all"] == pytest.approx([0.1, 0.2], abs=0.05)


def test_copies_of_a_row_count_once() -> None:
    made = models(np.random.default_rng(0), 100, seeds=(0.0, 0.0, 0.0), own=0.0)
    once = compare(made, study(100), 0, 0.05)
    four = {
        tier: [model(each.run, np.tile(each.loss, 4), each.parameters) for each in all_ if each.loss is not None]
        for tier, all_ in made.items()
    }
    apart = compare(four, study(400), 0, 0.05)
    together = compare(four, study(400), 0, 0.05, np.tile(np.arange(100), 4))
    width = [float(np.ptp(found.harm[0].interval)) for found in (once, apart, together)]
    assert width[2] == pytest.approx(width[0])
    assert width[1] == pytest.approx(width[0] / 2, rel=0.1)


def test_a_tier_that_learned_nothing_is_measured_by_the_guess() -> None:
    made = models(np.random.default_rng(0), 1000, shift=dict.fromkeys(ARMS, 0.6) | {"candidate": 0.8})
    found = compare(made, study(1000), 0, 0.05)
    assert found.notes[0].endswith(
        "in trees, mlp, resonance: there, what others lose is a share of the whole loss of that guess."
    )
    assert found.harm[0].share == pytest.approx(found.harm[0].loss / GUESS)
    assert found.harm[-1].share == pytest.approx(0.2, abs=0.05)


def test_a_tier_that_learned_nothing_has_no_say_beside_others() -> None:
    made = models(np.random.default_rng(0), 1000, shift={"candidate": 0.1}, own=0.01)
    strong = compare(made, study(1000), 0, 0.05)
    made["trees"] = models(np.random.default_rng(0), 1000, shift=dict.fromkeys(ARMS, 0.6), own=0.01)["trees"]
    found = compare(made, study(1000), 0, 0.05)
    assert found.notes[0].startswith(
        "Models of the original learned less than 5% of what a constant guess gets wrong in trees:"
    )
    assert abs(found.harm[0].share) < 0.05
    assert found.harm[-1].share == pytest.approx(np.mean([d.share for d in found.harm[1:3]]), abs=0.02)
    assert found.harm[-1].share == pytest.approx(strong.harm[-1].share, abs=0.05)
    assert found.slope is not None


def test_the_slope_is_the_change_for_tenfold_parameters() -> None:
    made = {
        tier: [model(Run(s, arm), np.full(20, 0.5 + 0.1 * k * (arm == "candidate"))) for arm in ARMS for s in (0, 1)]
        for k, tier in enumerate(TIERS)
    }
    sized = {tier: [model(m.run, m.loss, 10 ** (3 + k)) for m in all_] for k, (tier, all_) in enumerate(made.items())}
    assert compare(sized, study(20), 0, 0.05).slope == pytest.approx(0.2)
    assert compare(made, study(20), 0, 0.05).slope is None


def test_disagreeing_tiers_are_told() -> None:
    signs = dict(zip(TIERS, (1.0, 1.0, -1.0), strict=True))
    made = {
        tier: [model(Run(s, arm), np.full(20, 0.5 + 0.1 * sign * (arm == "candidate"))) for arm in ARMS for s in (0, 1)]
        for tier, sign in signs.items()
    }
    assert compare(made, study(20), 0, 0.05).agreement == pytest.approx(2 / 3)


def test_the_same_seed_says_the_same() -> None:
    made = models(np.random.default_rng(0))
    assert compare(made, study(300), 5, 0.05) == compare(made, study(300), 5, 0.05)
    assert compare(made, study(300), 5, 0.05) != compare(made, study(300), 6, 0.05)


def test_tiers_weigh_by_certainty_only_where_they_agree() -> None:
    assert weigh(np.asarray([0.1, 0.1, 0.1]), np.asarray([1.0, 1.0, 2.0])) == pytest.approx([0.4, 0.4, 0.2])
    apart = weigh(np.asarray([0.0, 10.0, -10.0]), np.asarray([1.0, 1.0, 2.0]))
    assert apart == pytest.approx([1 / 3] * 3, abs=0.01)
    assert weigh(np.zeros(3), np.asarray([0.0, 1.0, 1.0])) == pytest.approx([1 / 3] * 3)


def test_the_bootstrap_of_groups_has_the_variance_of_their_means() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(80), 3)
    values = np.repeat(rng.standard_normal(80), 3) + 0.1 * rng.standard_normal(240)
    held_out = HeldOut.of(groups)
    wanted = values.reshape(80, 3).mean(1).var(ddof=1) / 80
    assert held_out.variance(values) == pytest.approx(wanted)
    assert held_out.bootstrap(values, 4000, rng).var() == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("goal", METRICS)
def test_a_metric_is_0_for_the_guess_and_higher_for_the_better(goal: Goal) -> None:
    at = [
        metric(goal, model(Run(0, "original"), np.full(4, loss), right=np.full(4, right)), GUESS)
        for loss, right in ((1.0, 0.0), (0.5, 1.0))
    ]
    assert at[0] is not None
    assert at[1] is not None
    assert at[0] == pytest.approx(np.zeros(4))
    assert (at[1] > 0).all()
    if goal == "next byte":
        assert at[1] == pytest.approx(0.5 / np.log(2))
    assert metric(goal, model(Run(0, "original"), None), GUESS) is None
