"""Do models train on the candidate as healthily as on the original?"""

from __future__ import annotations

from foretrain.collapse.dimensions.contrasts import Contrasted

GRADIENT_HEALTH = Contrasted(
    "gradient_health",
    "Gradient Health",
    "Do models train on the candidate as healthily as on the original?",
)
