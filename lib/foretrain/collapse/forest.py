"""How is a forest of trees stored without code, and evaluated without the library that grew it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foretrain.collapse.table import Floats


@dataclass(frozen=True)
class Forest:
    """Trees as flat arrays; a prediction is the mean of the leaves that a row falls into.

    Attributes:
        feature: (nodes,) column asked, -1 at a leaf.
        threshold: (nodes,) go left at or below.
        left, right: (nodes,) children.
        value: (nodes,) what a leaf says.
        roots: (trees,) first node of each tree.
    """

    feature: npt.NDArray[np.int16]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: npt.NDArray[np.float32]
    roots: npt.NDArray[np.int32]

    def trees(self, rows: Floats) -> Floats:
        """What each tree says, (rows, trees)."""
        x = rows.astype(np.float32)
        node = np.broadcast_to(self.roots, (len(x), len(self.roots))).copy()
        at = np.arange(len(x))[:, None]
        while True:
            asked = self.feature[node]
            inner = asked >= 0
            if not inner.any():
                return self.value[node].astype(np.float64)
            goes_left = x[at, np.maximum(asked, 0)] <= self.threshold[node]
            node = np.where(inner, np.where(goes_left, self.left[node], self.right[node]), node)

    def predict(self, rows: Floats) -> Floats:
        """Mean over trees, (rows,)."""
        return np.asarray(self.trees(rows).mean(axis=1), dtype=np.float64)

    @staticmethod
    def of(grown: Any) -> Forest:
        """From a fitted scikit-learn forest: of a classifier, the probability of class 1."""
        parts: dict[str, list[np.ndarray]] = {n: [] for n in ("feature", "threshold", "left", "right", "value")}
        roots, start = [], 0
        for tree in (estimator.tree_ for estimator in grown.estimators_):
            leaf = tree.children_left < 0
            value = tree.value[:, 0, :]
            value = value[:, 1] / value.sum(axis=1) if value.shape[1] == 2 else value[:, 0]
            parts["feature"].append(np.where(leaf, -1, tree.feature).astype(np.int16))
            parts["threshold"].append(np.where(leaf, 0, tree.threshold).astype(np.float32))
            parts["left"].append(np.where(leaf, 0, tree.children_left + start).astype(np.int32))
            parts["right"].append(np.where(leaf, 0, tree.children_right + start).astype(np.int32))
            parts["value"].append(np.where(leaf, value, 0).astype(np.float32))
            roots.append(start)
            start += tree.node_count
        arrays = {name: np.concatenate(part) for name, part in parts.items()}
        return Forest(**arrays, roots=np.asarray(roots, dtype=np.int32))

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """For a safetensors file."""
        return {f"{prefix}.{name}": getattr(self, name) for name in _ARRAYS}

    @staticmethod
    def restore(arrays: dict[str, np.ndarray], prefix: str) -> Forest:
        """What `arrays` gave."""
        return Forest(**{name: arrays[f"{prefix}.{name}"] for name in _ARRAYS})


_ARRAYS = ("feature", "threshold", "left", "right", "value", "roots")
