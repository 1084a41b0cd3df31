"""Do the columns still move along time as they did?"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.signal import welch

from foretrain.collapse.table import Floats

SHORTEST = 64
"""Rows below which a stretch has no spectrum worth comparing."""

_SEGMENT = 64


def difference(a: Floats, b: Floats) -> float:
    """Root mean square difference of log power spectra, averaged over columns.

    Args:
        a: (rows, columns) in the order of time, at least `SHORTEST` rows.
        b: the reference, likewise.

    References:
        Welch (1967), The use of fast Fourier transform for the estimation of power spectra.
    """
    return float(np.sqrt(((_log_power(a, b) - _log_power(b, b)) ** 2).mean()))


def _log_power(rows: Floats, reference: Floats) -> Floats:
    """(frequencies, columns) log power, each column in standard deviations of the reference."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        scale = np.nanstd(reference, axis=0)
        centre = np.nanmean(rows, axis=0)
    z = np.nan_to_num((rows - centre) / np.where(scale > 0, scale, 1.0))
    power = welch(z, nperseg=min(_SEGMENT, len(z)), axis=0)[1][1:]
    return np.asarray(np.log(power + 1e-4), dtype=np.float64)
