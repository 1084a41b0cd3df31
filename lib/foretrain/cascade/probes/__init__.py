"""What do gradients, curvature and trained weights say of the rows, beside the loss?"""

from foretrain.cascade.probes.ended import contrasts, trained
from foretrain.cascade.probes.initial import measure

__all__ = ["contrasts", "measure", "trained"]
