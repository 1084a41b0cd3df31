"""Do points mean the same whatever the units, the names and the order of columns?"""

import numpy as np
import pyarrow as pa
import pytest
from unit.profile.tables import columns, mixed

from foretrain.data.reference import Column, Kind
from foretrain.diversity.encoding import encode
from foretrain.diversity.structural import squared_distances

TABLE = mixed(300)


def distances(table: pa.Table, known: list[Column]) -> np.ndarray:
    points = encode([table], known, 0, 0)[0]
    return squared_distances(points, points)


def test_affine_rescaling_and_renaming_move_no_distance() -> None:
    size = pa.compute.add(pa.compute.multiply(TABLE["size"], -40.0), 9.0)
    colour = pa.compute.replace_substring(TABLE["colour"], "colour", "hue")
    other = TABLE.set_column(0, "size", size).set_column(3, "colour", colour)
    assert distances(other, columns()) == pytest.approx(distances(TABLE, columns()), rel=1e-3, abs=1e-3)


def test_column_order_moves_no_distance() -> None:
    turned = TABLE.select(TABLE.column_names[::-1])
    assert (distances(turned, columns()[::-1]) == distances(TABLE, columns())).all()


def test_different_levels_are_at_distance_one() -> None:
    known = [Column(name="colour", kind=Kind.CATEGORICAL, source_type="")]
    found = distances(pa.table({"colour": pa.array(["a", "b", None, "a"])}), known)
    assert found == pytest.approx(np.array([[0, 1, 1, 0], [1, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 0]]), abs=1e-6)


def test_wide_tables_keep_their_distances_nearly() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 400))
    table = pa.table({f"n{each}": values[:, each] for each in range(400)})
    known = [Column(name=name, kind=Kind.NUMERIC, source_type="") for name in table.column_names]
    points = encode([table], known, 0, 0)[0]
    assert points.shape == (60, 128)
    off = ~np.eye(60, dtype=bool)
    ratio = squared_distances(points, points)[off] / (2 * 400)
    assert ratio.mean() == pytest.approx(1.0, abs=0.15)
    assert ratio.std() < 0.25


def test_tables_without_places_have_no_dimensions() -> None:
    known = [Column(name="note", kind=Kind.TEXT, source_type="")]
    assert encode([TABLE], known, 0, 0)[0].shape == (300, 0)


def test_constants_and_gaps_are_finite() -> None:
    table = pa.table({"size": pa.array([1.0, 1.0, None, float("inf")]), "vector": TABLE["vector"].slice(0, 4)})
    known = [Column(name="size", kind=Kind.NUMERIC, source_type=""), columns()[-1]]
    assert np.isfinite(encode([table], known, 0, 0)[0]).all()
