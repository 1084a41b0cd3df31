"""Are sources found wherever they lie: globs, folders, partitions, object stores, web servers, memory?"""

from __future__ import annotations

import gzip
import json
import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import fsspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from gcsfs.retry import validate_response
from moto.server import ThreadedMotoServer

from foretrain.data import Kind, faults, fingerprint
from foretrain.errors import DataError, StorageError
from foretrain.settings import Settings


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({"n": rng.integers(0, 9, 90), "x": rng.normal(size=90), "c": rng.choice(["u", "v"], 90)})


def parts(frame: pd.DataFrame, folder: Path, suffix: str) -> None:
    for at in range(3):
        part = frame[at * 30 : (at + 1) * 30]
        path = folder / f"part-{at}{suffix}"
        part.to_csv(path, index=False) if suffix == ".csv" else part.to_parquet(path, index=False)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_globs_and_folders_keep_the_order_of_their_files(suffix, frame, loader, table, tmp_path, monkeypatch):
    parts(frame, tmp_path, suffix)
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / ".hidden.csv").write_text("x")
    (tmp_path / "README.md").write_text("about")
    monkeypatch.chdir(tmp_path)
    for source in (
        tmp_path,
        str(tmp_path / "part-*"),
        f"part-?{suffix}",
        f"file://{tmp_path}",
        f"{tmp_path}/**/*{suffix}",
    ):
        ref = loader(source)
        assert table(ref).to_pandas().equals(frame)
        assert ref.rows == 90
    assert loader(tmp_path).name == tmp_path.name


def test_brackets_in_a_file_name_are_not_a_pattern(frame, loader, tmp_path):
    path = tmp_path / "a[1].csv"
    frame.to_csv(path, index=False)
    assert loader(path).rows == 90


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_hive_partitions_become_columns(form, frame, loader, table, tmp_path):
    whole = pa.Table.from_pandas(frame.assign(year=[2019, 2020, 2021] * 30, where=["a b", None, "\u00e9"] * 30))
    ds.write_dataset(
        whole,
        tmp_path,
        format=form,
        partitioning=ds.partitioning(whole.select(["year", "where"]).schema, flavor="hive"),
    )
    ref = loader(tmp_path)
    assert ref.kinds == {
        "n": Kind.INTEGER, "x": Kind.NUMERIC, "c": Kind.CATEGORICAL, "year": Kind.INTEGER, "where": Kind.CATEGORICAL,
    }  # fmt: skip
    order = ["year", "n", "x"]
    read = table(ref).to_pandas().sort_values(order, ignore_index=True)
    assert read.equals(whole.to_pandas().sort_values(order, ignore_index=True)[read.columns])


def test_partition_columns_alone_can_be_read(frame, loader, tmp_path):
    from foretrain.data import open_batches

    (tmp_path / "k=1").mkdir()
    (tmp_path / "k=2").mkdir()
    frame.to_parquet(tmp_path / "k=1" / "a.parquet")
    frame.to_parquet(tmp_path / "k=2" / "a.parquet")
    ref = loader(tmp_path, kinds={"k": "categorical"})
    assert ref.table == str(tmp_path)
    assert pa.Table.from_batches(open_batches(ref, ["k"]))["k"].to_pylist() == ["1"] * 90 + ["2"] * 90
    assert pa.Table.from_batches(open_batches(ref, ["x", "k"])).schema.names == ["x", "k"]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for key, value in {
        "AWS_ENDPOINT_URL": s3, "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():  # fmt: skip
        monkeypatch.setenv(key, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    client = boto3.client("s3")
    client.create_bucket(Bucket="lake")
    yield "lake"
    for item in client.list_objects_v2(Bucket="lake").get("Contents", []):
        client.delete_object(Bucket="lake", Key=item["Key"])
    client.delete_bucket(Bucket="lake")
    client.close()
    fsspec.get_filesystem_class("s3").clear_instance_cache()


@pytest.fixture(params=["s3", "gs"])
def lake(request: pytest.FixtureRequest) -> str:
    """The URL of an empty bucket in an object store."""
    request.getfixturevalue({"s3": "bucket", "gs": "gcs"}[request.param])
    return f"{request.param}://lake"


def test_object_stores(lake, frame, loader, table, tmp_path):
    parts(frame, tmp_path, ".parquet")
    frame.to_csv(tmp_path / "all.csv", index=False)
    (tmp_path / "all.csv.gz").write_bytes(gzip.compress((tmp_path / "all.csv").read_bytes()))
    fs = fsspec.filesystem(lake.split(":")[0])
    for path in tmp_path.iterdir():
        fs.put_file(str(path), f"{lake}/{'parts/' if path.suffix == '.parquet' else ''}{path.name}")
    before = fingerprint(f"{lake}/parts", Settings())
    in_place = loader(f"{lake}/parts")
    assert in_place.table == in_place.uri == f"{lake}/parts"
    for name in ("parts/part-*.parquet", "all.csv", "all.csv.gz"):
        assert table(loader(f"{lake}/{name}")).equals(table(in_place))
    assert loader(f"{lake}/parts/part-0.parquet").rows == 30
    assert table(in_place).to_pandas().equals(frame)
    assert fingerprint(f"{lake}/parts", Settings()) == before
    fs.put_file(str(tmp_path / "part-0.parquet"), f"{lake}/parts/part-1.parquet")
    assert fingerprint(f"{lake}/parts", Settings()) != before
    for missing in ("lake/nothing.csv", "lake/nothing", "nobucket/a.csv"):
        with pytest.raises(DataError, match="found none"):
            loader(lake.replace("lake", missing))


def test_s3_without_credentials(bucket, loader, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    with pytest.raises(DataError, match="credentials"):
        loader("s3://lake/a.csv")


def test_memory_file_system(frame, loader, table):
    fs = fsspec.filesystem("memory")
    with fs.open("/box/a.parquet", "wb") as f:
        frame.to_parquet(f, index=False)
    with fs.open("/box/a.jsonl", "w") as f:
        f.write("\n".join(map(json.dumps, frame.to_dict("records"))))
    try:
        ref = loader("memory://box/a.parquet")
        assert ref.table == "memory://box/a.parquet"
        assert table(ref).to_pandas().equals(frame)
        assert table(loader("memory://box/a.jsonl")).to_pandas().equals(frame)
        before = fingerprint("memory://box/a.parquet", Settings())
        with fs.open("/box/a.parquet", "wb") as f:
            frame[:50].to_parquet(f, index=False)
        assert fingerprint("memory://box/a.parquet", Settings()) != before
    finally:
        fs.rm("/box", recursive=True)


class Web(SimpleHTTPRequestHandler):
    """A web server that can fail, refuse, and remembers what it was asked."""

    asked: Counter[str] = Counter()
    failures = 0

    def refuses(self) -> bool:
        self.asked[self.path] += 1
        if "/secret" in self.path:
            self.send_error(403)
        elif type(self).failures:
            type(self).failures -= 1
            self.send_error(503)
        else:
            return False
        return True

    def do_GET(self) -> None:
        if not self.refuses():
            super().do_GET()

    def do_HEAD(self) -> None:
        if not self.refuses():
            super().do_HEAD()

    def log_message(self, *args: Any) -> None:
        return


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(faults, "FIRST_WAIT", 0.01)
    Web.asked, Web.failures = Counter(), 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Web, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_web_server_without_ranges(web, frame, loader, table, tmp_path):
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_parquet(tmp_path / "a.parquet", index=False)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    for name in ("a.csv", "a.parquet", "b.csv.gz"):
        ref = loader(f"{web}/{name}?signature=abc")
        assert table(ref).to_pandas().equals(frame)
        assert ref.uri == f"{web}/{name}"
        assert "signature" not in ref.model_dump_json()
    before = fingerprint(f"{web}/a.csv", Settings())
    frame[1:].to_csv(tmp_path / "a.csv", index=False)
    assert fingerprint(f"{web}/a.csv", Settings()) != before


def test_passing_faults_are_retried_and_lasting_ones_are_not(web, frame, loader, tmp_path):
    frame.to_csv(tmp_path / "a.csv", index=False)
    Web.failures = 3
    assert loader(f"{web}/a.csv").rows == 90
    Web.failures = 10**6
    with pytest.raises(StorageError, match="did not answer"):
        loader(f"{web}/a.csv")
    Web.failures, Web.asked = 0, Counter()
    with pytest.raises(DataError, match="no permission"):
        loader(f"{web}/secret.csv")
    with pytest.raises(DataError, match="found none"):
        loader(f"{web}/nowhere.csv")
    assert Web.asked["/secret.csv"] <= 2
    assert Web.asked["/nowhere.csv"] <= 2


def test_no_permission_in_google_cloud_storage(web, gcs, loader, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", web)
    for name in ("a.csv", "folder/*.csv"):
        with pytest.raises(DataError, match=r"gs://secret/.*: no permission to read this") as caught:
            loader(f"gs://secret/{name}")
        assert "\n" not in str(caught.value)
    assert max(Web.asked.values()) <= 4


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (401, DataError, "no permission"),
        (403, DataError, "no permission"),
        (404, DataError, "found none"),
        (429, StorageError, "did not answer"),
        (502, StorageError, "did not answer"),
        (503, StorageError, "did not answer"),
    ],
)
def test_what_google_cloud_storage_answers(status, kind, said):
    with pytest.raises(kind, match=f"gs://lake/a.csv: .*{said}"), faults.guard("gs://lake/a.csv"):
        validate_response(status, b'{"error": {"message": "why"}}', "b/lake/o/a.csv")


def test_bad_data_is_not_fetched_again(web, loader, tmp_path):
    (tmp_path / "a.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(DataError) as caught:
        loader(f"{web}/a.csv?token=topsecret")
    assert (caught.value.row, caught.value.file) == (2, f"{web}/a.csv")
    assert "topsecret" not in str(caught.value)
    assert Web.asked["/a.csv?token=topsecret"] <= 3


def test_nobody_listens(loader, monkeypatch):
    monkeypatch.setattr(faults, "FIRST_WAIT", 0.001)
    with pytest.raises(StorageError, match="did not answer"):
        loader("http://127.0.0.1:9/a.csv")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("s3://key:secret@bucket/a.csv", "s3://bucket/a.csv"),
        ("https://u:p@host/a.csv?X-Amz-Signature=abc", "https://host/a.csv"),
        ("folder/a?.csv", "folder/a?.csv"),
        ("s3://bucket/a?.csv", "s3://bucket/a?.csv"),
    ],
)
def test_credentials_never_show(given, shown):
    from foretrain.data.locate import public

    assert public(given) == shown
