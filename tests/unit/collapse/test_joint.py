"""Are correlations and principal axes those of NumPy and scikit-learn?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA
from unit.collapse.tables import sides, table

from foretrain.collapse.statistics import joint


def points(rows: int, seed: int, tie: float = 0.8) -> np.ndarray:
    """Four columns, the first two tied, the last nearly a copy."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    x[:, 1] += tie * x[:, 0]
    x[:, 3] = x[:, 2] + 0.1 * x[:, 3]
    return x


def test_fisher_z_of_correlations() -> None:
    a, b = sides(table(points(300, 1, 0.2)), table(points(400, 2)))
    upper = np.triu_indices(4, 1)
    za, zb = (np.arctanh(np.clip(np.corrcoef(s.points, rowvar=False)[upper], -0.995, 0.995)) for s in (a, b))
    found = joint.measure(a, b)
    assert found["correlation_rms"] == pytest.approx(np.sqrt(((za - zb) ** 2).mean()))
    assert found["correlation_max"] == pytest.approx(np.abs(za - zb).max())
    slope = (za * zb).sum() / ((zb**2).sum() + 1e-3 * len(zb)) - 1
    assert found["correlation_slope"] == pytest.approx(slope)


def test_variance_along_the_axes_is_pcas() -> None:
    a, b = sides(table(points(300, 1) * [0.5, 1, 1, 1]), table(points(400, 2)))
    unit = b.points.std(axis=0, ddof=1)
    pca = PCA().fit(b.points / unit)
    along = ((a.points / unit) @ pca.components_.T).var(axis=0, ddof=1)
    ridge = 1e-4 * pca.explained_variance_.mean()
    ratio = np.log((along + ridge) / (pca.explained_variance_ + ridge))
    found = joint.measure(a, b)
    assert found["axes_mean"] == pytest.approx(ratio.mean())
    assert found["axes_least"] == pytest.approx(ratio.min())
    assert found["axes_change"] == pytest.approx(np.abs(ratio).mean())
    assert found["axes_small"] == pytest.approx(ratio[-1])
    assert found["axes_large"] == pytest.approx(ratio[0])


def test_effective_rank_is_the_exponential_of_the_spectrums_entropy() -> None:
    assert joint._rank(np.asarray([1.0, 1.0, 1.0, 0.0])) == pytest.approx(3.0)
    a, b = sides(table(points(300, 1)), table(points(400, 2)))
    unit = b.points.std(axis=0, ddof=1)
    ranks = [np.exp(stats.entropy(PCA().fit(s.points / unit).explained_variance_)) for s in (a, b)]
    assert joint.measure(a, b)["rank"] == pytest.approx(np.log(ranks[0] / ranks[1]))


def test_a_shrunken_table_loses_the_variance_it_lost() -> None:
    """Variance times a quarter along every axis: a log ratio of ln 1/4 in all, correlations as they were."""
    rows = points(500, 3)
    found = joint.measure(*sides(table(rows.mean(axis=0) + 0.5 * (rows - rows.mean(axis=0))), table(rows)))
    quarter = pytest.approx(np.log(0.25), rel=0.02)  # a ten-thousandth of the mean is added to each
    assert found["variance_total"] == quarter
    assert found["log_determinant"] == quarter
    assert found["axes_mean"] == quarter
    assert found["correlation_rms"] == pytest.approx(0.0, abs=1e-9)
    assert found["rank"] == pytest.approx(0.0, abs=1e-9)


def test_a_table_differs_from_itself_by_nothing() -> None:
    rows = table(points(100, 4), np.random.default_rng(0).integers(0, 3, 100))
    found = joint.measure(*sides(rows, rows))
    assert found == pytest.approx(dict.fromkeys(found, 0.0), abs=2e-3)  # the slope's penalty


def test_rows_that_do_not_vary_have_no_axes() -> None:
    constant = table(np.ones((30, 2)))
    assert joint.measure(*sides(constant, constant)) == {}
