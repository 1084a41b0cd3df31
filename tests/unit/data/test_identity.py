"""Does the fingerprint change when the content does, and only then?"""

from __future__ import annotations

import shutil
import time

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from foretrain.data import fingerprint
from foretrain.settings import Settings

SETTINGS = Settings()


@pytest.fixture
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    return pd.DataFrame({"n": rng.integers(0, 9, 50), "c": rng.choice(["u", "v", None], 50)})


def test_name_and_folder_do_not_count(frame, tmp_path):
    frame.to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "deep").mkdir()
    shutil.copy(tmp_path / "a.csv", tmp_path / "deep" / "b.csv")
    assert fingerprint(tmp_path / "a.csv", SETTINGS) == fingerprint(str(tmp_path / "deep" / "b.csv"), SETTINGS)
    assert fingerprint(tmp_path / "deep", SETTINGS) == fingerprint(tmp_path / "a.csv", SETTINGS)


def test_a_change_of_content_is_seen_even_if_the_size_stays(frame, tmp_path):
    path = tmp_path / "a.csv"
    frame.to_csv(path, index=False)
    before = fingerprint(path, SETTINGS)
    content = path.read_bytes()
    time.sleep(0.01)
    path.write_bytes(content.replace(b"u", b"w", 1))
    assert fingerprint(path, SETTINGS) != before
    time.sleep(0.01)
    path.write_bytes(content)
    assert fingerprint(path, SETTINGS) == before


def test_order_and_partition_of_files_count(frame, tmp_path):
    for folder, first in (("x", "k=1"), ("y", "k=2")):
        (tmp_path / folder / first).mkdir(parents=True)
        frame.to_csv(tmp_path / folder / first / "a.csv", index=False)
    assert fingerprint(tmp_path / "x", SETTINGS) != fingerprint(tmp_path / "y", SETTINGS)
    frame[:10].to_csv(tmp_path / "x" / "k=1" / "b.csv", index=False)
    before = fingerprint(tmp_path / "x", SETTINGS)
    (tmp_path / "x" / "k=1" / "b.csv").rename(tmp_path / "x" / "k=1" / "0.csv")
    assert fingerprint(tmp_path / "x", SETTINGS) != before


def test_tables_are_known_by_their_values_not_by_their_chunks(frame):
    table = pa.Table.from_pandas(frame)
    before = fingerprint(frame, SETTINGS)
    assert fingerprint(frame.copy(), SETTINGS) == before
    assert fingerprint(table, SETTINGS) == before
    assert fingerprint(pa.concat_tables([table[:20], table[20:]]), SETTINGS) == before
    assert fingerprint(frame.iloc[::-1], SETTINGS) != before
    assert fingerprint(frame.rename(columns={"n": "m"}), SETTINGS) != before
    assert fingerprint(pl.from_pandas(frame), SETTINGS) == fingerprint(pl.from_pandas(frame), SETTINGS)


def test_a_dataset_read_with_other_kinds_is_another_dataset(frame, loader, tmp_path):
    frame.to_csv(tmp_path / "a.csv", index=False)
    plain = loader(tmp_path / "a.csv")
    assert loader(tmp_path / "a.csv").fingerprint == plain.fingerprint
    assert loader(tmp_path / "a.csv", kinds={"n": "numeric"}).fingerprint != plain.fingerprint
