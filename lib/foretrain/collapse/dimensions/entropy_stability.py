"""Does the candidate still hold as much variety, or does it repeat itself?"""

from __future__ import annotations

from foretrain.collapse.dimensions.dimension import Family, Statistic

ENTROPY_STABILITY = Family(
    "entropy_stability",
    "Entropy Stability",
    "Does the candidate hold as much variety as the original, or does it repeat itself?",
    (
        Statistic("self_distance", "nearest-neighbour (Kozachenko-Leonenko) entropy difference per axis", "any",
                  "The distance from a row to its nearest other row changed by {value} (log); "
                  "in a fresh sample, {fresh}."),
        Statistic("near_duplicates", "near-duplicate rows, excess share", "more",
                  "Near-duplicate rows are {value} more frequent (share of rows); in a fresh sample, {fresh}."),
        Statistic("entropy_mean", "entropy of categories, mean difference in nats", "any",
                  "The entropy of categories changed by {value} nats on average; in a fresh sample, {fresh}."),
        Statistic("entropy_least", "entropy of categories, worst column, difference in nats", "less",
                  "The category column that lost most entropy changed by {value} nats; in a fresh sample, {fresh}."),
        Statistic("distinct", "log ratio of distinct values, mean", "less",
                  "The number of distinct values changed by {value} (log ratio); in a fresh sample, {fresh}."),
        Statistic("rank", "log ratio of effective ranks", "any",
                  "The effective number of directions changed by {value} (log ratio); in a fresh sample, {fresh}."),
        Statistic("spread", "log ratio of mean distances between rows", "any",
                  "The mean distance between rows changed by {value} (log ratio); in a fresh sample, {fresh}."),
    ),
)  # fmt: skip
