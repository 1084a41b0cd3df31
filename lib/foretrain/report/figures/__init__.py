"""What can the report draw? A function a picture."""

from foretrain.report.figures.bars import cell_bar, dimension_bar, gauge, measure_strip, share_bar
from foretrain.report.figures.cascade import difference_rows, learning_curves
from foretrain.report.figures.correlations import heatmap
from foretrain.report.figures.distributions import histogram
from foretrain.report.figures.fixes import score_step
from foretrain.report.figures.spectrum import spectrum_lines

__all__ = [
    "cell_bar",
    "difference_rows",
    "dimension_bar",
    "gauge",
    "heatmap",
    "histogram",
    "learning_curves",
    "measure_strip",
    "score_step",
    "share_bar",
    "spectrum_lines",
]
