"""When has a model learned enough, or nothing, or gone astray?"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from foretrain.cascade.record import Ending, Point

EXPLODED = 10.0
"""Mean losses of training and validation that are both above so many times the loss at the start, or above as many nats
or squared deviations where that was less than one, have exploded."""

STEEP = 1e6
"""A mean length of the gradient above this has exploded."""

LEAST = 1e-3
"""Share of what was gained so far that a further gain must have, to be waited for."""


@dataclass
class Course:
    """One model's way through its training.

    Attributes:
        points: its learning curve; the first, at step 0, has the validation's loss for the training's, since there
            no row was learned from yet.
        best: lowest validation loss.
        mark: validation loss at the last gain that was worth waiting for.
        waited: evaluations since then.
        seconds: its share of the time in which it was trained with others.
        ending: None while it goes on.
    """

    points: list[tuple[int, float, float, float]] = field(default_factory=list)
    best: float = math.inf
    mark: float = math.inf
    waited: int = 0
    seconds: float = 0.0
    ending: Ending | None = None
    reason: str | None = None

    @property
    def steps(self) -> int:
        return self.points[-1][0] if self.points else 0

    @property
    def curve(self) -> tuple[Point, ...]:
        return tuple(Point(step=s, seconds=t, train=a, validation=b) for s, t, a, b in self.points)

    def judge(self, step: int, train: float, validation: float, length: float, patience: int, last: bool) -> bool:
        """Take in an evaluation, and say whether the weights are the best so far.

        Args:
            step: steps made.
            train: mean loss of the rows learned from since the evaluation before.
            validation: mean loss of the validation rows.
            length: mean length of the gradient since the evaluation before.
            patience: evaluations without a gain worth waiting for, after which the model has converged.
            last: whether no step is left.
        """
        if astray := self._astray(step, train, validation, length):
            self.ending, self.reason = "diverged", astray
            return False
        self.points.append((step, self.seconds, train, validation))
        better, start = validation < self.best, self.points[0][3]
        self.best = min(validation, self.best)
        gained = start - self.mark if math.isfinite(self.mark) else 0.0
        if validation < self.mark - LEAST * gained:
            self.mark, self.waited = validation, 0
        else:
            self.waited += 1
        if self.waited >= patience or last:
            self.ending = "converged" if self.waited >= patience else "ran out of steps"
            if self.best >= start:
                self.ending = "stalled"
                self.reason = f"in {step:,} steps the validation loss never fell below {start:.4g}, where it began"
        return better

    def _astray(self, step: int, train: float, validation: float, length: float) -> str | None:
        start = self.points[0][3] if self.points else math.inf
        for what, value in (("training loss", train), ("gradient", length), ("validation loss", validation)):
            if not math.isfinite(value):
                return f"by step {step:,} the {what} was no longer a finite number"
        if min(train, validation) > EXPLODED * max(start, 1.0):
            return f"by step {step:,} the training loss was {train:.4g}, from {start:.4g} at the start"
        if length > STEEP:
            return f"by step {step:,} the gradient was {length:.4g} long"
        return None

    def to_json(self) -> dict[str, Any]:
        """Plain finite JSON."""
        return {name: None if value == math.inf else value for name, value in asdict(self).items()}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """What `to_json` gave."""
        lowest = {name: math.inf if stored[name] is None else stored[name] for name in ("best", "mark")}
        return cls(**stored | lowest | {"points": [(int(s), t, a, b) for s, t, a, b in stored["points"]]})
