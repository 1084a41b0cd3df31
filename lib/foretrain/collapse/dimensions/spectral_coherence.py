"""Is the variance along the original's principal axes still there, the small ones above all?"""

from __future__ import annotations

from foretrain.collapse.dimensions.dimension import Family, Statistic

SPECTRAL_COHERENCE = Family(
    "spectral_coherence",
    "Spectral Coherence",
    "Is the variance along the original's principal axes still there, in the small ones above all?",
    (
        Statistic("axes_mean", "log variance along principal axes, mean difference", "any",
                  "The log variance along the original's principal axes changed by {value} on average; "
                  "in a fresh sample, {fresh}."),
        Statistic("axes_least", "log variance along principal axes, least", "less",
                  "Along the axis that lost most, log variance changed by {value}; in a fresh sample, {fresh}."),
        Statistic("axes_small", "log variance along the smallest third of axes", "any",
                  "Along the small axes, log variance changed by {value}; in a fresh sample, {fresh}."),
        Statistic("axes_change", "log variance along principal axes, mean absolute difference", "more",
                  "Log variance along the axes changed by {value} in size on average; in a fresh sample, {fresh}."),
        Statistic("log_determinant", "log determinant of the covariance per axis", "any",
                  "The log volume of the covariance changed by {value} an axis; in a fresh sample, {fresh}."),
        Statistic("spectrum_in_time", "log power spectrum along time, root mean square difference", "more",
                  "The power spectrum along time differs by {value} (log, root mean square); "
                  "between stretches of the original, {fresh}."),
    ),
)  # fmt: skip
