"""Are tables given from Python read as they are, and big ones in bounded memory?"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

from foretrain.data import Kind, open_batches

ROWS = {
    "n": [1, 2, 3],
    "x": [1.5, None, 2.5],
    "c": ["a", "b", None],
    "t": [dt.datetime.fromisoformat("2020-01-01"), None, dt.datetime.fromisoformat("2020-01-02")],
    "yes": [True, False, True],
}
KINDS = {"n": "integer", "x": "numeric", "c": "categorical", "t": "datetime", "yes": "boolean"}


def test_all_libraries_give_the_same_dataset(loader, table):
    arrow = pa.table(ROWS)
    expected = None
    for source in (
        arrow,
        arrow.to_batches()[0],
        pd.DataFrame(ROWS),
        pd.DataFrame(ROWS).convert_dtypes(),
        arrow.to_pandas(types_mapper=pd.ArrowDtype),
        pl.DataFrame(ROWS),
        pl.DataFrame(ROWS).lazy(),
    ):
        ref = loader(source)
        assert ref.kinds == KINDS
        assert (ref.uri, ref.format, ref.rows) == ("memory", "memory", 3)
        expected = expected or table(ref)
        assert table(ref).equals(expected)


def test_polars_enums_and_arrays(loader, table):
    frame = pl.DataFrame(
        {
            "e": pl.Series(["s", "m", "s"], dtype=pl.Enum(["s", "m"])),
            "c": pl.Series(["a", "b", "a"], dtype=pl.Categorical),
            "v": pl.Series([[1.0, 2.0]] * 3, dtype=pl.Array(pl.Float32, 2)),
            "s": [{"x": 1}, {"x": 2}, {"x": 3}],
        }
    )
    ref = loader(frame)
    assert ref.kinds["v"] is Kind.EMBEDDING
    assert ref.kinds["c"] is Kind.CATEGORICAL
    assert table(ref)["e"].to_pylist() == ["s", "m", "s"]
    assert table(ref)["s.x"].to_pylist() == [1, 2, 3]


def test_pandas_names_that_are_no_strings(loader):
    assert list(loader(pd.DataFrame({0: [1, 2], 1: [3, 4]})).kinds) == ["0", "1"]
    nested = pd.DataFrame({("a", "x"): [1, 2], ("a", "y"): [3, 4]})
    assert list(loader(nested).kinds) == ["a.x", "a.y"]


def test_columns_batch_size_and_order_can_be_chosen(loader, tmp_path):
    pd.DataFrame({"a": range(5000), "b": range(5000), "c": ["x"] * 5000}).to_parquet(tmp_path / "a.parquet")
    ref = loader(tmp_path / "a.parquet")
    batches = list(open_batches(ref, ["c", "a"], batch_rows=1500))
    assert [batch.num_rows for batch in batches] == [1500, 1500, 1500, 500]
    assert batches[0].schema.names == ["c", "a"]
    assert np.array_equal(np.concatenate([batch["a"].cast(pa.int64()) for batch in batches]), np.arange(5000))


def test_categories_can_come_encoded(loader, table, tmp_path):
    frame = pd.DataFrame({"c": ["x", None, "y"] * 50, "n": range(150), "code": [1, 2, 3] * 50})
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=40)
    frame.to_csv(tmp_path / "a.csv", index=False)
    for source in (frame, tmp_path / "a.parquet", tmp_path / "a.csv"):
        ref = loader(source, kinds={"code": "categorical"})
        encoded = pa.Table.from_batches(open_batches(ref, encoded=True))
        assert (
            encoded.schema.field("c").type
            == encoded.schema.field("code").type
            == pa.dictionary(pa.int32(), pa.string())
        )
        assert encoded.cast(table(ref).schema).equals(table(ref))


def test_rows_stay_where_they_were(loader, table, tmp_path):
    for at in range(3):
        pd.DataFrame({"row": range(at * 40000, (at + 1) * 40000)}).to_csv(tmp_path / f"{at}.csv", index=False)
    ref = loader(tmp_path, kinds={"row": "integer"})
    assert np.array_equal(table(ref)["row"], np.arange(120000))


def test_memory_does_not_grow_with_the_rows_of_a_csv(tmp_path):
    """Four times the rows, 250 MB more of text, may not take 80 MB more."""
    program = """
        import resource, sys, gzip
        from pathlib import Path
        import numpy as np
        from foretrain.data import load, open_batches
        from foretrain.settings import Settings

        class Folder:
            path = staticmethod(lambda name: Path(sys.argv[1]) / name)
            url = staticmethod(lambda name: str(Path(sys.argv[1]) / name))

        x = np.random.default_rng(0).random(5000)
        lines = "".join(f"{v:.6f},{int(v * 1e6)},word{int(v * 50)},{'text to fill ' * 25}\\n" for v in x)
        peak = []
        for blocks in (50, 200):
            with gzip.open(Path(sys.argv[1]) / "a.csv.gz", "wt", compresslevel=1) as f:
                f.write("a,b,c,d\\n")
                for _ in range(blocks):
                    f.write(lines)
            ref = load(Path(sys.argv[1]) / "a.csv.gz", Settings(), Folder)
            assert sum(batch.num_rows for batch in open_batches(ref)) == ref.rows == blocks * 5000
            peak.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
        print(peak[1] - peak[0])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 80
