"""Is the calibration fitted without sight of what it is measured on, and are its error rates scikit-learn's?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, roc_auc_score

from foretrain.collapse import calibration
from foretrain.collapse.loops import fit, rebuild
from foretrain.collapse.pairing import Paired
from foretrain.errors import InternalError

SOURCES = ("iris", "fair", *(f"simulated-{k}" for k in range(6)))


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "TREES", 24)


def pairs(seed: int = 0, each: int = 60) -> pd.DataFrame:
    """Labelled pairs in which one statistic tells the damage, with some noise, and another nothing."""
    rng = np.random.default_rng(seed)
    n = each * len(SOURCES)
    damage = np.where(rng.random(n) < 0.4, 0.0, rng.uniform(0.05, 1, n))
    # rising with generations, so that damage can be told in generations
    strength = np.ceil(20 * damage)
    gap = damage + 0.08 * rng.standard_normal(n)
    return pd.DataFrame(
        {
            "source": np.repeat(SOURCES, each),
            "mechanism": np.where(damage > 0, "loop_gaussian", "fresh"),
            "strength": strength,
            "rows": 60,
            "label": np.where(damage == 0, 0.0, np.where(damage < 0.1, np.nan, 1.0)),
            "damage": damage,
            "repeats": 4,
            "d_worth": gap,
            "z_worth": np.sign(gap) * np.log1p(np.abs(gap) / 0.05),
            "d_idle": rng.standard_normal(n),
            "z_idle": 0.1 * rng.standard_normal(n),
            "a_inside": gap,
        }
    )


def test_error_rates_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 300).astype(float)
    chance, damage = np.clip(0.25 + 0.4 * label + 0.3 * rng.standard_normal(300), 0, 1), label * rng.random(300)
    found = fit.error_rates(chance, label, damage)
    said = chance >= 0.5
    (true_healthy, false_alarm), (miss, hit) = confusion_matrix(label, said)
    assert found.pairs == 300
    assert found.auroc == pytest.approx(roc_auc_score(label, chance))
    assert found.accuracy == pytest.approx(accuracy_score(label, said))
    assert found.false_alarms == pytest.approx(false_alarm / (false_alarm + true_healthy))
    assert found.misses == pytest.approx(miss / (miss + hit))
    count = [((damage >= a) & (damage < b) & (label == 1)) for a, b in ((0, 0.3), (0.3, 0.6), (0.6, 1.1))]
    weight = [c.sum() / label.sum() for c in count]
    assert np.dot(weight, list(found.misses_by_severity.values())) == pytest.approx(found.misses)


@pytest.mark.parametrize("source", ["fair", "simulated-3"])
def test_a_source_is_predicted_without_its_own_labels(source: str) -> None:
    honest, lied_to = pairs(), pairs()
    own = (honest["source"] == source).to_numpy()
    lied_to.loc[own, "label"] = 1 - lied_to.loc[own, "label"]
    lied_to.loc[own, "damage"] = 1 - lied_to.loc[own, "damage"]
    one, other = fit.Fit(honest).held, fit.Fit(lied_to).held
    assert (one.vote[own] == other.vote[own]).all()
    assert (one.damage[own] == other.damage[own]).all()
    assert not (one.vote[~own] == other.vote[~own]).all()


def test_a_fit_finds_what_is_there_and_repeats_itself() -> None:
    found = fit.Fit(pairs()).calibration()
    assert found.error_rates is not None
    assert found.error_rates.auroc > 0.97
    assert found.names == ("d_idle", "d_worth", "z_idle", "z_worth")
    assert set(found.curves) == {"worth"}  # the idle statistic never departs from fresh samples
    curve = found.curves["worth"]
    assert (np.diff(curve, axis=0) >= 0).all()
    assert np.interp(0.5, *curve.T) == pytest.approx(0.5, abs=0.15)
    assert np.interp(0.5, found.generations[:, 1], found.generations[:, 0]) == pytest.approx(10, abs=3)
    assert found.residual[0].tolist()[:2] == [0.0, 0.0]
    again = fit.Fit(pairs()).calibration()
    assert again.version == found.version
    x = np.random.default_rng(0).normal(size=(20, 4))
    assert (again.collapse.predict(x) == found.collapse.predict(x)).all()
    assert fit.Fit(pairs(1)).calibration().version != found.version


def test_nine_in_ten_damages_lie_in_their_interval() -> None:
    fitted = fit.Fit(pairs(each=150))
    known = fitted.known
    found = fitted.calibration()
    made, true = fitted.held.damage[known], fitted.damage[known]
    low, high = (np.interp(made, found.residual[:, 0], found.residual[:, k]) for k in (1, 2))
    assert ((true >= low) & (true <= high)).mean() == pytest.approx(0.9, abs=0.06)


def test_few_healthy_small_tables_reach_the_probability_of_rejection() -> None:
    fitted = fit.Fit(pairs(each=100))
    found = fitted.calibration()
    assert found.caution[:, 0].tolist() == [80.0], "the only size that is small"
    assert found.least(80) == found.least(1) == found.caution[0, 1]
    assert found.least(81) == 0.0
    healthy = found.probability(fitted.held.vote[fitted.label == 0], 4)
    assert 0 < (healthy >= found.least(80)).mean() <= fit.FALSE_ALARMS + 1 / len(healthy)


def test_a_calibration_survives_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = fit.Fit(pairs()).calibration()
    rebuild.write(wanted, {"command": "test"}, tmp_path / "fitted")
    assert sorted(path.name for path in (tmp_path / "fitted").iterdir()) == ["calibration.json", "forests.safetensors"]
    monkeypatch.setattr(calibration, "files", lambda package: tmp_path)
    found = calibration.load.__wrapped__()
    assert found.caution.tolist() == wanted.caution.round(6).tolist()
    assert (found.version, found.names, found.error_rates) == (wanted.version, wanted.names, wanted.error_rates)
    rng = np.random.default_rng(0)
    paired = Paired(("worth", "idle"), rng.normal(0, 0.05, (6, 2)), rng.normal([0.5, 0], 0.05, (6, 2)), 100, {})
    assert found.judge(paired, 3).damage == pytest.approx(wanted.judge(paired, 3).damage)
    assert found.judge(paired, 3).probability == pytest.approx(wanted.judge(paired, 3).probability, abs=1e-5)
    (tmp_path / "fitted" / "forests.safetensors").write_bytes(b"torn")
    with pytest.raises(InternalError, match="cannot be read"):
        calibration.load.__wrapped__()
