"""Do tables of every kind become the arrays, the coordinates and the rows that they should?"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from unit.collapse.tables import table
from unit.profile.tables import columns, mixed

from foretrain.collapse import texts
from foretrain.collapse.rows import expand
from foretrain.collapse.space import MOST_AXES, Space
from foretrain.collapse.table import Table, Target, pair
from foretrain.data.reference import Column, Kind


def one(
    kind: Kind, candidate: pa.Array, original: pa.Array, target: str | None = None, **about: object
) -> tuple[Table, Table]:
    column = Column.model_validate({"name": "a", "kind": kind, "source_type": "", **about})
    return pair(pa.table({"a": candidate}), pa.table({"a": original}), [column], target)


def test_every_kind_has_its_place() -> None:
    made, real = pair(mixed(50), mixed(60, seed=1), columns())
    assert made.schema == real.schema
    assert real.schema.numbers == ("size", "count", "grade", "when", "lasted", "vector[0]", "vector[1]", "vector[2]")
    assert real.schema.whole == (False, True, True, True, True, False, False, False)
    assert real.schema.codes == ("flag", "colour")
    assert real.schema.target is None
    assert (len(made), len(real)) == (50, 60)
    assert np.isfinite(made.numbers[~np.isnan(made.numbers)]).all()
    assert (np.isnan(real.numbers[:, 1]) == np.asarray(mixed(60, seed=1)["count"].is_null())).all()


def test_infinities_are_nulls() -> None:
    made, _ = one(Kind.NUMERIC, pa.array([1.5, np.inf, -np.inf, None]), pa.array([0.0]))
    assert np.array_equal(made.numbers[:, 0], [1.5, np.nan, np.nan, np.nan], equal_nan=True)


def test_times_are_microseconds() -> None:
    when = pa.array([1704153600 * 10**6, None], pa.timestamp("us"))
    made, real = one(Kind.DATETIME, when, when.slice(1))
    assert made.numbers[0, 0] == datetime(2024, 1, 2, tzinfo=UTC).timestamp() * 1e6
    assert np.isnan([made.numbers[1, 0], real.numbers[0, 0]]).all()
    made, _ = one(Kind.DURATION, pa.array([5, None], pa.duration("us")), pa.array([1], pa.duration("us")))
    assert made.numbers[0, 0] == 5.0


def test_an_ordinal_is_its_place_in_its_order() -> None:
    made, real = one(
        Kind.ORDINAL, pa.array(["high", None, "odd"]), pa.array(["low", "mid"]), levels=("low", "mid", "high")
    )
    assert np.array_equal(made.numbers[:, 0], [2, np.nan, np.nan], equal_nan=True)
    assert real.numbers[:, 0].tolist() == [0, 1]


def test_an_embedding_is_a_number_a_dimension() -> None:
    vectors = pa.array([[1.0, 2.0], None, [3.0, np.nan]], pa.list_(pa.float32(), 2))
    made, _ = one(Kind.EMBEDDING, vectors, vectors, width=2)
    assert np.array_equal(made.numbers, [[1, 2], [np.nan, np.nan], [3, np.nan]], equal_nan=True)


def test_codes_count_from_the_originals_commonest_level() -> None:
    made, real = one(Kind.CATEGORICAL, pa.array(["new", "b", None]), pa.array(["b", "a", "b", None]))
    assert real.codes[:, 0].tolist() == [0, 1, 0, -1]
    assert made.codes[:, 0].tolist() == [2, 0, -1]
    assert real.schema.levels == (3,)


@given(st.lists(st.sampled_from("abcd") | st.none(), min_size=3, max_size=30), st.permutations("wxyz"))
def test_codes_know_levels_by_frequency_alone(values: list[str | None], names: list[str]) -> None:
    """Renamed levels have the same codes, up to levels of equal frequency."""
    renamed = [None if v is None else dict(zip("abcd", names, strict=True))[v] for v in values]
    a, b = (pa.array(v[: len(v) // 3], pa.string()) for v in (values, renamed))
    x, y = (pa.array(v[len(v) // 3 :], pa.string()) for v in (values, renamed))
    one_way, other = one(Kind.CATEGORICAL, a, x), one(Kind.CATEGORICAL, b, y)
    for left, right in zip(one_way, other, strict=True):
        assert (np.bincount(left.codes[:, 0] + 1) == np.bincount(right.codes[:, 0] + 1)).all()


@pytest.mark.parametrize(
    ("kind", "values", "goal"),
    [
        (Kind.INTEGER, pa.array([3, 1, 2, None]), Target("classification", 0)),
        (Kind.INTEGER, pa.array(range(50)), Target("regression", 0)),
        (Kind.NUMERIC, pa.array([1.0, 2.0]), Target("regression", 0)),
        (Kind.BOOLEAN, pa.array([True, False]), Target("classification", 0)),
    ],
)
def test_a_target_of_few_integers_is_a_class(kind: Kind, values: pa.Array, goal: Target) -> None:
    assert one(kind, values, values, "a")[0].schema.target == goal
    assert one(kind, values, values)[0].schema.target is None


@pytest.mark.parametrize("unit", [1e-300, 1e-200, 1e200, 1e308])
def test_numbers_out_of_reach_of_their_squares_are_brought_near(unit: float) -> None:
    values = np.asarray([0.25, -0.5, 0.75])
    made, real = one(Kind.NUMERIC, pa.array(values * unit), pa.array(values[:2] * unit))
    assert made.numbers[:, 0] / made.numbers[0, 0] == pytest.approx(values / values[0])
    assert made.numbers[0, 0] == real.numbers[0, 0]
    assert 0.1 < abs(made.numbers[0, 0]) < 10


def test_coordinates_of_one_space() -> None:
    reference = table([[1.0, 5.0], [3.0, np.nan], [5.0, 5.0]], [0, 1, 2])
    space = Space.of(reference, np.random.default_rng(0))
    points = space.place(reference)
    sd = np.std([1, 3, 5])
    assert points[:, 0] == pytest.approx([-2 / sd, 0, 2 / sd])
    assert points[:, 1].tolist() == [0, 0, 0]
    assert points[:, 2].tolist() == [0, 1, 0]  # the null's flag
    assert cdist(points[:, 3:], points[:, 3:]) == pytest.approx(1 - np.eye(3))
    far = reference.with_columns(np.asarray([[1e9, 0.0]]), np.asarray([[-1]]))
    assert space.place(far)[0] == pytest.approx([6, -5, 0, 0, 0, 0])


def test_a_wide_space_keeps_distances() -> None:
    """Johnson and Lindenstrauss (1984): distances survive a Gaussian projection within a few percent."""
    rows = table(np.random.default_rng(0).normal(size=(60, 600)))
    points = Space.of(rows, np.random.default_rng(1)).place(rows)
    assert points.shape == (60, MOST_AXES)
    upper = np.triu_indices(60, 1)
    z = (rows.numbers - rows.numbers.mean(axis=0)) / rows.numbers.std(axis=0)
    ratio = cdist(points, points)[upper] / cdist(z, z)[upper]
    assert ratio.mean() == pytest.approx(1.0, abs=0.03)
    assert ratio.std() < 0.1


def test_rows_are_put_back_as_often_as_they_occur() -> None:
    rows = pa.table({"a": list("wxyz"), "__copies__": pa.array([1, 3, 1, 2])})
    assert expand(rows, 100, np.random.default_rng(0))["a"].to_pylist() == list("wxxxyzz")


def test_of_too_many_rows_some_are_drawn_in_proportion() -> None:
    rows = pa.table({"a": list(range(1000)), "__copies__": pa.array([9000, *[1] * 999])})
    found = np.asarray(expand(rows, 2000, np.random.default_rng(0))["a"])
    assert len(found) == 2000
    assert (found == 0).mean() == pytest.approx(0.9, abs=0.03)
    distinct = pa.table({"a": list(range(1000)), "__copies__": pa.array([1] * 1000)})
    found = np.asarray(expand(distinct, 200, np.random.default_rng(0))["a"])
    assert len(np.unique(found)) == 200


def test_texts_become_lengths_and_axes() -> None:
    rng = np.random.default_rng(0)
    birds, ships = ["heron", "gull", "tern", "swan", "duck"], ["mast", "keel", "sail", "deck", "hull"]
    makes = [[" ".join(rng.choice(words, 6)) for _ in range(20)] for words in (birds, ships)]
    a, b = texts.numbers(pa.array([*makes[0], None]), pa.array([*makes[1], "a" * 500]), 0)
    assert a.shape == b.shape == (21, 2 + texts.AXES)
    assert len(texts.names("t")) == 2 + texts.AXES
    assert a[0, 0] == pytest.approx(np.log1p(len(makes[0][0])))
    assert a[-1, 0] == 0.0
    assert b[-1, 1] < 0.1 < a[:20, 1].min()  # a run of one letter packs well
    # the first two axes of two vocabularies that share no word are the vocabularies
    within, between = (cdist(a[:20, 2:4], side[:20, 2:4]).mean() for side in (a, b))
    assert between > 3 * within
    again = texts.numbers(pa.array([*makes[0], None]), pa.array([*makes[1], "a" * 500]), 0)
    assert (again[0] == a).all()


def test_empty_texts_have_no_axes() -> None:
    a, b = texts.numbers(pa.array(["", None]), pa.array(["!?", ""]), 0)
    assert (a[:, 0] == 0).all()
    assert (a[:, 2:] == 0).all()
    assert (b[:, 2:] == 0).all()
