"""Does a model that learns from the candidate still work on real rows?"""

from __future__ import annotations

from foretrain.collapse.dimensions.dimension import Family, Statistic
from foretrain.collapse.dimensions.training import WithTraining

STATISTICS = Family(
    "generalization_gap",
    "Generalization Gap",
    "Does a model that learns from the candidate work on real rows, and can a classifier tell the two apart?",
    (
        Statistic("trees_skill", "skill on real rows of boosted trees trained on the candidate", "less",
                  "Boosted trees trained on the candidate have a skill of {value} on real rows; "
                  "trained on a fresh sample, {fresh}."),
        Statistic("linear_skill", "skill on real rows of a linear model trained on the candidate", "less",
                  "A linear model trained on the candidate has a skill of {value} on real rows; "
                  "trained on a fresh sample, {fresh}."),
        Statistic("trees_reverse", "skill on the candidate of boosted trees trained on real rows", "less",
                  "Boosted trees trained on real rows have a skill of {value} on the candidate; "
                  "on a fresh sample, {fresh}."),
        Statistic("linear_reverse", "skill on the candidate of a linear model trained on real rows", "less",
                  "A linear model trained on real rows has a skill of {value} on the candidate; "
                  "on a fresh sample, {fresh}."),
        Statistic("c2st_trees", "classifier two-sample test, AUC of boosted trees", "more",
                  "Boosted trees tell candidate from original with an AUC of {value}; a fresh sample, {fresh}."),
        Statistic("c2st_linear", "classifier two-sample test, AUC of a quadratic model", "more",
                  "A quadratic model tells candidate from original with an AUC of {value}; a fresh sample, {fresh}."),
    ),
)  # fmt: skip

GENERALIZATION_GAP = WithTraining(STATISTICS)
