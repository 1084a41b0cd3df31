"""What is a fix?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Self

from foretrain.collapse.record import Collapse
from foretrain.diversity.record import Diversity
from foretrain.localization.record import Localization
from foretrain.profile.record import ProfileRef
from foretrain.recommendations.edit import Edit
from foretrain.recommendations.scene import Scene
from foretrain.record import NotRun, Record
from foretrain.signatures.record import Prescreen


@dataclass(frozen=True)
class Findings:
    """What the stages before found: fixes are thought of by it."""

    candidate: ProfileRef
    original: ProfileRef
    diversity: Diversity | NotRun
    prescreen: Prescreen | NotRun
    collapse: Collapse
    localization: Localization | NotRun
    target: str | None

    @property
    def donor_rows(self) -> int:
        """Rows of the original that may be taken, about."""
        return self.original.rows // 2


class Fix(Record):
    """One way to mend a candidate; its fields are its parameters."""

    name: ClassVar[str]
    does: ClassVar[str]
    """What it does, one sentence: for the documentation."""
    sees_original: ClassVar[bool] = False
    """Whether values or rows of the original enter the result: it is then scored against other rows."""
    collects: ClassVar[bool] = False
    """Whether the real rows it adds are yet to be collected; the original's stand in for them where it is tried."""
    order: ClassVar[int]
    """Of several, the lower is applied first."""

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        """The fixes of this kind that the findings suggest, each with the finding in words."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """Tells it from others of its kind, in a few words that can stand in an id."""
        return ""

    @property
    def strength(self) -> float:
        """How much of it, 0 to 1: what gains are expected from beside its kind."""
        return 1.0

    @property
    def title(self) -> str:
        """What to do, in a few words."""
        raise NotImplementedError

    def fit(self, scene: Scene) -> Edit:
        """Learn from the samples what to do with every row."""
        raise NotImplementedError
