"""Are the two tables one population, by effect sizes that do not grow with rows?"""

from __future__ import annotations

from foretrain.collapse.dimensions.dimension import Family, Statistic

STATISTICAL_CONSISTENCY = Family(
    "statistical_consistency",
    "Statistical Consistency",
    "Are the two tables samples of one population, by effect sizes that do not grow with the number of rows?",
    (
        Statistic("energy", "energy distance, share of the mean distance between rows", "more",
                  "The energy distance is {value} of the mean distance between rows; a fresh sample's, {fresh}."),
        Statistic("neighbour_test", "nearest-neighbour two-sample test, share of own-side neighbours", "more",
                  "A share of {value} of rows has its nearest neighbour in its own table; "
                  "with a fresh sample, {fresh}."),
        Statistic("shift", "standardised difference of means, root mean square", "more",
                  "Means moved by {value} standard deviations (root mean square); in a fresh sample, {fresh}."),
        Statistic("skew", "difference in skewness, mean", "more",
                  "The skewness of columns differs by {value}; in a fresh sample, {fresh}."),
        Statistic("precision", "precision: share of candidate rows inside the original's region", "less",
                  "A share of {value} of candidate rows lies inside the original's region; "
                  "of a fresh sample's, {fresh}."),
        Statistic("density", "density of the candidate where the original's rows are", "any",
                  "The candidate is {value} times as dense where the original's rows are; a fresh sample, {fresh}."),
        Statistic("nulls", "difference in the share of nulls, mean", "more",
                  "The share of nulls in number columns differs by {value}; in a fresh sample, {fresh}."),
        Statistic("code_nulls", "difference in the share of nulls, categories", "more",
                  "The share of nulls in category columns differs by {value}; in a fresh sample, {fresh}."),
    ),
)  # fmt: skip
