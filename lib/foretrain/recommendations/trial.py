"""What does a fix change? It is applied to a sample, which is then scored as the collapse stage scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from foretrain.collapse import calibration, judging, verdict
from foretrain.collapse.pairing import Paired, compare
from foretrain.collapse.record import Verdict
from foretrain.collapse.rows import arrays, readable
from foretrain.collapse.table import Floats, Table
from foretrain.localization.copies import hashes
from foretrain.recommendations.apply import Applied, to_sample
from foretrain.recommendations.fixes import Fix
from foretrain.recommendations.record import Change, Measured
from foretrain.recommendations.scene import Scene, content
from foretrain.seeds import number
from foretrain.settings import Effort, Settings

REPEATS = {Effort.QUICK: 4, Effort.STANDARD: 8, Effort.THOROUGH: 16}
"""Split-halves a trial."""


@dataclass(frozen=True)
class Scored:
    """Probability and damage, by all repeats and then by half-samples, and the verdict."""

    odds: Floats
    damage: Floats
    verdict: Verdict


class Trials:
    """Fixes of one candidate, each scored against the same rows of the original.

    Args:
        scene: the samples.
        settings: reads seed, effort, target and verdict.
        original_rows: of the whole original.
    """

    def __init__(self, scene: Scene, settings: Settings, original_rows: int) -> None:
        self.scene, self.settings, self.original_rows = scene, settings, original_rows
        self.columns, _ = readable(scene.columns, settings.target, settings.seed)
        self.whole = pa.concat_tables([scene.donors, scene.held])
        self.before = cache(self._before)
        self._known: dict[tuple[bool, bool], tuple[Table, Paired]] = {}

    def run(self, fixes: Sequence[Fix], *, surely: bool = False) -> tuple[Measured | str, Applied]:
        """Apply them one after the other and score the result; why not, where that cannot be done.

        Args:
            fixes: applied in their order.
            surely: whether to score with other split-halves, and as many as the collapse stage does: those by which a
                fix was chosen flatter it.

        Raises:
            ForetrainError: a fix could not be fitted.
        """
        applied = self.applied(fixes)
        if not (applied.rows_lost or applied.rows_changed or applied.real_rows):
            return "it would change nothing", applied
        held_out = any(fix.sees_original for fix in fixes)
        real = self._real(held_out)
        if min(applied.table.num_rows, real.num_rows) < judging.FEWEST_ROWS:
            return f"fewer than {judging.FEWEST_ROWS} rows are left to compare", applied
        before, after = self.before(held_out, surely), self._score(applied.table, held_out, surely)
        gain = 100 * (before.odds - after.odds)
        less = before.damage - after.damage
        return (
            Measured(
                score=_change(gain),
                probability=_change(-gain / 100),
                damage=_change(-less),
                before=100 * (1 - float(before.odds[0])),
                after=100 * (1 - float(after.odds[0])),
                verdict=after.verdict,
                confidence=float(((gain > 0) | ((gain == 0) & (less > 0)))[1:].mean()),
                held_out=held_out,
            ),
            applied,
        )

    def applied(self, fixes: Sequence[Fix]) -> Applied:
        """The sample after them, in the order in which fixes apply."""
        ordered = sorted(fixes, key=lambda fix: fix.order)
        return to_sample([fix.fit(self.scene) for fix in ordered], self.scene)

    def _before(self, held_out: bool, surely: bool) -> Scored:
        return self._score(self.scene.candidate.table, held_out, surely)

    def _real(self, held_out: bool) -> pa.Table:
        return self.scene.held if held_out else self.whole

    def _score(self, candidate: pa.Table, held_out: bool, surely: bool) -> Scored:
        fitted, real = calibration.load(), self._real(held_out)
        repeats = (judging.REPEATS if surely else REPEATS)[self.settings.effort]
        seed = number(self.settings.seed, "recommendations", "again" if surely else "first") % 2**63
        with threadpool_limits(1, user_api="blas"):  # matrices are small: more threads cost more than they give
            made, ground = arrays(candidate, real, self.columns, self.settings.target, seed)
            known = self._fresh((held_out, surely), ground)
            paired = compare(made, ground, repeats, seed, known=known)
        self._known[held_out, surely] = ground, paired
        rows = candidate.num_rows / max(self.scene.rate, 1e-12)
        usual = _repeated(real, self.scene) * max(1.0, rows / self.original_rows)
        odds, damage = fitted.draws(paired, seed, _repeated(candidate, self.scene) - usual)
        least = fitted.least(round(min(rows, self.original_rows)))
        blind = verdict.blind(paired, fitted.curves)
        return Scored(odds, damage, verdict.decide(float(odds[0]), blind, self.settings.verdict, least))

    def _fresh(self, like: tuple[bool, bool], ground: Table) -> Paired | None:
        """The last comparison, if the original came out as the same arrays: a fix can bring new levels."""
        known = self._known.get(like)
        return None if known is None or not known[0].same(ground) else known[1]


def _repeated(rows: pa.Table, scene: Scene) -> float:
    """Share of rows that repeat an earlier one."""
    found = hashes(rows, content(scene.columns))
    return 1 - len(np.unique(found)) / max(len(found), 1)


def _change(draws: Floats) -> Change:
    """The change by all repeats, and between what 90 % of other validations would find it.

    Half-samples vary as the mean does. What another validation finds varies as much again.
    """
    value, ends = float(draws[0]), np.quantile(draws[1:], [0.05, 0.95])
    low, high = (value + np.sqrt(2) * (float(end) - value) for end in ends)
    return Change(value=value, interval=(float(min(value, low)), float(max(value, high))))
