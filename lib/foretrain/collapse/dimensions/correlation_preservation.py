"""Do columns still move together as they did?"""

from __future__ import annotations

from foretrain.collapse.dimensions.dimension import Family, Statistic

CORRELATION_PRESERVATION = Family(
    "correlation_preservation",
    "Correlation Preservation",
    "Do columns still move together as they did?",
    (
        Statistic("correlation_rms", "Fisher-z difference of correlations, root mean square", "more",
                  "Correlations differ by {value} (Fisher z, root mean square); in a fresh sample, {fresh}."),
        Statistic("correlation_max", "Fisher-z difference, worst pair", "more",
                  "The pair of columns that changed most did by {value} (Fisher z); in a fresh sample, {fresh}."),
        Statistic("correlation_slope", "slope of the candidate's correlations on the original's, less 1", "any",
                  "Correlations are stronger or weaker by {value} as a share; in a fresh sample, {fresh}."),
        Statistic("correlation_strength", "log ratio of mean absolute correlation", "any",
                  "The mean strength of correlations changed by {value} (log ratio); in a fresh sample, {fresh}."),
    ),
)  # fmt: skip
