"""Do boosted trees learn what can be learned, alike for alike seeds, and say what cannot be?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from unit.cascade.learnable import HELD_OUT, PROBLEM, arms
from unit.cascade.studies import settings, studied
from unit.collapse.tables import frame

from foretrain.cascade.losses import losses
from foretrain.cascade.problem import Arm, Problem, Rows, Study, take
from foretrain.cascade.rows import masking
from foretrain.cascade.tiers.tier import Run, Trained
from foretrain.cascade.tiers.trees import TREES, UNSEEN

TUNED = {"leaves": 8, "least": 20}


def fit(problem: Problem, arm: Arm, held_out: Rows, seed: int = 0) -> Trained:
    return TREES.fit(problem, Run(0, "original"), arm, held_out, TUNED, seed)


def mean(found: Trained) -> float:
    assert found.loss is not None
    assert np.isfinite(found.loss).all()
    return float(found.loss.mean())


@pytest.mark.parametrize("target", ["owner", "income", None])
def test_what_can_be_learned_is_and_collapse_costs(tmp_path: Path, target: str | None) -> None:
    narrowed = frame(1500, 1).loc[np.arange(1500) % 150]
    study = studied(tmp_path, narrowed, frame(1500), settings(target))
    found = [fit(study.problem, study.arms[name], study.held_out) for name in ("original", "candidate")]
    assert all(each.loss is not None and len(each.loss) == len(study.groups) for each in found)
    assert mean(found[0]) < 0.98 * study.guess
    assert mean(found[1]) > 1.05 * mean(found[0])
    assert found[0].ending == "converged"
    assert found[0].parameters > 10
    curve = found[0].curve
    assert 2 <= len(curve) <= 25
    assert curve[-1].step == found[0].steps
    assert curve[-1].validation < curve[0].validation
    assert curve[-1].train < curve[0].train
    assert (found[0].right is not None) == (target == "owner")


def test_three_classes_are_told_apart() -> None:
    found = fit(PROBLEM, arms()["original"], HELD_OUT)
    assert found.right is not None
    assert found.right.mean() > 0.65
    assert mean(found) < 0.9


def test_the_size_is_tuned_on_the_first_arm() -> None:
    chance = np.random.default_rng(0)

    def rows(count: int, deep: bool) -> Rows:
        x = chance.normal(size=(count, 6)).astype(np.float32)
        signs = np.sign(x[:, :5]).prod(axis=1) if deep else x[:, 0] + 0.3 * chance.normal(size=count)
        return {
            "numbers": x,
            "nulls": np.zeros_like(x),
            "codes": np.zeros((count, 0), np.int64),
            "goal": signs.astype(np.float32),
        }

    problem = Problem("table", "regression", "y", numbers=6)
    deep, flat = (TREES.tune(problem, Arm(rows(3000, deep), rows(600, deep)), 0) for deep in (True, False))
    assert deep["leaves"] >= 16
    assert flat["leaves"] <= 8


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return studied(tmp_path_factory.mktemp("study"), frame(800, 1), frame(800), settings("owner"))


def test_the_same_seed_gives_the_same_losses(study: Study) -> None:
    arm = study.arms["original"]
    one, again, other = (fit(study.problem, arm, study.held_out, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.loss, again.loss)
    assert [(at.train, at.validation) for at in one.curve] == [(at.train, at.validation) for at in again.curve]
    assert not np.array_equal(one.loss, other.loss)
    assert TREES.tune(study.problem, arm, 1) == TREES.tune(study.problem, arm, 1)


def test_an_arm_of_one_value_fails_with_a_reason(study: Study) -> None:
    arm = study.arms["original"]
    one = {**arm.train, "goal": np.zeros_like(arm.train["goal"])}
    found = fit(study.problem, Arm(one, arm.validation), study.held_out)
    assert (found.loss, found.ending, found.reason) == (None, "failed", "all rows are of one class")
    number = Problem("table", "regression", "y", study.problem.numbers, study.problem.levels)
    sides = [{**rows, "goal": np.full(len(rows["goal"]), 0.5, np.float32)} for rows in (arm.train, arm.validation)]
    assert fit(number, Arm(sides[0], sides[1]), study.held_out).reason == "the target does not vary"
    TREES.tune(study.problem, Arm(one, arm.validation), 0)


def test_a_class_that_the_arm_lacks_costs_a_finite_amount() -> None:
    arm = arms()["original"]
    some = take(arm.train, np.flatnonzero(arm.train["goal"] < 2))
    found = fit(PROBLEM, Arm(some, arm.validation), HELD_OUT)
    lacking = HELD_OUT["goal"] == 2
    assert found.loss is not None
    assert found.loss[lacking] == pytest.approx(-np.log(UNSEEN / 3))
    assert found.loss[~lacking].mean() < 1.0


def test_the_losses_are_the_nets_losses() -> None:
    """A constant is all that can be learned here, and then both definitions must agree."""
    chance = np.random.default_rng(0)

    def rows(count: int) -> Rows:
        return {
            "numbers": chance.normal(size=(count, 1)).astype(np.float32),
            "nulls": (chance.random((count, 1)) < 0.2).astype(np.float32),
            "codes": chance.integers(0, 4, (count, 1)),
        }

    train, held = rows(400), rows(300)
    masked = (chance.random((300, 2)) < 0.5).astype(np.float32)
    held = {**held, "masked": np.where(masked.sum(axis=1, keepdims=True) > 0, masked, 1.0).astype(np.float32)}
    problem = Problem("table", "masked columns", None, 1, (3,))
    few = take(train, np.arange(10))  # too few rows for a tree
    found = fit(problem, Arm(few, few), held)
    known = few["nulls"][:, 0] == 0
    output = np.append(few["numbers"][known, 0].mean(), 0.0)
    likely = np.bincount(few["codes"][:, 0], minlength=4) + 1.0
    likely = (1 - UNSEEN) * likely / likely.sum() + UNSEEN / 4
    output = np.append(output[:1], np.log(likely))
    batch = {name: torch.from_numpy(values)[None] for name, values in held.items()}
    wanted = losses(problem, torch.from_numpy(output).float().expand(1, 300, 5), batch)[0]
    assert found.loss == pytest.approx(wanted.numpy(), rel=1e-4)


def test_a_single_column_and_missing_values(tmp_path: Path) -> None:
    study = studied(tmp_path / "one", frame(300, 1)[["income"]], frame(300)[["income"]])
    assert mean(fit(study.problem, study.arms["original"], study.held_out)) == pytest.approx(study.guess)
    candidate = frame(300, 1)
    candidate["spent"], candidate.loc[:150, "city"] = np.nan, None
    study = studied(tmp_path / "gaps", candidate, frame(300))
    for arm in study.arms.values():
        mean(fit(study.problem, arm, study.held_out))


@pytest.mark.parametrize("k", [1, 3])
def test_pixels_are_told_from_those_around_them(k: int) -> None:
    chance = np.random.default_rng(0)
    shade = chance.normal(size=(600, k, 1, 1)) + chance.normal(size=(600, 1, 1, 1))
    images = (shade + 0.3 * chance.normal(size=(600, k, 8, 8))).astype(np.float32)
    held = masking.hide_pixels(images[:400].astype(np.float64), {"pixels": images[500:]})
    problem = Problem("image", "masked pixels", None, shape=(k, 8, 8))
    found = fit(problem, Arm({"pixels": images[:400]}, {"pixels": images[400:500]}), held)
    assert mean(found) < 0.35
    # hidden pixels are read by nothing: with the same answer, (y + a - f)^2 + (y - a - f)^2 = 2 (y - f)^2 + 2 a^2
    place = held["hidden"][0] > 0
    assert place.sum() == 8 // k
    moved = []
    for shift in (0.5, -0.5):
        pixels = images[500:].copy()
        pixels[:, :, place] += np.float32(shift)
        moved.append(
            fit(problem, Arm({"pixels": images[:400]}, {"pixels": images[400:500]}), {**held, "pixels": pixels}).loss
        )
    assert np.mean(moved, axis=0) == pytest.approx(found.loss + 0.25, abs=1e-4)


def test_large_images_are_read_as_means_of_squares() -> None:
    chance = np.random.default_rng(0)
    label = chance.integers(0, 2, 500)
    images = chance.normal(size=(500, 1, 33, 33)).astype(np.float32)
    images[label == 1, :, 20:30, 20:30] += 1.0
    rows = {"pixels": images, "goal": label}
    problem = Problem("image", "classification", "y", classes=2, shape=(1, 33, 33))
    found = fit(problem, Arm(take(rows, slice(0, 350)), take(rows, slice(350, 400))), take(rows, slice(400, 500)))
    assert found.right is not None
    assert found.right.mean() > 0.95
