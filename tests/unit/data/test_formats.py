"""Does a table mean the same, whatever format it was written in?"""

from __future__ import annotations

import bz2
import datetime as dt
import gzip
import json
import lzma
import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pv
import pyarrow.feather as pf
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foretrain.data import Kind
from foretrain.errors import DataError


def write_csv(table: pa.Table, path: Path) -> None:
    pv.write_csv(table, path)


def write_tsv(table: pa.Table, path: Path) -> None:
    pv.write_csv(table, path, pv.WriteOptions(delimiter="\t"))


def write_pandas_csv(table: pa.Table, path: Path) -> None:
    table.to_pandas(types_mapper=pd.ArrowDtype).to_csv(path, index=False, sep=";")


def plain(value: object) -> object:
    if isinstance(value, float) and np.isinf(value):
        return json.loads(f"{'-' if value < 0 else ''}Infinity")
    return value.isoformat() if isinstance(value, dt.datetime) else value


def rows(table: pa.Table) -> list[dict[str, object]]:
    return [{key: plain(value) for key, value in row.items()} for row in table.to_pylist()]


def write_json(table: pa.Table, path: Path) -> None:
    path.write_text(json.dumps(rows(table), indent=1, ensure_ascii=False))


def write_json_columns(table: pa.Table, path: Path) -> None:
    path.write_text(json.dumps({name: [row[name] for row in rows(table)] for name in table.schema.names}))


def write_jsonl(table: pa.Table, path: Path) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(table)))


def write_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, row_group_size=7)


def write_arrow(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=50)


def write_arrow_stream(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=50)


def write_feather(table: pa.Table, path: Path) -> None:
    pf.write_feather(table, path)


def write_hdf5_table(table: pa.Table, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTables remarks on pandas' attribute names
        table.to_pandas().to_hdf(path, key="df", format="table", index=False, nan_rep="\\N", min_itemsize=200)


def write_excel(table: pa.Table, path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(table.schema.names)
    for row in table.to_pylist():
        sheet.append([str(v) if isinstance(v, float) and np.isinf(v) else v for v in row.values()])
    book.save(path)


WRITERS: dict[str, tuple[str, Callable[[pa.Table, Path], None]]] = {
    "csv": (".csv", write_csv),
    "csv with semicolons": (".csv", write_pandas_csv),
    "tsv": (".tsv", write_tsv),
    "json": (".json", write_json),
    "json of columns": (".json", write_json_columns),
    "jsonl": (".jsonl", write_jsonl),
    "jsonl called json": (".json", write_jsonl),
    "parquet": (".parquet", write_parquet),
    "arrow": (".arrow", write_arrow),
    "arrow stream": (".arrows", write_arrow_stream),
    "feather": (".feather", write_feather),
    "hdf5": (".h5", write_hdf5_table),
    "excel": (".xlsx", write_excel),
}
KINDS = {
    "number": Kind.NUMERIC,
    "count": Kind.INTEGER,
    "colour": Kind.CATEGORICAL,
    "when": Kind.DATETIME,
    "yes": Kind.BOOLEAN,
}
# Words that no format takes for something else; among them unicode, quotes, delimiters and inner spaces.
WORDS = [
    "red",
    "gr\u00fcn",
    "\u0431\u0435\u043b\u044b\u0439",
    "\u767d",
    "a;b",
    'say "x"',
    "two, three",
    "it's",
    "-",
    "\U0001f600",
]


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    size = draw(st.integers(2, 30))

    def column(values: st.SearchStrategy[object], nulls: bool = True) -> list[object]:
        first = draw(values)
        rest = draw(st.lists(st.one_of(st.none(), values) if nulls else values, min_size=size - 1, max_size=size - 1))
        return [first, *rest]

    floats = st.floats(-1e15, 1e15).map(lambda x: float(f"{x:.12g}")).filter(lambda x: x == 0 or abs(x) > 1e-200)
    seconds = st.integers(0, 4 * 10**9)
    return pa.table(
        {
            # One fraction, since a spreadsheet cannot tell a whole number from an integer.
            "number": pa.array([0.5, *column(st.one_of(floats, st.sampled_from([np.inf, -np.inf])))[1:]], pa.float64()),
            "count": pa.array(column(st.integers(-(2**50), 2**50), nulls=False), pa.int64()),
            "colour": pa.array(column(st.sampled_from(WORDS)), pa.string()),
            "when": pa.array(
                column(seconds.map(lambda s: dt.datetime.fromisoformat("1970-01-01") + dt.timedelta(seconds=s))),
                pa.timestamp("us"),
            ),
            "yes": pa.array(column(st.booleans(), nulls=False), pa.bool_()),
        }
    )


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(written=tables())
def test_every_format_gives_the_same_table_and_kinds(name, written, loader, table, tmp_path):
    suffix, write = WRITERS[name]
    path = tmp_path / f"data{suffix}"
    write(written, path)
    ref = loader(path)
    assert ref.kinds == KINDS
    assert ref.rows == written.num_rows
    assert table(ref).to_pylist() == written.to_pylist()


@pytest.fixture(scope="module")
def mixed() -> pa.Table:
    rng = np.random.default_rng(3)
    size = 3000
    return pa.table(
        {
            "number": rng.normal(size=size).round(6),
            "count": rng.integers(0, 9, size),
            "colour": rng.choice(["red", "green", "blue"], size),
            "when": pa.array(rng.integers(0, 10**9, size), pa.timestamp("s")).cast(pa.timestamp("us")),
            "yes": rng.random(size) > 0.5,
        }
    )


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.compress,
}


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("name", WRITERS)
def test_compressed_files_read_as_plain_ones(name, compression, mixed, loader, table, tmp_path):
    suffix, write = WRITERS[name]
    plain_path = tmp_path / f"data{suffix}"
    write(mixed.slice(0, 200), plain_path)
    packed = tmp_path / f"data{suffix}{compression}"
    packed.write_bytes(COMPRESS[compression](plain_path.read_bytes()))
    ref = loader(packed)
    assert ref.name == "data"
    assert table(ref).equals(table(loader(plain_path)))


@pytest.mark.parametrize("name", WRITERS)
def test_format_is_known_by_content_alone_and_can_be_named(name, mixed, loader, table, tmp_path):
    suffix, write = WRITERS[name]
    path = tmp_path / f"data{suffix}"
    write(mixed, path)
    bare = path.rename(tmp_path / "data")
    ref = loader(bare)
    named = loader(bare, format=suffix)
    assert table(ref).equals(table(named))
    assert table(ref).equals(mixed)


def test_hdf5_of_plain_datasets_of_a_compound_one_and_of_a_fixed_frame(mixed, loader, table, tmp_path):
    frame = mixed.drop_columns(["colour", "when"]).to_pandas()
    with h5py.File(tmp_path / "plain.h5", "w") as f:
        group = f.create_group("run")
        for name in frame.columns:
            group[name] = frame[name].to_numpy()
        group["vector"] = np.arange(len(frame) * 4, dtype=np.float32).reshape(-1, 4)
        group["word"] = mixed["colour"].to_pylist()
    with h5py.File(tmp_path / "compound.h5", "w") as f:
        f["rows"] = frame.to_records(index=False)
    frame.to_hdf(tmp_path / "fixed.h5", key="df", format="fixed")
    ref = loader(tmp_path / "plain.h5")
    assert ref.kinds["vector"] is Kind.EMBEDDING
    assert ref.kinds["word"] is Kind.CATEGORICAL
    assert table(ref)["vector"][1].as_py() == [4, 5, 6, 7]
    for name in ("plain", "compound", "fixed"):
        read = table(loader(tmp_path / f"{name}.h5")).select(frame.columns.tolist())
        assert read.to_pandas().equals(frame)


def test_pandas_table_with_categories_data_columns_and_times(loader, table, tmp_path):
    frame = pd.DataFrame(
        {
            "c": pd.Categorical(["u", "v", None, "u"]),
            "d": pd.to_timedelta([1, 2, None, 3], unit="h"),
            "t": pd.to_datetime(["2020-01-01", None, "2020-01-03", "2020-01-04"]),
        }
    )
    for data_columns in (True, False):
        path = tmp_path / f"{data_columns}.h5"
        frame.to_hdf(path, key="df", format="table", index=False, data_columns=data_columns or None)
        ref = loader(path)
        assert ref.kinds == {"c": Kind.CATEGORICAL, "d": Kind.DURATION, "t": Kind.DATETIME}
        assert table(ref)["c"].to_pylist() == ["u", "v", None, "u"]
        assert table(ref)["d"].to_pylist() == [
            dt.timedelta(hours=1),
            dt.timedelta(hours=2),
            None,
            dt.timedelta(hours=3),
        ]


def test_json_lines_of_nested_sparse_objects(loader, table, tmp_path):
    lines = [{"id": i, "user": {"name": f"n{i % 3}", "at": {"x": i / 2}}} for i in range(5)]
    lines += [{"id": 5, "user": None, "tags": ["a", "b"]}, {"id": 6, "user": {"name": "n1"}, "vector": [1, 2.5]}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    ref = loader(tmp_path / "a.jsonl")
    assert list(ref.kinds) == ["id", "user.name", "user.at.x", "tags", "vector"]
    assert ref.kinds["vector"] is Kind.EMBEDDING
    assert ref.kinds["tags"] is Kind.TEXT
    assert table(ref)["user.at.x"].to_pylist() == [0.0, 0.5, 1.0, 1.5, 2.0, None, None]
    assert table(ref)["tags"].to_pylist()[5] == '["a", "b"]'


def test_json_types_are_found_over_all_chunks(loader, table, tmp_path, monkeypatch):
    from foretrain.data.formats import json as form

    monkeypatch.setattr(form, "_CHUNK", 200)
    lines = [{"when": "2020-01-01", "n": i, "late": None} for i in range(40)]
    lines += [{"when": "2020-01-01T10:00:00.5", "n": i + 0.5, "late": {"deep": 1}} for i in range(40)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "b.json").write_text(json.dumps(lines, indent=2))
    for name in ("a.jsonl", "b.json"):
        ref = loader(tmp_path / name)
        assert ref.kinds == {"when": Kind.DATETIME, "n": Kind.NUMERIC, "late.deep": Kind.INTEGER}
        assert table(ref)["when"][-1].as_py() == dt.datetime.fromisoformat("2020-01-01T10:00:00.500")
        assert table(ref)["late.deep"].null_count == 40


def test_csv_as_people_write_it(loader, table, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeff\n,name, n ,note\n0,a, 1 ,"two\nlines"\n1,b,2,x\n2,NA,,y\n'.encode())
    ref = loader(path)
    assert list(ref.kinds) == ["unnamed_1", "name", " n ", "note"]
    assert table(ref).to_pylist()[0] == {"unnamed_1": 0, "name": "a", " n ": 1, "note": "two\nlines"}
    assert table(ref).to_pylist()[2]["name"] is None
    utf16 = tmp_path / "b.csv"
    utf16.write_bytes(path.read_text("utf-8-sig").encode("utf-16"))
    assert table(loader(utf16)).equals(table(ref))


def test_a_header_of_many_long_names(loader, tmp_path):
    names = [f"{'long' * 20}_{i}" for i in range(5000)]
    for suffix in (".csv", ".json"):
        frame = pd.DataFrame(np.arange(10000).reshape(2, -1), columns=names)
        frame.to_csv(tmp_path / "a.csv", index=False)
        frame.to_json(tmp_path / "a.json", orient="records", lines=True)
        assert list(loader(tmp_path / f"a{suffix}").kinds) == names


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame({"x": rng.normal(size=60), "c": rng.choice(["u", "v"], 60)})


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """As pandas does, its index included."""
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        {".arrow": write_arrow, ".arrows": write_arrow_stream, ".feather": write_feather}[path.suffix](
            pa.Table.from_pandas(frame), path
        )


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows", ".feather"])
def test_a_pandas_index_without_a_name_is_no_column(suffix, frame, loader, table, tmp_path):
    path = tmp_path / f"a{suffix}"
    frame.to_parquet(tmp_path / "original.parquet")
    original = loader(tmp_path / "original.parquet")
    kept = frame[frame.x > 0]
    deeper = kept.set_axis(pd.MultiIndex.from_product([range(len(kept)), [1]]), axis=0)
    for written in (kept, deeper, kept.set_axis([f"row {at}" for at in kept.index], axis=0)):
        write_frame(written, path)
        assert loader(path).kinds == original.kinds
        ref = loader(path, like=original)
        assert (ref.table == str(path)) == (suffix == ".parquet")
        assert table(ref).to_pandas().equals(kept.reset_index(drop=True))
    # Parts of one table: cut out with an index, and made without.
    folder = tmp_path / "parts"
    folder.mkdir()
    write_frame(frame[:30], folder / f"a{suffix}")
    write_frame(frame[30:].sample(frac=1, random_state=0), folder / f"b{suffix}")
    assert loader(folder, like=original).rows == 60
    given = loader(pa.Table.from_pandas(kept), like=original)
    assert table(given).to_pandas().equals(kept.reset_index(drop=True))
    write_frame(kept[[]], path)
    with pytest.raises(DataError, match="at least one column, found none"):
        loader(path)


@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
def test_what_only_looks_like_a_pandas_index_is_a_column(suffix, frame, loader, table, tmp_path):
    path = tmp_path / f"a{suffix}"
    own = frame.assign(__index_level_0__=frame.x * 2)
    for written, names in (
        (frame[frame.x > 0].rename_axis("key"), ["x", "c", "key"]),
        (own, ["x", "c", "__index_level_0__"]),
        (own[own.x > 0], ["x", "c", "__index_level_0__"]),
    ):
        write_frame(written, path)
        assert table(loader(path)).column_names == names
    for damaged in (b"", b"[]", b"{}", b"\xff", b'{"index_columns": 1}', b'{"index_columns": [{}]}'):
        stored = pa.Table.from_pandas(own, preserve_index=False).replace_schema_metadata({b"pandas": damaged})
        (write_parquet if suffix == ".parquet" else write_feather)(stored, path)
        assert table(loader(path)).column_names == ["x", "c", "__index_level_0__"]


def test_one_thousand_columns(loader, table, tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"c{i}": rng.normal(size=20) for i in range(1000)})
    frame.to_csv(tmp_path / "wide.csv", index=False)
    ref = loader(tmp_path / "wide.csv")
    assert len(ref.columns) == 1000
    assert table(ref).to_pandas().equals(frame)
