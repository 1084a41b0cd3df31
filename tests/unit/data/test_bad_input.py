"""Does each bad input get one line that names file, column and row where known?"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msoffcrypto.format.ooxml
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather as pf
import pyarrow.parquet as pq
import pytest
import zstandard

from foretrain.errors import DataError


@contextmanager
def refused(*words: str, file: object = None, column: str | None = None, row: int | None = None) -> Iterator[None]:
    """One clear line, with these words and this place, and nothing that looks like a traceback."""
    with pytest.raises(DataError) as caught:
        yield
    line = str(caught.value)
    assert "\n" not in line
    for word in words:
        assert word in line, line
    if file is not None:
        assert str(file) in str(caught.value.file), line
    assert caught.value.column == column, line
    assert caught.value.row == row, line


def frame(rows: int = 100) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": rng.normal(size=rows), "b": rng.choice(["x", "y"], rows)})


def test_missing_file_folder_and_glob(loader, tmp_path):
    with refused("found none", file="nowhere.csv"):
        loader(tmp_path / "nowhere.csv")
    with refused("no file matches", file="*.csv"):
        loader(tmp_path / "*.csv")
    with refused("no data files", file=tmp_path):
        loader(tmp_path)


@contextmanager
def nobody() -> Iterator[None]:
    """Root may read anything: be someone else for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_no_permission(suffix, loader, tmp_path):
    path = tmp_path / f"secret{suffix}"
    frame().to_csv(path, index=False) if suffix == ".csv" else frame().to_parquet(path)
    path.chmod(0)
    with nobody():
        denied = False
        try:
            path.read_bytes()
        except PermissionError:
            denied = True
    assert denied, "the machine lets anyone read anything: this test needs file permissions"

    from foretrain.data.identity import of_files
    from foretrain.data.locate import locate

    found = locate(path)
    with nobody(), refused("no permission", file=path):
        of_files(found.files)
    folder = tmp_path / "closed"
    folder.mkdir(0o700)
    frame().to_csv(folder / "a.csv")
    for inside in (folder / "a.csv", folder, folder / "*.csv"):
        with nobody(), refused("no permission", file="closed"):
            locate(inside)


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_truncated_parquet(share, loader, tmp_path):
    path = tmp_path / "a.parquet"
    frame(5000).to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with refused("not readable as Parquet", file=path):
        loader(path)


def test_parquet_with_a_damaged_page(loader, table, tmp_path):
    path = tmp_path / "a.parquet"
    frame(5000).to_parquet(path, compression="gzip")
    damaged = bytearray(path.read_bytes())
    damaged[200:20000] = np.random.default_rng(0).bytes(19800)
    path.write_bytes(bytes(damaged))
    with refused("not readable as Parquet", file=path):
        table(loader(path))


def test_parquet_that_lost_a_column_since_it_was_loaded(loader, table, tmp_path):
    path = tmp_path / "a.parquet"
    frame().to_parquet(path)
    ref = loader(path)
    frame()[["a"]].to_parquet(path)
    with refused("changed since it was loaded", file=path, column="b"):
        table(ref)


def test_ragged_csv(loader, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n" + "1,2,3\n" * 2000 + '"x\ny",2,3\n\n4,5\n' + "1,2,3\n")
    with refused("expected 3 columns", "found 2", file=path, row=2002):
        loader(path)
    path.write_text("a,b\n1,2\n1,2,3\n")
    with refused("expected 2 columns", "found 3", file=path, row=2):
        loader(path)


def test_csv_in_latin_1(loader, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"n,name\n" + b"1,x\n" * 30000 + "2,caf\u00e9\n".encode("latin-1") + b"3,y\n")
    with refused("not UTF-8", "iconv", file=path, column="name", row=30001):
        loader(path)
    path.write_bytes("n,caf\u00e9\n1,2\n3,4\n".encode("latin-1"))
    with refused("header is not UTF-8", file=path):
        loader(path)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_broken_json_line(newline, loader, tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [json.dumps({"a": i}) for i in range(50)]
    lines[30] = '{"a": 30'
    path.write_bytes(newline.join(lines).encode())
    with refused("broken JSON", file=path, row=31):
        loader(path)
    path.write_bytes(newline.join(lines).replace('{"a": 30', '{"b": "caf\u00e9"}').encode("latin-1"))
    with refused("not UTF-8", file=path, row=31):
        loader(path)
    lines[30] = "[1, 2]"
    path.write_bytes(newline.join(lines).encode())
    with refused("expected an object", file=path, row=31):
        loader(path)


def test_broken_json_documents(loader, tmp_path):
    path = tmp_path / "a.json"
    whole = json.dumps([{"a": i} for i in range(50)], indent=1)
    path.write_text(whole[:-30])
    with refused("broken JSON", file=path, row=49):
        loader(path)
    path.write_text(whole[:-1])
    with refused("does not end", file=path, row=51):
        loader(path)
    path.write_text('{"a": [1, 2], "b": [1]}')
    with refused("one length", file=path, column="b"):
        loader(path)
    path.write_text('{"a": 1}\n')
    with refused("two rows", file=path):
        loader(path)


def encrypted(path: Path) -> Path:
    book = path.with_name("plain.xlsx")
    frame(5).to_excel(book, index=False)
    with book.open("rb") as plain, path.open("wb") as out:
        msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("secret", out)
    return path


def test_encrypted_damaged_and_empty_excel(loader, tmp_path):
    with refused("encrypted", "without a password", file="a.xlsx"):
        loader(encrypted(tmp_path / "a.xlsx"))
    cut = tmp_path / "b.xlsx"
    cut.write_bytes((tmp_path / "plain.xlsx").read_bytes()[:2000])
    with refused("not readable as Excel", file=cut):
        loader(cut)
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n3,4\n")
    with refused("no workbook", "Unpack", file="a.csv.zip"):
        loader(tmp_path / "a.csv.zip")
    openpyxl.Workbook().save(tmp_path / "c.xlsx")
    with refused("sheet is empty", file="c.xlsx"):
        loader(tmp_path / "c.xlsx")


def test_zip_bombs(loader, tmp_path):
    zeros = b"a,b\n" + b"0,0\n" * (5 * 2**20)
    for suffix, pack in ((".gz", gzip.compress), (".zst", zstandard.compress)):
        path = tmp_path / f"bomb.csv{suffix}"
        path.write_bytes(pack(zeros))
        with refused("zip bomb", "data.max_expansion", file=path):
            loader(path, max_expansion=100)
    with refused("1,000,000 bytes", "data.max_bytes", file="bomb.csv.gz"):
        loader(tmp_path / "bomb.csv.gz", max_bytes=10**6)
    with zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (40 * 2**20))
    with refused("zip bomb", file="bomb.xlsx"):
        loader(tmp_path / "bomb.xlsx", max_expansion=500)
    pq.write_table(pa.table({"a": pa.array(np.zeros(10**6))}), tmp_path / "bomb.parquet", use_dictionary=False)
    with refused("1,000,000 bytes", file="bomb.parquet"):
        loader(tmp_path / "bomb.parquet", max_bytes=10**6)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_compressed_stream_that_is_cut(suffix, loader, tmp_path):
    pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.compress}[suffix]
    content = pack(frame(20000).to_csv(index=False).encode())
    path = tmp_path / f"a.csv{suffix}"
    path.write_bytes(content[: len(content) // 2])
    with refused(file=path):
        loader(path)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".parquet", ".arrow", ".h5", ".xlsx", "", ".csv.gz"])
def test_empty_file(suffix, loader, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(gzip.compress(b"") if suffix.endswith(".gz") else b"")
    with refused("empty", file=path):
        loader(path)


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".parquet", ".feather", ".h5", ".xlsx"])
def test_zero_rows_and_one_row(rows, suffix, loader, tmp_path):
    path, few = tmp_path / f"a{suffix}", frame(1)[["a"]].head(rows)
    {
        ".csv": lambda: few.to_csv(path, index=False),
        ".json": lambda: few.to_json(path, orient="records"),
        ".jsonl": lambda: few.to_json(path, orient="records", lines=True) if rows else path.write_text("\n"),
        ".parquet": lambda: few.to_parquet(path),
        ".feather": lambda: pf.write_feather(few, path),
        ".h5": lambda: few.to_hdf(path, key="df", format="fixed"),
        ".xlsx": lambda: few.to_excel(path, index=False),
    }[suffix]()
    with refused("two rows" if suffix != ".jsonl" or rows else "", "one" if rows else "", file=path):
        loader(path)
    with refused("two rows", "one" if rows else "none", file="memory"):
        loader(few)


def test_all_null_column(loader, tmp_path):
    for name, values in {"null": [None] * 3, "nan": [np.nan] * 3, "empty": ["", "NA", ""]}.items():
        pd.DataFrame({"a": [1, 2, 3], "b": values}).to_csv(tmp_path / f"{name}.csv", index=False)
        with refused("all are null", file=f"{name}.csv", column="b"):
            loader(tmp_path / f"{name}.csv")
    with refused("all are null", file="memory", column="b"):
        loader(pa.table({"a": [1, 2], "b": pa.nulls(2)}))
    with refused("all are null", file="memory", column="b"):
        loader(pa.table({"a": [1, 2], "b": [np.nan, np.nan]}))


def test_duplicate_column_names(loader, tmp_path):
    (tmp_path / "a.csv").write_text("a,b,a\n1,2,3\n4,5,6\n")
    with refused("columns 1, 3", file="a.csv", column="a"):
        loader(tmp_path / "a.csv")
    twice = pa.Table.from_arrays([pa.array([1, 2])] * 2, names=["x", "x"])
    pq.write_table(twice, tmp_path / "a.parquet")
    with refused("columns 1, 2", file="a.parquet", column="x"):
        loader(tmp_path / "a.parquet")
    for source in (twice, twice.to_pandas()):
        with refused("columns 1, 2", file="memory", column="x"):
            loader(source)
    (tmp_path / "a.jsonl").write_text('{"a": 1, "b": 1}\n{"a": 2, "a": 3}\n')
    with refused("twice", file="a.jsonl", column="a", row=2):
        loader(tmp_path / "a.jsonl")
    nested = pa.table({"u.x": [1, 2], "u": pa.array([{"x": 1}, {"x": 2}])})
    with refused("2 times", file="memory", column="u.x"):
        loader(nested)


def test_mixed_types_in_one_column(loader, tmp_path):
    values = [str(i * 1.5) for i in range(500)]
    values[321] = "oops"
    pd.DataFrame({"a": values}).to_csv(tmp_path / "a.csv", index=False)
    with refused("mixed types", "'oops'", "data.kinds.a", file="a.csv", column="a", row=322):
        loader(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_text("a,b\n1,1\n2,x\n3,3\n4,4\n5,5\n")
    with refused("mixed types", "'x'", file="b.csv", column="b", row=2):
        loader(tmp_path / "b.csv")
    (tmp_path / "c.csv").write_text("t,n\n2020-01-01,1\n2020-01-02,2\nsoon,3\n2020-01-04,4\n2020-01-05,5\n")
    with refused("mixed types", "points in time", "'soon'", file="c.csv", column="t", row=3):
        loader(tmp_path / "c.csv")
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n{"a": 2}\n{"a": "x"}\n')
    with refused("mixed types", file="a.jsonl", column="a", row=3):
        loader(tmp_path / "a.jsonl")
    with refused("mixed types", "'x'", file="memory", column="a", row=3):
        loader(pd.DataFrame({"a": [1, 2, "x"]}, dtype=object))
    book = openpyxl.Workbook()
    for row in [["a"], *[[i / 2] for i in range(50)], ["??"]]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    with refused("mixed types", "'??'", file="a.xlsx", column="a", row=51):
        loader(tmp_path / "a.xlsx")


def test_values_that_no_table_can_hold(loader):
    with refused("Arrow can hold", file="memory", column="z"):
        loader(pd.DataFrame({"a": [1, 2], "z": [1 + 2j, 2j]}))


def test_mixed_types_between_chunks_of_json(loader, tmp_path, monkeypatch):
    from foretrain.data.formats import json as form

    monkeypatch.setattr(form, "_CHUNK", 100)
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' * 60 + '{"a": "x"}\n' * 60)
    with refused("mixed types", file="a.jsonl", column="a", row=61):
        loader(tmp_path / "a.jsonl")


def test_few_codes_are_categories_not_mixed_types(loader, tmp_path):
    pd.DataFrame({"parity": ["0", "1", "2", "3+"] * 30}).to_csv(tmp_path / "a.csv", index=False)
    assert loader(tmp_path / "a.csv").kinds["parity"] == "categorical"


def test_mixed_formats_in_a_folder(loader, tmp_path):
    frame().to_csv(tmp_path / "a.csv", index=False)
    frame().to_parquet(tmp_path / "b.parquet")
    with refused("one format", "a.csv", "b.parquet", file=tmp_path):
        loader(tmp_path)
    assert loader(tmp_path, format="csv").format == "csv"


def test_schema_drift_between_the_files_of_a_folder(loader, tmp_path):
    for suffix in (".csv", ".parquet"):
        folder = tmp_path / suffix
        folder.mkdir()
        for at, columns in enumerate((["a", "b"], ["b", "a"], ["a"])):
            path = folder / f"{at}{suffix}"
            frame()[columns].to_csv(path, index=False) if suffix == ".csv" else frame()[columns].to_parquet(path)
        with refused("lacks 'b'", f"0{suffix}", file=f"2{suffix}"):
            loader(folder)
        frame().assign(c=1).to_csv(folder / "2.csv", index=False)
        frame().assign(c=1).to_parquet(folder / "2.parquet")
        with refused("has 'c' besides", file=f"2{suffix}"):
            loader(folder, format=suffix)


def test_type_drift_between_the_files_of_a_folder(loader, tmp_path):
    pq.write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"a": ["x", "y"]}), tmp_path / "1.parquet")
    with refused("mixed types", "integers", "text", file="1.parquet", column="a", row=1):
        loader(tmp_path)


def test_what_is_no_table(loader, tmp_path):
    with refused("int"):
        loader(7)
    once = pa.table({"a": [1, 2]})
    with refused("only once", "read_all"):
        loader(pa.RecordBatchReader.from_batches(once.schema, once.to_batches()))
    (tmp_path / "a.bin").write_bytes(np.random.default_rng(0).bytes(1000))
    with refused("--format", file="a.bin"):
        loader(tmp_path / "a.bin")
    with refused("no format is called 'xyz'"):
        loader(tmp_path / "a.bin", format="xyz")
    with refused("unknown kind of URL"):
        loader("nosuch://bucket/a.csv")


@pytest.mark.parametrize("ending", ["csv", "tsv", "json", "jsonl", "parquet", "arrow", "feather", "h5", "xlsx"])
def test_random_bytes(loader, tmp_path, ending):
    for seed in range(60):
        (tmp_path / f"a.{ending}").write_bytes(np.random.default_rng(seed).bytes(1000 if seed % 2 else 60))
        with pytest.raises(DataError) as caught:
            loader(tmp_path / f"a.{ending}")
        line = str(caught.value)
        assert f"a.{ending}" in str(caught.value.file)
        assert "\n" not in line
        assert len(line) < 600


def test_separators_of_unicode_do_not_end_the_header(loader, table, tmp_path):
    (tmp_path / "a.csv").write_text("a\x1eb,c\u2028d,e\x85\n" + "1,2,3\n4,5,6\n" * 3, encoding="utf-8")
    assert table(loader(tmp_path / "a.csv")).column_names == ["a\x1eb", "c\u2028d", "e\x85"]


def test_hdf5_that_cannot_be_read(loader, tmp_path):
    import h5py

    frame().to_hdf(tmp_path / "pickled.h5", key="df", format="fixed")
    with refused("pickled", "format='table'", file="pickled.h5"):
        loader(tmp_path / "pickled.h5")
    with h5py.File(tmp_path / "ragged.h5", "w") as f:
        f["a"], f["b"] = np.zeros(3), np.zeros(4)
    with refused("one length", file="ragged.h5", column="b"):
        loader(tmp_path / "ragged.h5")
    (tmp_path / "cut.h5").write_bytes((tmp_path / "ragged.h5").read_bytes()[:500])
    with refused("not readable as HDF5", file="cut.h5"):
        loader(tmp_path / "cut.h5")


def test_lists_of_different_lengths_are_no_embedding(loader):
    lists = pa.table({"e": [[1.0, 2.0], [1.0], [3.0, 4.0]], "n": [1, 2, 3]})
    with refused("1, 2 items", file="memory", column="e"):
        loader(lists)
    assert loader(lists, kinds={"e": "text"}).kinds["e"] == "text"


def test_kinds_that_do_not_fit(loader, tmp_path):
    frame().to_csv(tmp_path / "a.csv", index=False)
    with refused("expected kind numeric", "found 'y'", file="a.csv", column="b", row=1):
        loader(tmp_path / "a.csv", kinds={"b": "numeric"})
    with refused("not there", "The first columns are a, b", file="a.csv", column="q"):
        loader(tmp_path / "a.csv", kinds={"q": "numeric"})


@pytest.mark.parametrize("setting", ["target", "time_column"])
def test_target_and_time_columns_must_be_there(setting, loader, tmp_path):
    frame().rename(columns={"b": "label"}).to_csv(tmp_path / "a.csv", index=False)
    with refused(f"{setting} names a column that is not there", "Did you mean label?", file="a.csv", column="lable"):
        loader(tmp_path / "a.csv", **{setting: "lable"})
