"""Look the candidate up among known failures: what an operator sees of it."""

from __future__ import annotations

from foretrain.signatures.record import Prescreen
from foretrain.signatures.sentences import origin
from foretrain_tasks.stage import Rows, stage_task


def table(prescreen: Prescreen) -> Rows:
    return [
        {
            "similarity": round(match.similarity, 3),
            "looks like": origin(match.signature),
            "original": match.signature.dataset,
            "collapsed": match.signature.collapsed,
            "damage": match.signature.damage,
        }
        for match in prescreen.matches
    ]


def text(prescreen: Prescreen) -> str:
    return f"{prescreen.sentence}\n\nNovelty {prescreen.novelty:.3f}; {prescreen.library:,} known signatures."


prescreen = stage_task("prescreen", table, text)
