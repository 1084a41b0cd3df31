"""Which three tiers learn a problem, smallest first?"""

from __future__ import annotations

from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers.tier import Tier


def tiers(problem: Problem) -> tuple[Tier, Tier, Tier]:
    """A fitted tier, a net of about 10,000 parameters, a net of about 100,000."""
    match problem.data:
        case "table":
            from foretrain.cascade.tiers.mlp import MLP
            from foretrain.cascade.tiers.resonance import RESONANCE
            from foretrain.cascade.tiers.trees import TREES

            return TREES, MLP, RESONANCE
        case "text":
            from foretrain.cascade.tiers.ngram import NGRAM
            from foretrain.cascade.tiers.spectral import SPECTRAL
            from foretrain.cascade.tiers.transformer import TRANSFORMER

            return NGRAM, TRANSFORMER, SPECTRAL
        case "image":
            from foretrain.cascade.tiers.convolution import CONVOLUTION
            from foretrain.cascade.tiers.filter import FILTER
            from foretrain.cascade.tiers.trees import TREES

            return TREES, CONVOLUTION, FILTER
