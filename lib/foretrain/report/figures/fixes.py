"""Where does the score stand before and after a fix?"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from foretrain.recommendations.record import Recommendation
from foretrain.report import wording
from foretrain.report.figures.bars import upright, whisker
from foretrain.report.figures.svg import across, along, element, picture
from foretrain.settings import VerdictSettings


def score_step(each: Recommendation, verdicts: VerdictSettings) -> Markup:
    """The score before (upright), after (dot) with its interval, where it was expected (tick), from 0 to 100.

    Marks on the axis are where the verdict changes.
    """
    measured = each.measured
    assert measured is not None
    low, high = (min(100.0, max(0.0, measured.before + end)) for end in measured.score.interval)
    before, after = measured.before, measured.after
    expected = min(100.0, max(0.0, before + each.predicted))
    start, end = sorted((before, after))
    described = (
        f"Score {before:.0f} before, {after:.0f} after, 90 % interval {low:.0f} to {high:.0f}; "
        f"{expected:.0f} was expected."
    )
    return picture(
        wording.legible(each.title),
        described,
        24,
        element("line", class_="axis", x2="100%", y1=12, y2=12),
        *(upright(1 - limit, 8, 16, "tick") for limit in (verdicts.review_at, verdicts.reject_at)),
        element("rect", class_="track", x=across(start / 100), width=across((end - start) / 100), y=9, height=6),
        *whisker((low / 100, high / 100), 12),
        upright(along(before, 0, 100), 4, 20, "original thick"),
        upright(along(expected, 0, 100), 6, 18, "guess"),
        element("circle", class_="candidate ringed", cx=across(after / 100), cy=12, r=5.5),
    )


def tried(found: Sequence[Recommendation]) -> list[Recommendation]:
    """Those that were measured."""
    return [each for each in found if each.measured is not None]
