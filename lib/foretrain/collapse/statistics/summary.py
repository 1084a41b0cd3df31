"""What do number columns look like by themselves?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foretrain.collapse.table import Floats

QUANTILES = np.asarray([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])


@dataclass(frozen=True)
class Columns:
    """Number columns; nulls are NaN.

    Attributes:
        values: (rows, columns)
        ordered: (rows, columns) each column ascending, nulls last.
        held: (rows, columns): not null.
        count: (columns,) values that are not null; at least 1.
        mean, variance, third: (columns,) moments, the latter two about the mean.
        low, high: (columns,) infinite where all are null.
        quantiles: (7, columns) at `QUANTILES`; 0 where all are null.
        distinct: (columns,) different values, one too many where there are nulls only.
    """

    values: Floats
    ordered: Floats
    held: npt.NDArray[np.bool_]
    count: npt.NDArray[np.intp]
    mean: Floats
    variance: Floats
    third: Floats
    low: Floats
    high: Floats
    quantiles: Floats
    distinct: Floats

    @staticmethod
    def of(x: Floats) -> Columns:
        """Of at least one row."""
        held = ~np.isnan(x)
        count = np.maximum(held.sum(axis=0), 1)
        mean = np.where(held, x, 0.0).sum(axis=0) / count
        gap = x - mean
        gap = np.where(np.isnan(gap), 0.0, gap)
        ordered = np.sort(x, axis=0)
        return Columns(
            values=x,
            ordered=ordered,
            held=held,
            count=count,
            mean=mean,
            variance=(gap**2).sum(axis=0) / count,
            third=(gap**3).sum(axis=0) / count,
            low=np.where(held, x, np.inf).min(axis=0),
            high=np.where(held, x, -np.inf).max(axis=0),
            quantiles=quantiles(ordered, count, QUANTILES),
            distinct=1.0 + (np.diff(ordered, axis=0) > 0).sum(axis=0),
        )


def quantiles(ordered: Floats, count: npt.NDArray[np.intp], q: Floats) -> Floats:
    """(quantiles, columns) of ascending columns (rows, columns), of which the first `count` values are no nulls."""
    place = q[:, None] * (count - 1)
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, count - 1)
    below, above = np.take_along_axis(ordered, low, axis=0), np.take_along_axis(ordered, high, axis=0)
    return np.asarray(np.nan_to_num(below + (place - low) * (above - below)), dtype=np.float64)
