"""Does the candidate lead models to minima as good as the original's?"""

from __future__ import annotations

from foretrain.collapse.dimensions.dimension import Awaited

LOSS_LANDSCAPE = Awaited(
    "loss_landscape",
    "Loss Landscape",
    "Does the candidate lead models to minima as good as the original's?",
    "it takes trained models: the cascade of proxy models, which this version does not have",
)
