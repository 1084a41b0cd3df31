"""What does the report stage hand on?"""

from __future__ import annotations

from foretrain.record import Record


class ReportRef(Record):
    """A report by reference."""

    html: str
    """URL of the page: one file that needs nothing else."""
