"""Which fixes are there?"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from foretrain.errors import SettingsError
from foretrain.recommendations.fixes.deduplicate import Deduplicate
from foretrain.recommendations.fixes.drop_flagged import DropFlagged
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.fixes.match_marginals import MatchMarginals
from foretrain.recommendations.fixes.mix_original import Accumulate, Collect, MixOriginal
from foretrain.recommendations.fixes.regenerate import Regenerate
from foretrain.recommendations.fixes.relabel import Relabel
from foretrain.recommendations.fixes.resample import Resample
from foretrain.recommendations.fixes.restore_correlation import RestoreCorrelation
from foretrain.recommendations.fixes.restore_lost import RestoreLost
from foretrain.recommendations.record import Action

__all__ = ["FIXES", "Findings", "Fix", "action", "proposals", "restored"]

FIXES: dict[str, type[Fix]] = {
    fix.name: fix
    for fix in (
        Deduplicate,
        DropFlagged,
        Relabel,
        RestoreCorrelation,
        MatchMarginals,
        Resample,
        RestoreLost,
        MixOriginal,
        Accumulate,
        Collect,
        Regenerate,
    )
}


def proposals(found: Findings) -> Iterator[tuple[Fix, str]]:
    """Every fix that the findings suggest, each with the finding in words."""
    for fix in FIXES.values():
        yield from fix.propose(found)


def action(fix: Fix) -> Action:
    """The fix by name and parameters."""
    return Action(fix=fix.name, parameters=fix.model_dump(mode="json"))


def restored(action: Action) -> Fix:
    """The fix of an action.

    Raises:
        SettingsError: there is no such fix, or a parameter is not what it may be.
    """
    kind = FIXES.get(action.fix)
    if kind is None:
        raise SettingsError(f"there is no fix {action.fix}", hint=f"There are {', '.join(FIXES)}")
    try:
        return kind.model_validate(action.parameters)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"fix {action.fix}: parameter {where}: {first['msg']}") from None
