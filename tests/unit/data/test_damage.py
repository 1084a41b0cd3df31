"""Whatever is wrong with a file: is it one clear line, never a traceback, whichever byte is broken?"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from foretrain.errors import DataError

SUFFIXES = [".csv", ".tsv", ".json", ".jsonl", ".parquet", ".arrow", ".feather", ".h5", ".xlsx", ".csv.gz"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one healthy file of each format."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"n": rng.normal(size=60), "i": rng.integers(0, 9, 60), "c": rng.choice(["u", "v"], 60)})
    folder = tmp_path_factory.mktemp("whole")

    def write(suffix: str, path: Path) -> None:
        {
            ".csv": lambda: frame.to_csv(path, index=False),
            ".tsv": lambda: frame.to_csv(path, index=False, sep="\t"),
            ".json": lambda: frame.to_json(path, orient="records"),
            ".jsonl": lambda: frame.to_json(path, orient="records", lines=True),
            ".parquet": lambda: frame.to_parquet(path),
            ".arrow": lambda: frame.to_feather(path),
            ".feather": lambda: frame.to_feather(path, compression="uncompressed"),
            ".h5": lambda: frame.to_hdf(path, key="df", format="table", index=False, data_columns=["c"]),
            ".xlsx": lambda: frame.to_excel(path, index=False),
            ".csv.gz": lambda: path.write_bytes(gzip.compress(frame.to_csv(index=False).encode(), mtime=0)),
        }[suffix]()

    for suffix in SUFFIXES:
        write(suffix, folder / f"a{suffix}")
    return folder


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    start=st.floats(0, 1),
    end=st.floats(0, 1),
    junk=st.one_of(st.binary(max_size=40), st.sampled_from([b"\0", b"\xff\xfe", b'"', b"\n\n", b"{", b"]", b","])),
)
@example(start=0.5, end=1.0, junk=b"")
@example(start=0.0, end=0.02, junk=b"")
def test_damage_is_never_a_traceback(suffix, start, end, junk, whole, loader, table, tmp_path):
    healthy = (whole / f"a{suffix}").read_bytes()
    first, last = sorted((int(start * len(healthy)), int(end * len(healthy))))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(healthy[:first] + junk + healthy[last:])
    line = None
    try:
        table(loader(path))
    except DataError as error:
        line = str(error)
    assert line is None or (str(path) in line and "\n" not in line)
