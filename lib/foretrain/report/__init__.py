"""What does a validation look like to the people who must decide on it?"""

from foretrain.report.page import render, write
from foretrain.report.record import ReportRef

__all__ = ["ReportRef", "render", "write"]
