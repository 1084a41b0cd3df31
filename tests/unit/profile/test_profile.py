"""Does one pass tell the truth of a table, whatever its order and partitioning?"""

import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.profile.stored import stored
from unit.profile.tables import KINDS, columns, mixed, profiled, small

from foretrain.errors import DataError, InternalError, ResourceError
from foretrain.profile import Profile, ProfileRef, open_profile, read_sample
from foretrain.profile.table import rechunk
from foretrain.settings import Settings

TABLE = mixed(3000)


def same(one: Profile, other: Profile, *, exact_sketches: bool = True) -> None:
    """Both tell the same: bit for bit but for sums, which may differ in rounding."""
    assert one.rows == other.rows
    assert one.sample().equals(other.sample())
    assert one.distinct_rows == other.distinct_rows
    assert one.duplicate_share() == other.duplicate_share()
    assert one.correlation()[1] == pytest.approx(other.correlation()[1], abs=1e-9, nan_ok=True)
    for name, left in one.columns.items():
        right = other.columns[name]
        assert (left.nulls, left.infinities, left.distinct) == (right.nulls, right.infinities, right.distinct)
        assert (left.minimum, left.maximum) == (right.minimum, right.maximum)
        assert (left.mean is None) == (right.mean is None)
        if left.mean is not None:
            assert left.mean == pytest.approx(right.mean, rel=1e-12, abs=1e-12)
        if left.variance is not None:
            assert left.variance == pytest.approx(right.variance, rel=1e-9)
        if exact_sketches:
            assert left.counts() == right.counts()
            if left.quantiles_ is not None and left.quantiles_.n:
                assert (left.quantiles([0.01, 0.5, 0.99]) == right.quantiles([0.01, 0.5, 0.99])).all()


def test_columns_against_pandas() -> None:
    found = profiled(TABLE).columns
    for name in ("size", "count", "when", "lasted"):
        series = TABLE[name].to_pandas()
        numbers = pd.Series(series.dropna().to_numpy().astype("int64" if name != "size" else float), dtype=float)
        finite = numbers[np.isfinite(numbers)]
        column = found[name]
        assert column.nulls == series.isna().sum()
        assert column.infinities == len(numbers) - len(finite)
        assert column.distinct == numbers.nunique()
        assert column.mean == pytest.approx(finite.mean(), rel=1e-12)
        assert column.variance == pytest.approx(finite.var(), rel=1e-9)
        assert (column.minimum, column.maximum) == (finite.min(), finite.max())
        assert column.quantiles([0.1, 0.5]).tolist() == np.quantile(finite, [0.1, 0.5], method="inverted_cdf").tolist()
        assert column.counts().values == numbers.value_counts().to_dict()
    for name in ("colour", "grade"):
        assert found[name].counts().values == TABLE[name].to_pandas().value_counts().to_dict()
    lengths = TABLE["note"].to_pandas().dropna().str.len()
    assert (found["note"].mean, found["note"].maximum) == (pytest.approx(lengths.mean()), lengths.max())
    vectors = np.stack(TABLE["vector"].to_pandas())
    moments = found["vector"].moments
    assert moments is not None
    assert moments.mean == pytest.approx(vectors.mean(axis=0, dtype=float), rel=1e-9)
    assert moments.variance == pytest.approx(vectors.astype(float).var(axis=0, ddof=1), rel=1e-9)


def test_correlations_against_pandas() -> None:
    names, matrix, n = profiled(TABLE).correlation()
    frame = pd.DataFrame({name: TABLE[name].to_pandas() for name in names})
    for name in ("when", "lasted"):
        frame[name] = frame[name].astype("int64").where(frame[name].notna()).astype(float)
    frame = frame.astype(float).replace(np.inf, np.nan)
    assert matrix == pytest.approx(frame.corr().to_numpy(), abs=1e-9)
    assert (n == frame.notna().astype(int).T @ frame.notna().astype(int)).all(axis=None)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000), st.booleans())
def test_merge_laws(one: int, other: int, overflow: bool) -> None:
    options = small() if overflow else Settings()
    low, high = sorted((one, other))
    a, b, c = (profiled(TABLE.slice(*cut), options) for cut in ((0, low), (low, high - low), (high,)))
    whole = profiled(TABLE, options)
    for merged in (a.merge(b).merge(c), a.merge(b.merge(c)), c.merge(a).merge(b)):
        same(merged, whole, exact_sketches=not overflow)
    same(whole.merge(Profile.empty(columns(), options)), whole)
    same(Profile.empty(columns(), options).merge(whole), whole)


def test_partitioning_of_a_pass_changes_not_one_bit() -> None:
    options = small()
    assert profiled(TABLE, options, batch=37).to_bytes() == profiled(TABLE, options, batch=3000).to_bytes()


def test_encoded_categories_change_not_one_bit() -> None:
    def encoded(part: pa.Table) -> pa.Table:
        for place, name in enumerate(part.column_names):
            if name in ("colour", "grade"):
                part = part.set_column(place, name, part[name].combine_chunks().dictionary_encode())
        return part

    parts = [encoded(TABLE.slice(start, 700)) for start in range(0, 3000, 700)]
    batches = [batch for part in parts for batch in part.to_batches()]
    assert Profile.of(columns(), batches, small()).to_bytes() == profiled(TABLE, small()).to_bytes()


def test_row_order_changes_nothing_but_rounding() -> None:
    shuffled = TABLE.take(pa.array(np.random.default_rng(0).permutation(len(TABLE))))
    same(profiled(shuffled), profiled(TABLE))


def test_column_order_does_not_change_rows() -> None:
    turned = TABLE.select(TABLE.column_names[::-1])
    one = profiled(TABLE, small())
    other = Profile.of(columns()[::-1], turned.to_batches(), small())
    assert other.sample().select(one.sample().column_names).equals(one.sample())
    assert one.overlap(other) == 1.0


def test_bytes_come_back() -> None:
    for options in (Settings(), small()):
        whole = profiled(TABLE, options)
        data = whole.to_bytes()
        same(Profile.from_bytes(data), whole)
    data = profiled(TABLE).to_bytes()
    assert Profile.from_bytes(data).to_bytes() == data


def test_damaged_bytes_are_refused() -> None:
    data = profiled(TABLE.slice(0, 10)).to_bytes()
    for broken in (b"", data[: len(data) // 2], b"x" * 100, data.replace(b'\\"version\\":1', b'\\"version\\":9')):
        with pytest.raises(DataError, match="stored profile"):
            Profile.from_bytes(broken)


def test_only_profiles_of_the_same_columns_and_seed_merge() -> None:
    one = profiled(TABLE.slice(0, 10))
    with pytest.raises(DataError, match="same columns"):
        one.merge(profiled(TABLE.slice(0, 10).select(["size"])))
    with pytest.raises(DataError, match="one seed"):
        one.merge(profiled(TABLE.slice(0, 10), small()))


def test_the_sample_is_of_different_rows_with_their_copies() -> None:
    table = pa.table({"count": pa.array([*range(3000), *range(1500), *([7] * 500)], pa.int64())})
    options = small()
    found = profiled(table, options).sample()
    assert found.num_rows == options.profile.sample_rows
    values, copies = found["count"].to_numpy(), found["__copies__"].to_numpy()
    assert np.unique(values).size == 1000
    assert (copies == 1 + (values < 1500) + 500 * (values == 7)).all()
    assert (np.diff(found["__hash__"].to_numpy()) > 0).all()
    other = profiled(table, Settings(seed=8, profile=options.profile)).sample()
    assert 200 < np.isin(values, other["count"].to_numpy()).sum() < 470  # a third by chance


def test_the_sample_is_uniform() -> None:
    table = pa.table({"count": pa.array(range(20_000), pa.int64())})
    drawn = profiled(table, small()).sample()["count"].to_numpy()
    counts = np.histogram(drawn, bins=10, range=(0, 20_000))[0]
    assert ((counts - 100) ** 2 / 100).sum() < 30  # chi-squared of 9 degrees: 0.05 % above 30


def test_a_small_table_is_kept_whole() -> None:
    found = profiled(TABLE)
    assert found.sample_complete
    rows = found.sample().drop_columns(["__hash__", "__copies__"])
    keys = rows["key"].to_pylist()
    assert sorted(filter(None, keys)) == sorted(filter(None, TABLE["key"].to_pylist()))


def test_copies_between_tables() -> None:
    half = pa.concat_tables([TABLE.slice(0, 500), mixed(500, seed=9)])
    assert profiled(half).overlap(profiled(TABLE)) == 0.5
    assert profiled(TABLE).overlap(profiled(half)) == pytest.approx(500 / 3000)
    twice = pa.concat_tables([TABLE, TABLE.slice(0, 600)])
    assert profiled(twice).duplicate_share() == pytest.approx(600 / 3600)


def test_copies_under_new_identifiers_are_copies() -> None:
    renamed = TABLE.slice(0, 600).set_column(8, "key", pa.array([f"new-{each}" for each in range(600)]))
    assert profiled(pa.concat_tables([TABLE, renamed])).duplicate_share() == pytest.approx(600 / 3600)
    assert profiled(renamed).overlap(profiled(TABLE)) == 1.0
    assert profiled(TABLE.select(["key"])).columns["key"].distinct == profiled(TABLE.select(["key"])).distinct_rows - 1


def test_zero_is_zero_and_nan_is_missing() -> None:
    table = pa.table({"size": pa.array([0.0, -0.0, float("nan"), None])})
    found = profiled(table)
    assert found.columns["size"].nulls == 2
    assert found.columns["size"].distinct == 1
    assert found.distinct_rows == 2


def test_frequent_numbers_of_a_continuous_column() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(60_000) < 0.3, 0.0, rng.normal(size=60_000))
    found = profiled(pa.table({"size": values})).columns["size"].counts()
    assert not found.exact
    assert list(found.values) == [0.0]
    assert found.values[0.0] == pytest.approx((values == 0).sum(), abs=found.error)


def test_empty_and_hopeless_columns() -> None:
    table = pa.table(
        {"size": pa.array([None, float("inf")], pa.float64()), "colour": pa.array([None, None], pa.string())}
    )
    found = profiled(table)
    size = found.columns["size"]
    assert (size.mean, size.variance, size.minimum, size.skewness) == (None, None, None, None)
    assert found.columns["colour"].counts().values == {}
    with pytest.raises(InternalError, match="without values"):
        size.quantiles([0.5])
    with pytest.raises(InternalError, match="no order"):
        found.columns["colour"].cdf([0.5])
    assert Profile.empty(columns()).sample().num_rows == 0


def test_huge_numbers_raise_no_warnings() -> None:
    found = profiled(pa.table({"size": pa.array([1e308, -1e308, 1e308])})).columns["size"]
    assert (found.minimum, found.maximum) == (-1e308, 1e308)
    assert found.variance is None


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 25))
def test_rechunk_keeps_rows_in_equal_batches(sizes: list[int], rows: int) -> None:
    table = pa.table({"count": pa.array(range(sum(sizes)), pa.int64())})
    starts = np.cumsum([0, *sizes])
    parts = [table.slice(start, size).combine_chunks().to_batches() for start, size in zip(starts, sizes, strict=False)]
    out = list(rechunk((batch for part in parts for batch in part), rows))
    assert [value for batch in out for value in batch["count"].to_pylist()] == list(range(sum(sizes)))
    assert all(batch.num_rows == rows for batch in out[:-1])
    assert all(0 < batch.num_rows <= rows for batch in out)


def test_memory_does_not_grow_with_rows() -> None:
    options = small()

    def peak(batches: int) -> int:
        part = TABLE.select(["size", "count", "colour", "note"])
        tracemalloc.start()
        Profile.of(
            columns({n: k for n, k in KINDS.items() if n in part.column_names}), part.to_batches() * batches, options
        )
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(60) < 1.3 * peak(30)


def test_the_stage_writes_what_can_be_read_again(tmp_path: Path) -> None:
    found = stored(TABLE, columns(), tmp_path, small())
    assert ProfileRef.model_validate_json(found.model_dump_json()) == found
    whole = profiled(TABLE, small())
    same(open_profile(found), whole)
    assert read_sample(found).equals(whole.sample())
    assert found.rows == 3000
    assert found.sample_rows == 1000
    assert not found.sample_complete
    colour = next(each for each in found.summary if each.name == "colour")
    assert colour.frequent[0].value == "colour 1"
    flag, count = (next(each for each in found.summary if each.name == name) for name in ("flag", "count"))
    assert [each.value for each in flag.frequent] == ["false", "true"]
    assert all(each.value.isdigit() for each in count.frequent)
    note = next(each for each in found.summary if each.name == "note")
    assert note.of == "length"
    assert open_profile(found).merge(open_profile(found)).rows == 6000


def test_a_lost_profile_is_said_so(tmp_path: Path) -> None:
    found = stored(TABLE.slice(0, 5), columns(), tmp_path)
    (tmp_path / "profile.safetensors").unlink()
    with pytest.raises(ResourceError, match=r"profile\.safetensors"):
        open_profile(found)
