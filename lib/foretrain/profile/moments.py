"""What are the means, variances and correlations of the numbers, from one pass?

Sums about a running mean, merged by Chan's and Pebay's formulas: no cancellation, so means and variances of shifted
data keep their digits. Correlations are pairwise complete: the moments of a pair come from the rows where both values
are present and finite.

References:
    Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance, The American Statistician 37.
    Pebay (2008), Formulas for robust, one-pass parallel computation of covariances, SAND2008-6212.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Moments of several columns, each over its own values present: every field has shape (columns,).

    m2, m3, m4 are sums of powers of the distance from the mean. Empty columns have minimum inf and maximum -inf.
    """

    n: npt.NDArray[np.int64]
    mean: Values
    m2: Values
    m3: Values
    m4: Values
    minimum: Values
    maximum: Values

    @classmethod
    def empty(cls, columns: int) -> Moments:
        zero = np.zeros(columns)
        return cls(np.zeros(columns, np.int64), zero, zero, zero, zero, zero + np.inf, zero - np.inf)

    @classmethod
    def of(cls, values: Values) -> Moments:
        """Of one column's values, all finite, shape (values,)."""
        if not values.size:
            return cls.empty(1)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = values.mean()
            centred = values - mean
            squares = centred * centred
            sums = [squares.sum(), (squares * centred).sum(), (squares * squares).sum()]
        n = np.array([values.size], np.int64)
        return cls(n, *(np.array([x]) for x in (mean, *sums, values.min(), values.max())))

    @classmethod
    def together(cls, parts: list[Moments]) -> Moments:
        """Side by side: the columns of all parts as one."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    def merge(self, other: Moments) -> Moments:
        """Of both inputs together, column by column."""
        na, nb = self.n.astype(float), other.n.astype(float)
        n = np.maximum(na + nb, 1.0)
        with np.errstate(over="ignore", invalid="ignore"):
            delta = np.where((na > 0) & (nb > 0), other.mean - self.mean, 0.0)
            start = np.where(na > 0, self.mean, other.mean)
            step = delta / n
            m2 = self.m2 + other.m2 + delta * step * na * nb
            m3 = self.m3 + other.m3 + delta * step * step * na * nb * (na - nb)
            m3 = m3 + 3.0 * step * (na * other.m2 - nb * self.m2)
            m4 = self.m4 + other.m4 + delta * step**3 * na * nb * (na * na - na * nb + nb * nb)
            m4 = m4 + 6.0 * step**2 * (na * na * other.m2 + nb * nb * self.m2)
            m4 = m4 + 4.0 * step * (na * other.m3 - nb * self.m3)
            mean = start + np.where(na > 0, step * nb, 0.0)
        low, high = np.minimum(self.minimum, other.minimum), np.maximum(self.maximum, other.maximum)
        return Moments(self.n + other.n, mean, m2, m3, m4, low, high)

    @property
    def variance(self) -> Values:
        """Unbiased variance; NaN below two values."""
        return np.where(self.n > 1, self.m2 / np.maximum(self.n - 1, 1), np.nan)

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class Comoments:
    """Pairwise complete moments: every field has shape (columns, columns).

    n[i, j] rows have both i and j; over them, mean[i, j] is i's mean, square[i, j] i's sum of squared distances from
    it, and cross[i, j] the sum of products of both distances.
    """

    n: Values
    mean: Values
    square: Values
    cross: Values

    @classmethod
    def empty(cls, columns: int) -> Comoments:
        zero = np.zeros((columns, columns))
        return cls(zero, zero, zero, zero)

    @classmethod
    def of(cls, values: Values, present: npt.NDArray[np.bool_]) -> Comoments:
        """Of one batch, both of shape (columns, rows); values that are not present may be anything.

        The masks are multiplied for columns with gaps alone: a batch without gaps costs one product.
        """
        columns, rows = values.shape
        if not rows:
            return cls.empty(columns)
        gaps = np.flatnonzero(~present.all(axis=1))
        with np.errstate(over="ignore", invalid="ignore"):
            count = np.full(columns, float(rows))
            count[gaps] = present[gaps].sum(axis=1)
            total = values.sum(axis=1)
            total[gaps] = np.where(present[gaps], values[gaps], 0.0).sum(axis=1)
            centre = total / np.maximum(count, 1.0)
            centred = values - centre[:, None]
            centred[gaps] = np.where(present[gaps], centred[gaps], 0.0)
            product = centred @ centred.T
            n = np.tile(count[:, None], (1, columns))
            offset = np.zeros((columns, columns))  # of i's centred values where j is present
            square = np.tile(np.diag(product)[:, None], (1, columns))
            if gaps.size:
                mask = present[gaps].astype(float).T  # (rows, gaps)
                n[:, gaps] = present.astype(float) @ mask
                offset[:, gaps] = centred @ mask
                square[:, gaps] = (centred * centred) @ mask
            shift = offset / np.maximum(n, 1.0)
            cross = product - n * shift * shift.T
            return cls(n, centre[:, None] + shift, square - n * shift * shift, cross)

    def merge(self, other: Comoments) -> Comoments:
        """Of both inputs together, pair by pair."""
        n = np.maximum(self.n + other.n, 1.0)
        with np.errstate(over="ignore", invalid="ignore"):
            delta = np.where((self.n > 0) & (other.n > 0), other.mean - self.mean, 0.0)
            both = self.n * other.n / n
            mean = np.where(self.n > 0, self.mean + delta * other.n / n, other.mean)
            square = self.square + other.square + delta * delta * both
            cross = self.cross + other.cross + delta * delta.T * both
        return Comoments(self.n + other.n, mean, square, cross)

    @property
    def covariance(self) -> Values:
        """Unbiased; NaN where fewer than two rows have both."""
        return np.where(self.n > 1, self.cross / np.maximum(self.n - 1.0, 1.0), np.nan)

    @property
    def correlation(self) -> Values:
        """Pearson's, -1 to 1; NaN where a side is constant or fewer than two rows have both."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            spread = np.sqrt(self.square) * np.sqrt(self.square.T)
            # A constant column leaves rounding errors, not zero: a variance below 1e-13 of the mean's square is none.
            still = self.square <= 1e-26 * self.n * self.mean * self.mean
            return np.where((spread > 0) & ~still & ~still.T, np.clip(self.cross / spread, -1.0, 1.0), np.nan)

    def state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
