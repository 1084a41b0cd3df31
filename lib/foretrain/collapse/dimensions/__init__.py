"""Which eight dimensions is a candidate judged in?"""

from foretrain.collapse.dimensions.correlation_preservation import CORRELATION_PRESERVATION
from foretrain.collapse.dimensions.dimension import Measured
from foretrain.collapse.dimensions.distribution_fidelity import DISTRIBUTION_FIDELITY
from foretrain.collapse.dimensions.entropy_stability import ENTROPY_STABILITY
from foretrain.collapse.dimensions.generalization_gap import GENERALIZATION_GAP
from foretrain.collapse.dimensions.gradient_health import GRADIENT_HEALTH
from foretrain.collapse.dimensions.loss_landscape import LOSS_LANDSCAPE
from foretrain.collapse.dimensions.spectral_coherence import SPECTRAL_COHERENCE
from foretrain.collapse.dimensions.statistical_consistency import STATISTICAL_CONSISTENCY

DIMENSIONS: tuple[Measured, ...] = (
    DISTRIBUTION_FIDELITY,
    CORRELATION_PRESERVATION,
    ENTROPY_STABILITY,
    GRADIENT_HEALTH,
    LOSS_LANDSCAPE,
    SPECTRAL_COHERENCE,
    GENERALIZATION_GAP,
    STATISTICAL_CONSISTENCY,
)
"""All eight, in the order they are shown."""

__all__ = ["DIMENSIONS", "Measured"]
