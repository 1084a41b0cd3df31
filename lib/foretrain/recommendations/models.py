"""Which models do fixes learn from the samples, and how do their numbers become values again?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.collapse.table import Floats, Schema, Table, Target
from foretrain.data.canonical import canonical_type
from foretrain.data.reference import Column, Kind
from foretrain.localization.features import Feature, Features
from foretrain.recommendations.edit import Flags
from foretrain.recommendations.scene import Scene
from foretrain.seeds import number

Predict = Callable[[Floats], Floats]

_BOOSTED = {"max_iter": 60, "max_leaf_nodes": 8, "min_samples_leaf": 20, "learning_rate": 0.1, "early_stopping": False}


def of_target(real: Floats, target: int, features: Features, seed: int) -> Predict:
    """Predicts the target's number from all other features, learned from real rows, (rows, features) -> (rows,)."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    known = ~_missing(real[:, target], features.features[target])
    others = [k for k in range(real.shape[1]) if k != target]
    chance = number(seed, "recommendations", "target") % 2**32
    kind = HistGradientBoostingRegressor
    if features.features[target].levels is not None:
        kind = HistGradientBoostingClassifier
    goal = real[known, target]
    if len(np.unique(goal)) < 2:
        return lambda rows: np.full(len(rows), goal[0] if len(goal) else np.nan)
    model = kind(**_BOOSTED, random_state=chance).fit(real[known][:, others], goal)
    return lambda rows: np.asarray(model.predict(rows[:, others]), dtype=np.float64)


def density_ratio(real: Floats, made: Floats, seed: int) -> Predict:
    """Density of a row among real rows over that among made ones, (rows, features) -> (rows,)."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    chance = number(seed, "recommendations", "density") % 2**32
    model = HistGradientBoostingClassifier(**_BOOSTED, random_state=chance)
    model.fit(np.vstack([real, made]), np.arange(len(real) + len(made)) < len(real))

    def ratio(rows: Floats) -> Floats:
        odds = np.exp(np.clip(model.decision_function(rows), -30, 30))
        return np.asarray(odds * len(made) / max(len(real), 1))

    return ratio


@dataclass(frozen=True)
class View:
    """How rows are laid out for nearest neighbours: numbers by rank, categories an edge of the cube apart.

    Attributes:
        known: of each number its values in order; None for a category.
    """

    known: tuple[Floats | None, ...]

    @staticmethod
    def of(real: Floats, coded: Sequence[bool]) -> View:
        return View(tuple(None if code else np.sort(x[~np.isnan(x)]) for x, code in zip(real.T, coded, strict=True)))

    def __call__(self, rows: Floats) -> Floats:
        """(rows, axes)."""
        out = np.empty_like(rows)
        for k, known in enumerate(self.known):
            if known is None:
                out[:, k] = 10.0 * rows[:, k]
            else:
                place = np.searchsorted(known, np.nan_to_num(rows[:, k])) / max(len(known), 1)
                out[:, k] = np.where(np.isnan(rows[:, k]), -1.0, place)
        return out


def replaced(column: pa.ChunkedArray, these: Flags, values: Floats, feature: Feature) -> pa.Array:
    """The column with these rows' values replaced by what the feature's numbers stand for."""
    return pc.replace_with_mask(column.combine_chunks(), pa.array(these), decoded(values, feature, column.type))


def decoded(values: Floats, feature: Feature, kind: pa.DataType) -> pa.Array:
    """What a feature's numbers stand for, as values of the column's type; null where it is missing."""
    gone = _missing(values, feature)
    if feature.levels is not None:
        codes = pa.array(np.where(gone, 0, values).astype(np.int64), mask=gone)
        return pc.cast(pa.array(feature.levels, pa.string()).take(codes), kind)
    if pa.types.is_floating(kind):
        return pa.array(values, mask=gone).cast(kind)
    return pa.array(np.rint(np.where(gone, 0, values)).astype(np.int64), mask=gone).cast(kind)


def _missing(values: Floats, feature: Feature) -> Flags:
    known = np.isnan(values) if feature.levels is None else ~(values < len(feature.levels))
    return np.asarray(known, dtype=np.bool_)


@dataclass(frozen=True)
class Arrays:
    """The donors as arrays that generators learn from, and the way back.

    Attributes:
        donors: numbers and codes.
        columns: of the dataset.
        features: what the arrays' columns are.
    """

    donors: Table
    columns: tuple[Column, ...]
    features: Features

    @staticmethod
    def of(scene: Scene) -> Arrays:
        features = scene.features
        coded = [f.levels is not None for f in features.features]
        numbers, codes = np.flatnonzero(~np.asarray(coded)), np.flatnonzero(coded)
        target = None
        if features.target is not None and coded[features.target]:
            target = Target("classification", int(np.flatnonzero(codes == features.target)[0]))
        elif features.target is not None:
            target = Target("regression", int(np.flatnonzero(numbers == features.target)[0]))
        schema = Schema(
            tuple(features.features[k].name for k in numbers),
            tuple(features.features[k].whole for k in numbers),
            tuple(features.features[k].name for k in codes),
            tuple(len(features.features[k].levels or ()) for k in codes),
            target,
        )
        read = scene.read_donors
        found = [np.where(_missing(read[:, k], features.features[k]), -1, read[:, k]) for k in codes]
        whole = np.column_stack(found).astype(np.int64) if found else np.empty((len(read), 0), np.int64)
        return Arrays(Table(read[:, numbers], whole, schema), scene.columns, features)

    def back(self, table: Table, first: int) -> pa.Table:
        """Rows in canonical types; identifiers are numbered anew, from the number of the first row on."""
        by_name = dict(zip(table.schema.numbers, table.numbers.T, strict=True))
        by_name |= {
            name: np.where(code < 0, np.inf, code.astype(np.float64))
            for name, code in zip(table.schema.codes, table.codes.T, strict=True)
        }
        arrays = [self._column(column, by_name, range(first, first + len(table))) for column in self.columns]
        return pa.table(dict(zip([column.name for column in self.columns], arrays, strict=True)))

    def _column(self, column: Column, values: dict[str, Floats], rows: range) -> pa.Array:
        kind = canonical_type(column)
        if column.kind is Kind.IDENTIFIER:
            return pc.cast(pa.array(np.asarray(rows, np.int64)), kind)
        found = [feature for feature in self.features.features if feature.column == column.name]
        if column.kind is Kind.EMBEDDING:
            flat = np.column_stack([values[feature.name] for feature in found])
            return pa.FixedSizeListArray.from_arrays(pa.array(flat.ravel(), kind.value_type), column.width).cast(kind)
        return decoded(values[found[0].name], found[0], kind)
