"""Do models train on the candidate as healthily as on the original?"""

from __future__ import annotations

from foretrain.collapse.dimensions.dimension import Awaited

GRADIENT_HEALTH = Awaited(
    "gradient_health",
    "Gradient Health",
    "Do models train on the candidate as healthily as on the original?",
    "it takes trained models: the cascade of proxy models, which this version does not have",
)
