"""Is a column taken for what it is, whatever the order of its rows and the cut of its files?"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foretrain.data import Kind
from foretrain.data.scan import KEPT, Words

RNG = np.random.default_rng(5)
N = 400
SENTENCE = "this is one of many remarks, number {}"


def words(values: list[str]) -> list[str]:
    return [values[i] for i in RNG.integers(0, len(values), N)]


IN_WORDS = {
    "integer": ([str(i) for i in RNG.integers(-50, 50, N)], Kind.INTEGER),
    "class label": ([str(i) for i in RNG.integers(0, 2, N)], Kind.INTEGER),
    "number": ([f"{x:.3f}" for x in RNG.normal(size=N)], Kind.NUMERIC),
    "scientific": ([f"{x:.3e}" for x in RNG.normal(size=N)], Kind.NUMERIC),
    "integers and numbers": (["1"] * 200 + ["1.5"] * 200, Kind.NUMERIC),
    "infinities": (["inf", "-inf", "1", "2"] * 100, Kind.NUMERIC),
    "truth": (words(["true", "False", "TRUE"]), Kind.BOOLEAN),
    "yes": (words(["yes", "no"]), Kind.CATEGORICAL),
    "day": (words(["2020-01-01", "1999-12-31"]), Kind.DATETIME),
    "moment": (
        words(["2020-01-01 10:00", "1999-12-31T23:59:59.123456789Z", "2020-01-01T10:00:00+02:00"]),
        Kind.DATETIME,
    ),
    "clock": (words(["10:00:00", "99:59:59.5", "1 days 00:00:01", "-1 days +23:59:59"]), Kind.DURATION),
    "iso duration": (words(["P1DT2H", "PT0.5S", "P3D"]), Kind.DURATION),
    "post code": ([f"{i:05}" for i in RNG.integers(0, 99999, N)], Kind.IDENTIFIER),
    "few post codes": (words(["01234", "98765"]), Kind.CATEGORICAL),
    "long digits": ([f"9{i:020}" for i in range(N)], Kind.IDENTIFIER),
    "row counter": ([str(i) for i in RNG.permutation(N) + 7], Kind.IDENTIFIER),
    "colour": (words(["red", "green", "two words"]), Kind.CATEGORICAL),
    "many names": (words([f"name{i}" for i in range(150)]), Kind.CATEGORICAL),
    "uuid": ([str(uuid.UUID(int=i * 2**90)) for i in range(N)], Kind.IDENTIFIER),
    "remark": ([SENTENCE.format(i) for i in range(N)], Kind.TEXT),
    "repeated remark": (words([SENTENCE.format(i) for i in range(90)]), Kind.TEXT),
    "few long answers": (words([SENTENCE.format(i) for i in range(4)]), Kind.CATEGORICAL),
    "person": ([f"First{i} Last{i}" for i in range(N)], Kind.TEXT),
    "user_id": ([str(i) for i in RNG.choice(10**9, N, replace=False)], Kind.IDENTIFIER),
}


@pytest.mark.parametrize("name", IN_WORDS)
def test_kinds_of_words_in_a_format_without_types(name, loader, tmp_path):
    values, kind = IN_WORDS[name]
    pd.DataFrame({name: values}).to_csv(tmp_path / "a.csv", index=False)
    assert loader(tmp_path / "a.csv").kinds == {name: kind}


DAY = dt.date(2020, 2, 29)
MICROSECOND = dt.datetime.fromisoformat("1970-01-01T00:00:00.000001")
DECLARED = {
    "int8": (pa.array([1, 2, None], pa.int8()), Kind.INTEGER, [1, 2, None]),
    "uint64": (pa.array([1, 2, 3], pa.uint64()), Kind.INTEGER, [1, 2, 3]),
    "hash": (pa.array([2**64 - 1, 2, 3], pa.uint64()), Kind.IDENTIFIER, ["18446744073709551615", "2", "3"]),
    "half": (pa.array(np.array([1, np.nan, 2], np.float16)), Kind.NUMERIC, [1.0, None, 2.0]),
    "float": (pa.array([1.5, np.inf, np.nan], pa.float32()), Kind.NUMERIC, [1.5, np.inf, None]),
    "decimal": (pa.array([decimal.Decimal("1.25"), None], pa.decimal128(9, 2)), Kind.NUMERIC, [1.25, None]),
    "whole decimal": (pa.array([decimal.Decimal(7), None], pa.decimal128(9, 0)), Kind.INTEGER, [7, None]),
    "bool": (pa.array([True, None, False]), Kind.BOOLEAN, [True, None, False]),
    "digits": (pa.array(["1", "2", None]), Kind.CATEGORICAL, ["1", "2", None]),
    "large string": (pa.array(["a", None], pa.large_string()), Kind.CATEGORICAL, ["a", None]),
    "view": (pa.array(["a", None], pa.string_view()), Kind.CATEGORICAL, ["a", None]),
    "categories": (pa.array(["a", None, "a"]).dictionary_encode(), Kind.CATEGORICAL, ["a", None, "a"]),
    "date32": (pa.array([DAY, None]), Kind.DATETIME, [dt.datetime.combine(DAY, dt.time()), None]),
    "date as words": (pa.array(["2020-02-29", None]), Kind.DATETIME, [dt.datetime.combine(DAY, dt.time()), None]),
    "nanoseconds": (pa.array([1999, None], pa.timestamp("ns")), Kind.DATETIME, [MICROSECOND, None]),
    "zone": (
        pa.array([0, None], pa.timestamp("s", "Asia/Tokyo")),
        Kind.DATETIME,
        [dt.datetime.fromisoformat("1970-01-01"), None],
    ),
    "time": (pa.array([dt.time(1, 2, 3), None]), Kind.DURATION, [dt.timedelta(hours=1, minutes=2, seconds=3), None]),
    "duration": (pa.array([5, None], pa.duration("ms")), Kind.DURATION, [dt.timedelta(milliseconds=5), None]),
    "vector": (pa.array([[1, 2], None], pa.list_(pa.float64(), 2)), Kind.EMBEDDING, [[1.0, 2.0], None]),
    "list": (pa.array([[1, 2], None, [3, 4]]), Kind.EMBEDDING, [[1.0, 2.0], None, [3.0, 4.0]]),
    "words": (pa.array([["a"], None]), Kind.TEXT, ['["a"]', None]),
    "map": (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), Kind.TEXT, ['[["k", 1]]', None]),
    "utf-8 bytes": (pa.array([b"a", None]), Kind.IDENTIFIER, ["a", None]),
    "bytes": (pa.array([b"\xff\x00", None]), Kind.IDENTIFIER, ["ff00", None]),
}  # fmt: skip


@pytest.mark.parametrize("place", ["memory", "parquet"])
@pytest.mark.parametrize("name", DECLARED)
def test_declared_types_and_their_canonical_values(name, place, loader, table, tmp_path):
    array, kind, values = DECLARED[name]
    source = pa.table({"x": array, "other": range(len(array))})
    if place == "parquet":
        pq.write_table(source, tmp_path / "a.parquet")
        source = tmp_path / "a.parquet"
    ref = loader(source)
    assert ref.kinds["x"] is kind
    assert table(ref)["x"].to_pylist() == values


def test_canonical_types_are_those_of_the_contract(loader, table):
    ref = loader(pa.table({name: array.slice(0, 2) for name, (array, _, _) in DECLARED.items()}))
    expected = {
        Kind.NUMERIC: pa.float64(), Kind.INTEGER: pa.int64(), Kind.BOOLEAN: pa.bool_(), Kind.CATEGORICAL: pa.string(),
        Kind.TEXT: pa.string(), Kind.IDENTIFIER: pa.string(), Kind.DATETIME: pa.timestamp("us"),
        Kind.DURATION: pa.duration("us"), Kind.EMBEDDING: pa.list_(pa.float32(), 2),
    }  # fmt: skip
    for field, column in zip(table(ref).schema, ref.columns, strict=True):
        assert field.type == expected[column.kind]


def test_categories_may_be_numbers(loader, table):
    ref = loader(pd.DataFrame({"x": pd.Categorical([3, 1, None])}))
    assert ref.kinds == {"x": Kind.CATEGORICAL}
    assert table(ref)["x"].to_pylist() == ["3", "1", None]


def test_ordered_categories_are_ordinal_with_their_levels(loader, table, tmp_path):
    frame = pd.DataFrame({"size": pd.Categorical(["m", "s", None, "m"], ["s", "m", "l"], ordered=True)})
    frame.to_parquet(tmp_path / "a.parquet")
    for source in (frame, tmp_path / "a.parquet"):
        ref = loader(source)
        assert ref.kinds == {"size": Kind.ORDINAL}
        assert ref.columns[0].levels == ("s", "m", "l")
        assert table(ref)["size"].to_pylist() == ["m", "s", None, "m"]


def test_kinds_can_be_overridden(loader, table, tmp_path):
    pd.DataFrame({"grade": [10, 9, 2] * 40, "stars": [0.5, 1.0, None] * 40, "zero": [0, 1, 1] * 40}).to_csv(
        tmp_path / "a.csv", index=False
    )
    ref = loader(tmp_path / "a.csv", kinds={"grade": "ordinal", "stars": "categorical", "zero": "boolean"})
    assert ref.kinds == {"grade": Kind.ORDINAL, "stars": Kind.CATEGORICAL, "zero": Kind.BOOLEAN}
    assert ref.columns[0].levels == ("2", "9", "10")
    assert table(ref).to_pylist()[1] == {"grade": "9", "stars": "1.0", "zero": True}


def test_a_target_or_time_column_is_never_an_identifier(loader):
    frame = pd.DataFrame({"id": range(100), "y": [f"u{i}" for i in range(100)]})
    assert loader(frame).kinds == {"id": Kind.IDENTIFIER, "y": Kind.IDENTIFIER}
    assert loader(frame, target="id").kinds["id"] is Kind.INTEGER
    assert loader(frame, target="y").kinds["y"] is Kind.CATEGORICAL


def test_nested_structs_become_dotted_columns(loader, table, tmp_path):
    rows = [{"a": {"b": {"c": 1}, "d": "x"}}, {"a": None}, {"a": {"b": None, "d": "y"}}]
    source = pa.Table.from_pylist([*rows, *rows])
    pq.write_table(source, tmp_path / "a.parquet")
    for place in (source, tmp_path / "a.parquet"):
        ref = loader(place)
        assert ref.kinds == {"a.b.c": Kind.INTEGER, "a.d": Kind.CATEGORICAL}
        assert table(ref)["a.d"].to_pylist() == ["x", None, "y"] * 2


def test_parquet_is_read_in_place_unless_values_must_be_parsed(loader, tmp_path):
    plain = pa.table({"i": pa.array([1, 2], pa.int16()), "f": pa.array([1, 2], pa.float32()), "s": ["a", "b"]})
    pq.write_table(plain, tmp_path / "a.parquet")
    assert loader(tmp_path / "a.parquet").table == str(tmp_path / "a.parquet")
    pq.write_table(plain.append_column("d", pa.array(["2020-01-01", "2020-01-02"])), tmp_path / "b.parquet")
    assert loader(tmp_path / "b.parquet").table.endswith("table.parquet")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, N), max_size=4))
def test_kinds_do_not_depend_on_row_order_or_partitioning(seed, cuts, loader, tmp_path_factory):
    folder = tmp_path_factory.mktemp("parts")
    frame = pd.DataFrame({name: values for name, (values, _) in IN_WORDS.items()})
    shuffled = frame.sample(frac=1, random_state=seed)
    ends = [0, *sorted(cuts), N]
    for at, (start, end) in enumerate(pairwise(ends)):
        shuffled[start:end].to_csv(folder / f"{at}.csv", index=False)
    assert loader(folder).kinds == {name: kind for name, (_, kind) in IN_WORDS.items()}


@pytest.mark.parametrize("distinct", [10, KEPT - 1, 3 * KEPT, 20 * KEPT])
def test_distinct_count_is_exact_below_and_close_above(distinct):
    values = pa.array([f"v{i}" for i in range(distinct)])
    whole, parts = Words(), Words()
    whole.add(values, classify=False)
    for start in reversed(range(0, distinct, 5000)):
        parts.add(pa.concat_arrays([values.slice(start, 5000), values.slice(0, 10)]), classify=False)
    assert whole.distinct == parts.distinct
    assert np.array_equal(whole.hashes, parts.hashes)
    assert whole.examples.equals(parts.examples)
    assert whole.distinct == pytest.approx(distinct, rel=0 if distinct < KEPT else 0.03)
