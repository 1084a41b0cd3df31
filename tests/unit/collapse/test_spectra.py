"""Are spectra along time and along principal axes those of SciPy and scikit-learn?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter, welch
from sklearn.decomposition import PCA
from unit.collapse.tables import table

from foretrain.collapse import spectrum, timeline
from foretrain.collapse.pairing import Paired
from foretrain.collapse.statistics.spectrum import difference


def series(rows: int, seed: int, memory: float = 0.9) -> np.ndarray:
    """Two autoregressive columns."""
    noise = np.random.default_rng(seed).normal(size=(rows, 2))
    return np.asarray(lfilter([1.0], [1.0, -memory], noise, axis=0))


def test_the_spectrum_in_time_is_welchs() -> None:
    a, b = series(512, 1), series(512, 2, 0.5)
    power = [np.log(welch((s - s.mean(axis=0)) / b.std(axis=0), nperseg=64, axis=0)[1][1:] + 1e-4) for s in (a, b)]
    assert difference(a, b) == pytest.approx(np.sqrt(((power[0] - power[1]) ** 2).mean()))
    assert difference(b, b) == 0.0


def test_half_the_amplitude_is_a_quarter_of_the_power() -> None:
    b = series(1024, 3)
    assert difference(0.5 * b + 7.0, b) == pytest.approx(np.log(4), rel=0.01)


def test_gaps_in_a_series_do_not_stop_the_comparison() -> None:
    a, b = series(256, 1), series(256, 2)
    a[::17] = np.nan
    assert np.isfinite(difference(a, b))


def empty(repeats: int) -> Paired:
    return Paired((), np.empty((repeats, 0)), np.empty((repeats, 0)), 0, {})


def test_shuffled_time_stands_out_from_stretches_of_the_original() -> None:
    real = series(1500, 4)
    shuffled, fresh = np.random.default_rng(0).permutation(real), series(1500, 5)
    gaps = {}
    for name, made in (("shuffled", shuffled), ("fresh", fresh)):
        found = timeline.with_time(empty(12), made, real, 0)
        assert found.names == ("spectrum_in_time",)
        gaps[name] = float((found.candidate - found.fresh).mean() / found.fresh.std(ddof=1))
    assert gaps["shuffled"] > 5.0
    assert abs(gaps["fresh"]) < 2.0


def test_a_series_too_short_for_stretches_is_left_alone() -> None:
    paired = empty(4)
    assert timeline.with_time(paired, series(500, 1), series(191, 2), 0) is paired
    assert timeline.with_time(paired, series(500, 1)[:, :0], series(500, 2)[:, :0], 0) is paired


def test_variances_along_the_axes_are_pcas() -> None:
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(4, 4))
    real, made = rng.normal(size=(500, 4)) @ mix, 0.5 * rng.normal(size=(500, 4)) @ mix
    found = spectrum.of(table(made), table(real), 0)
    assert found is not None
    pca = PCA().fit(real / real.std(axis=0))
    assert found.original == pytest.approx(pca.explained_variance_ratio_)
    along = (made / real.std(axis=0) @ pca.components_.T).var(axis=0)
    assert found.candidate == pytest.approx(along / pca.explained_variance_.sum())
    assert sum(found.candidate) == pytest.approx(0.25, rel=0.1)
    assert all(low <= value <= high * 1.1 for value, (low, high) in zip(found.original, found.fresh, strict=True))


def test_one_axis_has_no_spectrum() -> None:
    rows = table(np.random.default_rng(0).normal(size=50))
    assert spectrum.of(rows, rows, 0) is None
    constant = table(np.ones((50, 3)))
    assert spectrum.of(constant, constant, 0) is None
