"""Does each column still have the original's distribution, its tails and categories included?"""

from __future__ import annotations

from foretrain.collapse.dimensions.dimension import Family, Statistic

DISTRIBUTION_FIDELITY = Family(
    "distribution_fidelity",
    "Distribution Fidelity",
    "Does each column still have the original's distribution, tails and categories included?",
    (
        Statistic("ks_mean", "Kolmogorov-Smirnov distance, mean over columns", "more",
                  "Columns lie a Kolmogorov-Smirnov distance of {value} from the original on average; "
                  "a fresh sample, {fresh}."),
        Statistic("ks_max", "Kolmogorov-Smirnov distance, worst column", "more",
                  "The worst number column lies a Kolmogorov-Smirnov distance of {value} away; "
                  "a fresh sample's, {fresh}."),
        Statistic("w1_mean", "Wasserstein distance in standard deviations, mean", "more",
                  "Values moved by {value} standard deviations on average; in a fresh sample, {fresh}."),
        Statistic("variance_mean", "log variance ratio, mean", "any",
                  "The log variance of columns changed by {value} on average; in a fresh sample, {fresh}."),
        Statistic("variance_least", "log variance ratio, narrowest column", "less",
                  "The narrowest column's log variance ratio is {value}; a fresh sample's, {fresh}."),
        Statistic("tail_mean", "log ratio of the 1 % to 99 % width, mean", "any",
                  "The width from the 1st to the 99th percentile changed by {value} (log); "
                  "in a fresh sample, {fresh}."),
        Statistic("range_lost", "share of original values outside the candidate's range", "more",
                  "A share of {value} of the original's values lies outside the candidate's range; "
                  "of a fresh sample's, {fresh}."),
        Statistic("tvd_mean", "total variation distance of categories, mean", "more",
                  "Category frequencies moved by {value} (total variation); in a fresh sample, {fresh}."),
        Statistic("levels_lost", "share of rows in lost categories", "more",
                  "Categories that held {value} of the original's rows are gone; in a fresh sample, {fresh}."),
        Statistic("recall", "recall: share of the original's region reached", "less",
                  "The candidate reaches {value} of the original's region; a fresh sample, {fresh}."),
        Statistic("coverage", "coverage: share of original rows with a candidate row nearby", "less",
                  "A share of {value} of the original's rows has a candidate row nearby; "
                  "with a fresh sample, {fresh}."),
    ),
)  # fmt: skip
