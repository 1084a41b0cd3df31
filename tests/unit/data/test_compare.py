"""Is a candidate read with the original's columns and kinds, without loss, or refused with the reason?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from foretrain.data import Kind
from foretrain.errors import DataError

N = 300


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "number": rng.normal(size=N),
            "count": rng.integers(0, 90, N),
            "code": rng.choice(["A1", "10", "20"], N),
            "flag": rng.random(N) > 0.5,
            "when": pd.date_range("2020-01-01", periods=N, freq="h"),
            "id": [f"u{i}" for i in range(N)],
            "size": pd.Categorical(rng.choice(["s", "m"], N), ["s", "m", "l"], ordered=True),
        }
    )


def test_a_fresh_sample_in_any_format_and_column_order(frame, loader, table, tmp_path):
    original = loader(frame)
    half = frame[100:200][frame.columns[::-1]]
    half.to_csv(tmp_path / "a.csv", index=False)
    half.to_parquet(tmp_path / "a.parquet", index=False)
    half.to_json(tmp_path / "a.jsonl", orient="records", lines=True, date_format="iso", double_precision=15)
    half.to_excel(tmp_path / "a.xlsx", index=False)
    for name in ("a.csv", "a.parquet", "a.jsonl", "a.xlsx"):
        ref = loader(tmp_path / name, like=original)
        assert [(c.name, c.kind, c.levels) for c in ref.columns] == [
            (c.name, c.kind, c.levels) for c in original.columns
        ]
        read, expected = table(ref), table(original).slice(100, 100)
        assert np.allclose(read["number"], expected["number"])
        assert read.drop_columns("number").equals(expected.drop_columns("number"))


LOSSLESS = {
    "integers for numbers": ("number", np.arange(N)),
    "whole numbers with nulls for integers": ("count", [None, *range(N - 1)]),
    "integers for categories": ("code", [10, 20, 30] * 100),
    "whole numbers with nulls for categories": ("code", [None, 10.0, 20.0] * 100),
    "zero and one for truth values": ("flag", [0, 1, None] * 100),
    "days for moments": ("when", pd.date_range("2020-01-01", periods=N).date),
    "words for moments": ("when", ["2020-01-01T00:00:00Z"] * N),
    "nothing for numbers": ("number", [None] * N),
    "nothing for categories": ("code", [None] * N),
    "nothing for moments": ("when", [None] * N),
    "plain words for ordered ones": ("size", ["s"] * N),
    "few words for identifiers": ("id", ["u1"] * N),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_changes_are_made_without_a_word(name, frame, loader, table, tmp_path):
    column, values = LOSSLESS[name]
    original = loader(frame)
    changed = frame.assign(**{column: values})
    changed.to_parquet(tmp_path / "a.parquet")
    for source in (changed, tmp_path / "a.parquet"):
        ref = loader(source, like=original)
        assert ref.kinds == original.kinds
        assert table(ref).schema == table(original).schema
    assert table(ref)["count"].to_pylist()[-1] is not None


DIFFERENT = {
    "words for numbers": ("number", ["a", "b", "c"] * 100, None),
    "digits as words for integers": ("count", ["1", "2", "3"] * 100, None),
    "fractions for integers": ("count", [1.0, 2.0, 3.5] * 100, 3),
    "fractions for categories": ("code", [1.0, 2.0, 3.5] * 100, 3),
    "two for truth values": ("flag", [0, 1, 2] * 100, 3),
    "truth values for categories": ("code", [True, False, True] * 100, None),
    "numbers for moments": ("when", np.arange(N), None),
    "words for moments": ("when", ["2020-01-01", "soon", "2020-01-02"] * 100, 2),
    "moments for categories": ("code", pd.date_range("2020-01-01", periods=N), None),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_kinds_that_differ_are_refused(name, frame, loader, tmp_path):
    column, values, row = DIFFERENT[name]
    original = loader(frame)
    frame.assign(**{column: values}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="kinds differ") as caught:
        loader(tmp_path / "a.parquet", like=original)
    assert (caught.value.column, caught.value.row) == (column, row)
    assert caught.value.file == str(tmp_path / "a.parquet")
    assert f"data.kinds.{column}" in str(caught.value)


WORDS_THAT_DIFFER = {
    "number": (["x"] * N, 1),
    "count": ([*range(7), "1.5", *range(N - 8)], 8),
    "flag": (["yes"] * N, 1),
    "code": (np.linspace(0, 1, N), None),
    "when": (["never"] * N, 1),
}


@pytest.mark.parametrize("column", WORDS_THAT_DIFFER)
def test_words_that_cannot_be_read_as_the_original_are_refused(column, frame, loader, tmp_path):
    values, row = WORDS_THAT_DIFFER[column]
    original = loader(frame)
    frame.assign(**{column: values}).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(DataError, match="kinds differ") as caught:
        loader(tmp_path / "a.csv", like=original)
    assert (caught.value.column, caught.value.row) == (column, row)


def test_columns_that_differ_are_named(frame, loader):
    original = loader(frame)
    with pytest.raises(DataError, match=r"lacks 'count', 'id', has 'extra' besides") as caught:
        loader(frame.drop(columns=["count", "id"]).assign(extra=1), like=original)
    assert caught.value.column is None
    with pytest.raises(DataError, match="lacks 'count'") as caught:
        loader(frame.drop(columns="count"), like=original)
    assert caught.value.column == "count"
    wide = loader(pd.DataFrame({f"c{i}": [1, 2] for i in range(20)}))
    with pytest.raises(DataError, match="and 14 more"):
        loader(pd.DataFrame({"c0": [1, 2]}), like=wide)


def test_a_named_kind_makes_both_agree(frame, loader, tmp_path):
    candidate = frame.assign(count=frame["count"] + 0.5)
    original = loader(frame, kinds={"count": "numeric"})
    assert loader(candidate, like=original, kinds={"count": "numeric"}).kinds["count"] is Kind.NUMERIC


def test_codes_with_leading_zeros_keep_them(loader, table, tmp_path):
    (tmp_path / "a.csv").write_text("zip\n" + "01234\n98765\n" * 30)
    (tmp_path / "b.csv").write_text("zip\n" + "98765\n12345\n" * 30)
    original = loader(tmp_path / "a.csv")
    assert original.kinds["zip"] is Kind.CATEGORICAL
    assert table(original)["zip"][0].as_py() == "01234"
    assert table(loader(tmp_path / "b.csv", like=original))["zip"].unique().to_pylist() == ["98765", "12345"]


def test_embeddings_must_have_the_width_of_the_original(loader, table):
    original = loader(pa.table({"e": [[1.0, 2.0]] * 3}))
    assert table(loader(pa.table({"e": [[1, 2], None, [3, 4]]}), like=original))["e"][2].as_py() == [3, 4]
    with pytest.raises(DataError, match="kinds differ"):
        loader(pa.table({"e": [[1.0, 2.0, 3.0]] * 3}), like=original)
