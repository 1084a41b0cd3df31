"""What does refitting one Gaussian, or a mixture of them, make of a table?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.loops.generator import Axes, Nulls, complete
from foretrain.collapse.table import Table


class Gaussian:
    """One Gaussian over numbers and category flags; the largest flag is the category drawn."""

    def fit(self, table: Table, chance: np.random.Generator) -> None:
        self.nulls, full = Nulls(table), complete(table)
        self.axes, self.like = Axes(full), full
        matrix = self.axes.forward(full)
        self.centre = matrix.mean(axis=0)
        spread = np.atleast_2d(np.cov(matrix, rowvar=False)) if len(matrix) > 1 else np.eye(matrix.shape[1])
        value, vector = np.linalg.eigh(spread)
        self.root = vector * np.sqrt(np.clip(value, 0, None))

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        matrix = self.centre + chance.standard_normal((rows, len(self.root))) @ self.root.T
        return self.nulls.put_back(self.axes.back(matrix, self.like), chance)


class GaussianMixture:
    """A mixture of Gaussians over numbers and category flags, fitted by expectation-maximisation."""

    def __init__(self, components: int = 5) -> None:
        self.components = components

    def fit(self, table: Table, chance: np.random.Generator) -> None:
        from sklearn.mixture import GaussianMixture as Mixture

        self.nulls, full = Nulls(table), complete(table)
        self.axes, self.like = Axes(full), full
        matrix = self.axes.forward(full)
        k = int(max(1, min(self.components, len(matrix) // 12)))
        wide = matrix.shape[1] > len(matrix) / (4 * k)
        self.model = Mixture(
            k,
            covariance_type="diag" if wide and k > 1 else "full",
            reg_covar=1e-4,
            max_iter=40,
            init_params="random_from_data",
            random_state=int(chance.integers(2**31)),
        )
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a loop that stops before convergence is a generator all the same
            self.model.fit(matrix)

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        self.model.set_params(random_state=int(chance.integers(2**31)))
        matrix = self.model.sample(rows)[0]
        matrix = matrix[chance.permutation(len(matrix))]
        return self.nulls.put_back(self.axes.back(matrix, self.like), chance)
