"""What is a row worth to a nearest-neighbour model that is judged on rows of the original?

Rows that teach wrong answers where the original's rows lie are worth less than nothing.

References:
    Jia et al. (2019), Efficient task-specific data valuation for nearest neighbor algorithms, PVLDB 12: the exact
    Shapley value in closed form. Here of a row that is added to a fixed set of others, so that it depends on the row
    alone; and with any payoff of a neighbour, not only whether its class is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foretrain.collapse.table import Floats

NEIGHBOURS = 10


@dataclass(frozen=True)
class Shapley:
    """Values of rows added to a set.

    Attributes:
        judges: places of the judging rows, (judges, axes).
        right: what they hold: the class, or the number, (judges,).
        classes: whether it is a class.
        distances: of the set's rows from each judge, squared, ascending, (judges, set).
        payoffs: of the same rows, (judges, set).
        tails: value of each of them were one row nearer, (judges, set + 1); 0 beyond the last.
        neighbours: whose mean payoff is the model's.
    """

    judges: npt.NDArray[np.float32]
    right: Floats
    classes: bool
    distances: npt.NDArray[np.float32]
    payoffs: npt.NDArray[np.float32]
    tails: npt.NDArray[np.float32]
    neighbours: int

    @staticmethod
    def of(
        places: Floats, answers: Floats, judges: Floats, right: Floats, *, classes: bool, neighbours: int = NEIGHBOURS
    ) -> Shapley:
        """Prepare the set.

        Args:
            places: of the set's rows, (set, axes), at least one.
            answers: what they hold, (set,).
            judges: places of the judging rows, (judges, axes).
            right: what those hold, (judges,).
            classes: whether it is a class: a payoff is 1 where it is right; else minus the distance of two numbers.
            neighbours: whose mean payoff is the model's.
        """
        judged = judges.astype(np.float32)
        apart = _squared(judged, places.astype(np.float32))
        order = np.argsort(apart, axis=1, kind="stable")
        payoffs = np.take_along_axis(_payoff(answers[None, :], right[:, None], classes), order, axis=1)
        n = payoffs.shape[1]
        rank = np.arange(2, n + 2)  # one row is nearer
        last = payoffs[:, -1:] / max(n + 1, neighbours)
        steps = np.diff(payoffs, axis=1) / neighbours * (np.minimum(neighbours, rank[:-1]) / rank[:-1])
        rest = np.cumsum(-steps[:, ::-1], axis=1)[:, ::-1]
        tails = np.hstack([rest + last, last, np.zeros_like(last)])
        return Shapley(
            judged, right, classes, np.take_along_axis(apart, order, axis=1), payoffs.astype(np.float32),
            tails.astype(np.float32), neighbours,
        )  # fmt: skip

    def __call__(self, places: Floats, answers: Floats) -> Floats:
        """Each row's value were it the only one added, mean over the judges, (rows,)."""
        total = np.zeros(len(places))
        apart = _squared(self.judges, places.astype(np.float32))
        n = self.payoffs.shape[1]
        for j, (distances, payoffs, tails) in enumerate(zip(self.distances, self.payoffs, self.tails, strict=True)):
            nearer = np.searchsorted(distances, apart[j], side="right")
            own = _payoff(answers, self.right[j], self.classes)
            rank = nearer + 1
            share = np.minimum(self.neighbours, rank) / (rank * self.neighbours)
            following = payoffs[np.minimum(nearer, n - 1)]
            among = tails[nearer] + (own - following) * share
            total += np.where(nearer < n, among, own / max(n + 1, self.neighbours))
        return total / max(len(self.judges), 1)


def _payoff(answers: Floats, right: Floats | float, classes: bool) -> Floats:
    return np.asarray(answers == right, float) if classes else -np.abs(answers - right)


def _squared(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Squared distances, (a, b)."""
    found = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * (a @ b.T)
    return np.asarray(np.maximum(found, 0.0), np.float32)
