"""Does the candidate lead models to minima as good as the original's?"""

from __future__ import annotations

from foretrain.collapse.dimensions.contrasts import Contrasted

LOSS_LANDSCAPE = Contrasted(
    "loss_landscape",
    "Loss Landscape",
    "Does the candidate lead models to minima as good as the original's?",
)
