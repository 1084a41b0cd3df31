"""Does the calibration of the probes say what the labelled pairs show?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from foretrain.cascade import catalogue
from foretrain.cascade.calibration import fit
from foretrain.cascade.calibration.studies import study_of, target_of
from foretrain.cascade.problem import length
from foretrain.collapse.loops.recipes import GENERATORS, consume
from foretrain.collapse.loops.simulated import Simulated
from foretrain.settings import Effort, Settings

STORED = Path(__file__).parents[2] / "benchmarks" / "probe-pairs.parquet"


def pairs(seed: int = 0, sources: int = 10, each: int = 20) -> pd.DataFrame:
    """Harmful candidates of damage .5 depart by 3 in direction; in curvature all scatter alike."""
    rng = np.random.default_rng(seed)
    n = sources * each
    label = np.tile([0, 1], n // 2)
    return pd.DataFrame(
        {
            "source": np.repeat([f"table {k}" for k in range(sources)], each),
            "label": label,
            "damage": 0.5 * label,
            "d_direction@mlp": -3.0 * label + 0.2 * rng.normal(size=n),
            "n_direction@mlp": 0.5,
            "d_curvature@mlp": 3.0 * rng.normal(size=n),
            "n_curvature@mlp": 0.5,
        }
    )


def test_a_probe_that_tells_harm_is_scored_and_one_of_noise_is_not() -> None:
    found = fit.fitted(pairs()).probes
    assert found["direction"]["mlp"].scored
    assert found["direction"]["mlp"].power > 0.99
    assert not found["curvature"]["mlp"].scored
    assert abs(found["curvature"]["mlp"].power - 0.5) < 0.1


def test_the_curve_says_the_damage_that_went_with_a_departure() -> None:
    of = pairs()[["source", "label", "damage", "d_direction@mlp", "n_direction@mlp"]]
    of = of.set_axis(["source", "label", "damage", "departure", "noise"], axis=1)
    points = fit.curve(of, "less")
    assert points is not None
    assert points[0].tolist() == [0.0, 0.0]
    assert np.allclose(points[1:, 1], 0.5)  # none of those that depart is harmless
    assert (np.diff(points, axis=0) >= 0).all()
    told = fit.badness(of, points, "less")
    assert told[of["label"] == 0].max() == 0.0
    assert told[of["label"] == 1].mean() == pytest.approx(0.5, abs=0.02)
    assert fit.curve(of, "more") is None  # nothing departs that way


def test_of_two_probes_that_say_the_same_one_is_scored() -> None:
    twice = pairs()
    twice["d_tangent@mlp"], twice["n_tangent@mlp"] = twice["d_direction@mlp"], twice["n_direction@mlp"]
    found = fit.fitted(twice).probes
    assert found["direction"]["mlp"].scored != found["tangent"]["mlp"].scored


def test_a_probe_that_alarms_on_the_harmless_is_not_scored() -> None:
    loud = pairs()
    harmless = np.flatnonzero(loud["label"] == 0)[::4]
    loud.loc[harmless, "d_direction@mlp"] = -3.0
    assert not fit.fitted(loud).probes["direction"]["mlp"].scored


def test_what_ships_was_fitted_on_the_stored_pairs() -> None:
    again = fit.fitted(pd.read_parquet(STORED))
    assert again.probes == {
        name: {tier: catalogue.load()[name, tier] for tier in tiers} for name, tiers in again.probes.items()
    }
    scored = {catalogue.BY_NAME[name].dimension for (name, _), fitted in catalogue.load().items() if fitted.scored}
    assert {"gradient_health", "loss_landscape"} <= scored


def test_tables_become_a_study_as_files_would() -> None:
    rng = np.random.default_rng(0)
    original = Simulated(rng).draw(400, rng)
    candidate = next(consume(original, GENERATORS["trees"], 1, rng))
    judge = original.take(slice(0, 90))
    settings = Settings(effort=Effort.QUICK, target=target_of(original))
    made = study_of(candidate, original, settings, judge)
    assert made.problem.target == target_of(original)
    assert made.problem.numbers + len(made.problem.levels) == original.numbers.shape[1] + original.codes.shape[1] - 1
    assert length(made.held_out) == 90
    assert length(study_of(candidate, original, settings).held_out) != 90
