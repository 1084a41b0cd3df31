"""How does the way columns move together differ?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.statistics.side import LIVE, Side
from foretrain.collapse.table import Floats

_CLIP = 0.995


def measure(a: Side, b: Side) -> dict[str, float]:
    """Correlations and the variance along the reference's principal axes, `a` against the reference `b`."""
    cov_a, cov_b = a.covariance, b.covariance
    scale = np.sqrt(np.clip(np.diag(cov_b), LIVE, None))
    live = np.diag(cov_b) > LIVE
    if live.sum() < 1:
        return {}
    ranks_a, ranks_b = _correlation(cov_a)[np.ix_(live, live)], _correlation(cov_b)[np.ix_(live, live)]
    out: dict[str, float] = {}
    if live.sum() > 1:
        upper = np.triu_indices(int(live.sum()), 1)
        za, zb = (np.arctanh(np.clip(m[upper], -_CLIP, _CLIP)) for m in (ranks_a, ranks_b))
        gap = za - zb
        out |= {
            "correlation_rms": float(np.sqrt((gap**2).mean())),
            "correlation_max": float(np.abs(gap).max()),
            "correlation_strength": float(np.log((np.abs(za).mean() + 0.02) / (np.abs(zb).mean() + 0.02))),
            "correlation_slope": float((za * zb).sum() / ((zb**2).sum() + 1e-3 * len(zb)) - 1.0),
        }
    scaled_a = cov_a[np.ix_(live, live)] / np.outer(scale[live], scale[live])
    value, axes = b.principal
    along = np.einsum("ij,ik,kj->j", axes, scaled_a, axes)
    ridge = 1e-4 * value.mean()
    ratio = np.log((np.clip(along, 0, None) + ridge) / (np.clip(value, 0, None) + ridge))
    small = ratio[: max(1, len(ratio) // 3)]
    own = np.clip(np.linalg.eigvalsh(scaled_a), 0, None)
    out |= {
        "axes_mean": float(ratio.mean()),
        "axes_least": float(ratio.min()),
        "axes_change": float(np.abs(ratio).mean()),
        "axes_small": float(small.mean()),
        "axes_large": float(ratio[-max(1, len(ratio) // 3) :].mean()),
        "rank": float(np.log(_rank(own) / _rank(value))),
        "log_determinant": float(np.log(own + ridge).mean() - np.log(np.clip(value, 0, None) + ridge).mean()),
        "variance_total": float(np.log((own.sum() + 1e-9) / (value.sum() + 1e-9))),
    }
    return out


def _correlation(covariance: Floats) -> Floats:
    scale = np.sqrt(np.clip(np.diag(covariance), 1e-12, None))
    return np.asarray(covariance / np.outer(scale, scale), dtype=np.float64)


def _rank(value: Floats) -> float:
    """Effective rank: the exponential of the entropy of the spectrum (Roy and Vetterli, 2007)."""
    p = np.clip(value, 1e-12, None)
    p = p / p.sum()
    return float(np.exp(-(p * np.log(p)).sum()))
