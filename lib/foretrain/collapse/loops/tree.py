"""What does refitting a tree a column (sequential CART synthesis) make of a table?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.loops.generator import Nulls, complete
from foretrain.collapse.table import Floats, Table


class Trees:
    """Each column is drawn from the leaf, of a tree on the columns before it, that the new row falls into.

    References:
        Reiter (2005), Using CART to generate partially synthetic public use microdata.
    """

    def __init__(self, leaf: int = 5) -> None:
        self.leaf = leaf

    def fit(self, table: Table, chance: np.random.Generator) -> None:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        self.nulls, full = Nulls(table), complete(table)
        self.like = full
        p, q = full.numbers.shape[1], full.codes.shape[1]
        self.order = chance.permutation(p + q)
        columns = np.hstack([full.numbers, full.codes.astype(np.float64)])
        self.columns = columns
        self.steps: list[tuple[object, dict[int, Floats]]] = []
        for place, j in enumerate(self.order):
            if place == 0:
                self.steps.append((None, {0: columns[:, j]}))
                continue
            kind = DecisionTreeRegressor if j < p else DecisionTreeClassifier
            features = min(place, 12)
            tree = kind(
                min_samples_leaf=self.leaf, max_features=features, random_state=int(chance.integers(2**31))
            ).fit(columns[:, self.order[:place]], columns[:, j])
            leaf = tree.apply(columns[:, self.order[:place]])
            by_leaf = np.argsort(leaf, kind="stable")
            cuts = np.flatnonzero(np.diff(leaf[by_leaf])) + 1
            groups = np.split(columns[by_leaf, j], cuts)
            names = leaf[by_leaf][np.concatenate(([0], cuts))]
            self.steps.append((tree, dict(zip(names.tolist(), groups, strict=True))))

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        out = np.empty((rows, len(self.order)))
        for place, (j, (tree, leaves)) in enumerate(zip(self.order, self.steps, strict=True)):
            if tree is None:
                out[:, j] = chance.choice(leaves[0], rows)
                continue
            leaf = tree.apply(out[:, self.order[:place]])  # type: ignore[attr-defined]
            by_leaf = np.argsort(leaf, kind="stable")
            cuts = np.flatnonzero(np.diff(leaf[by_leaf])) + 1
            for part in np.split(by_leaf, cuts):
                pool = leaves[int(leaf[part[0]])]
                out[part, j] = pool[chance.integers(len(pool), size=len(part))]
        p = self.like.numbers.shape[1]
        made = self.like.with_columns(out[:, :p], out[:, p:].astype(np.int64))
        return self.nulls.put_back(made, chance)
