"""Does the store give back what was written, whole or not at all?"""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foretrain import checkpoint, storage
from foretrain.checkpoint import KEPT_DAYS, RUNNING, Store
from foretrain.errors import ForetrainError, ResourceError, StorageError
from foretrain.record import Record
from foretrain.settings import CascadeSettings, Settings


class Count(Record):
    """A record that names a file of its stage."""

    rows: int
    table: str


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    from moto.server import ThreadedMotoServer

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture(params=["folder", "memory", "s3", "gcs"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "folder":
        return str(tmp_path / "store")
    if request.param == "memory":
        return f"memory://{tmp_path.name}-{id(tmp_path)}"
    if request.param == "gcs":
        return f"{request.getfixturevalue('gcs')}/checkpoints"
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": request.getfixturevalue("s3"),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    bucket = f"bucket-{abs(hash(str(tmp_path))) % 10**9}"
    s3fs.S3FileSystem().mkdir(bucket)
    return f"s3://{bucket}/checkpoints"


def put(store: Store, key: str, content: bytes = b"rows", rows: int = 3) -> checkpoint.Entry:
    with store.draft("count", key) as draft:
        draft.path("deep/table.bin").write_bytes(content)
        return store.commit(draft, Count(rows=rows, table=draft.url("deep/table.bin")), 1.5)


def files(store: Store) -> dict[str, bytes]:
    found = store._fs.find(store._path)
    return {path: store._fs.cat_file(path) for path in found if checkpoint.UNFINISHED not in path}


def test_what_was_written_comes_back(root: str) -> None:
    store = Store(root)
    assert store.read("count", "k") is None
    written = put(store, "k")
    again = Store(root).read("count", "k")
    assert again == written
    assert again is not None
    record = Count.model_validate_json(again.record)
    assert (record.rows, again.seconds) == (3, 1.5)
    assert checkpoint.filesystem(record.table)[0].cat_file(record.table) == b"rows"


@pytest.mark.parametrize("file", ["manifest.json", "record.json", "table.bin"])
def test_a_damaged_entry_is_noticed_and_replaced(root: str, file: str, caplog: pytest.LogCaptureFixture) -> None:
    store = Store(root)
    for number, damage in enumerate((lambda whole: whole[:-1], lambda whole: b"", lambda whole: whole + b"x", None)):
        key = f"k{number}"
        put(store, key)
        (path,) = [path for path in files(store) if path.endswith(file) and f"/{key}/" in path]
        if damage is None:
            store._fs.rm(path)
        else:
            store._fs.pipe_file(path, damage(files(store)[path]))
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert store.read("count", key) is None
        assert "damaged" in caplog.text or (damage is None and file == "manifest.json")
        again = put(store, key, b"computed again")
        assert store.read("count", key) == again


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    store = Store(tmp_path / "bits")
    whole = put(store, "k")
    path = Path(data.draw(st.sampled_from(sorted(files(store)))))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        assert store.read("count", "k") is None
    finally:
        path.write_bytes(before)
    assert store.read("count", "k") == whole


def test_first_writer_of_a_key_wins(root: str) -> None:
    store = Store(root)
    with store.draft("count", "k") as late:
        late.path("table.bin").write_bytes(b"late")
        first = put(store, "k", b"first", rows=1)
        assert store.commit(late, Count(rows=2, table=late.url("table.bin")), 9.0) == first
    assert store.read("count", "k") == first
    assert b"late" not in files(store).values()


def test_what_a_running_stage_keeps_outlives_it_until_it_is_committed(root: str) -> None:
    store = Store(root)
    with store.draft("count", "k") as killed:
        place = killed.kept("snapshots")
        storage.write(storage.join(place, "deep/last.bin"), b"state")
    with Store(root).draft("count", "other") as other:
        assert other.kept("snapshots") != place
    with Store(root).draft("count", "k") as again:
        assert again.kept("snapshots") == place
        assert storage.read(storage.join(place, "deep/last.bin")) == b"state"
        with pytest.raises(ValueError, match="cannot write"):
            again.kept("../escape")
        written = store.commit(again, Count(rows=1, table=""), 0.0)
    assert store.read("count", "k") == written
    assert not any(checkpoint.RUNNING in path for path in files(store))
    with pytest.raises(ForetrainError):
        storage.read(storage.join(place, "deep/last.bin"))


WRITER = """
import sys
from foretrain.checkpoint import KEPT_DAYS, RUNNING, Store
from foretrain.settings import DataSettings

store, me = Store(sys.argv[1]), sys.argv[2]
for key in range(20):
    with store.draft("count", f"k{key}") as draft:
        draft.path("table.bin").write_bytes(me.encode() * 50_000)
        print(store.commit(draft, DataSettings(format=me), 1.0).record)
"""


def test_processes_writing_the_same_keys_agree(tmp_path: Path) -> None:
    root = str(tmp_path / "store")
    command = [sys.executable, "-c", WRITER, root]
    writers = [subprocess.Popen([*command, str(me)], stdout=subprocess.PIPE, text=True) for me in range(4)]
    records = [writer.communicate(timeout=60)[0].splitlines() for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 4
    assert len(records[0]) == 20
    assert all(seen == records[0] for seen in records)
    assert all(Store(root).read("count", f"k{key}") for key in range(20))


def test_what_nobody_went_on_from_is_forgotten_after_a_month(tmp_path: Path) -> None:
    for name, days in (("old", KEPT_DAYS + 1), ("new", KEPT_DAYS - 1)):
        file = tmp_path / RUNNING / "cascade" / name / "models" / "snapshot"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"1")
        for path in (file, *list(file.parents)[:2]):
            os.utime(path, (time.time() - days * 86_400,) * 2)
    with Store(tmp_path).draft("profile", "key"):
        pass
    assert [path.name for path in (tmp_path / RUNNING / "cascade").iterdir()] == ["new"]


def test_an_unfinished_entry_that_vanishes_meanwhile_stops_nobody(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    put(store, "first")
    waiting = tmp_path / "store" / checkpoint.UNFINISHED
    (waiting / "count-first-gone").symlink_to(tmp_path / "nowhere")  # listed, and no longer there when looked at
    put(store, "second")
    assert store.read("count", "second")


def test_nothing_is_left_of_a_stage_that_failed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ValueError, match="cannot write"), store.draft("count", "k") as draft:
        draft.path("half").write_bytes(b"half")
        draft.path("../escape")
    assert store.read("count", "k") is None
    assert list((tmp_path / checkpoint.UNFINISHED).iterdir()) == []


def test_what_a_killed_writer_left_is_swept_and_a_live_one_is_spared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    dead = tmp_path / checkpoint.UNFINISHED / "foretrain-count-dead"
    dead.mkdir(parents=True)
    with store.draft("count", "live") as live:
        monkeypatch.setattr(checkpoint.time, "time", lambda: live.here.stat().st_mtime + 3600)
        put(store, "k")
        assert not dead.exists()
        assert live.here.exists()


def test_a_store_may_be_moved(tmp_path: Path) -> None:
    put(Store(tmp_path / "here"), "k")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = Store(tmp_path / "there").read("count", "k")
    assert moved is not None
    assert Path(json.loads(moved.record)["table"]).read_bytes() == b"rows"
    assert str(tmp_path / "there") in moved.record


@pytest.mark.parametrize("text", ["root:\\/\\/", "root:\\\\/\\\\/", 'a"b\\', "é", "\0"])
def test_no_text_of_a_user_is_mistaken_for_the_root(tmp_path: Path, text: str) -> None:
    store = Store(tmp_path)
    with store.draft("count", "k") as draft:
        written = store.commit(draft, Count(rows=1, table=text), 0.0)
    assert store.read("count", "k") == written
    assert json.loads(written.record)["table"] == text


def test_a_key_changes_with_each_of_its_parts_and_with_nothing_else() -> None:
    base = checkpoint.key("load", {"source": "a"}, {"seed": 1, "data": Settings().data}, "c")
    assert base == checkpoint.key("load", {"source": "a"}, {"data": Settings().data, "seed": 1}, "c")
    others = {
        checkpoint.key("profile", {"source": "a"}, {"seed": 1}, "c"),
        checkpoint.key("load", {"source": "b"}, {"seed": 1}, "c"),
        checkpoint.key("load", {"like": "a"}, {"seed": 1}, "c"),
        checkpoint.key("load", {"source": "a"}, {"seed": 2}, "c"),
        checkpoint.key("load", {"source": "a"}, {"seed": True}, "c"),
        checkpoint.key("load", {"source": "a"}, {"seed": 1}, "d"),
        checkpoint.key("load", {"source": "a"}, {}, "c"),
    }
    assert len(others | {base}) == 8


def test_how_and_where_it_is_computed_is_not_in_a_key() -> None:
    def key(**changed: object) -> str:
        return checkpoint.key("cascade", {}, {"cascade": CascadeSettings.model_validate(changed)}, "c")

    assert key() == key(mode="full") == key(snapshot_seconds=1)
    assert len({key(), key(rows=200), key(margin=0.1), key(generator="trees")}) == 4
    assert CascadeSettings.without_result < set(CascadeSettings.model_fields)


@pytest.mark.parametrize("value", [np.zeros(3), object(), b"bytes", {1, 2}, float("nan"), {1: 2}, lambda: 0])
def test_a_key_takes_no_values(value: object) -> None:
    with pytest.raises(TypeError, match="plain settings and references"):
        checkpoint.key("load", {}, {"value": value}, "c")


def test_code_hash_sees_every_file_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "shipped"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "table.json").write_text("1")
    monkeypatch.syspath_prepend(str(tmp_path))
    checkpoint.code_hash.cache_clear()
    before = checkpoint.code_hash(("shipped",))
    (package / "inner" / "table.json").write_text("2")
    checkpoint.code_hash.cache_clear()
    assert checkpoint.code_hash(("shipped",)) != before
    assert checkpoint.code_hash(("foretrain.record",)) != checkpoint.code_hash(("foretrain.seeds",))


def test_faults_are_told_apart(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(ResourceError) as stays, Store(blocked / "store").draft("count", "k"):
        pass
    assert not stays.value.can_pass
    with pytest.raises(ResourceError, match="Protocol not known"):
        Store("nosuch://bucket")
    with pytest.raises(StorageError) as passes, checkpoint.faults("s3://bucket"):
        raise ConnectionResetError("reset by peer")
    assert passes.value.can_pass


@pytest.mark.parametrize("kind", ["s3", "gs"])
def test_a_bucket_that_is_not_there_is_no_fault_that_can_pass(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "gs":
        request.getfixturevalue("gcs")
    else:
        import s3fs

        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3"))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        s3fs.S3FileSystem.clear_instance_cache()
    store = Store(f"{kind}://no-such-bucket/checkpoints")
    assert store.read("count", "k") is None
    with pytest.raises(ForetrainError, match="no-such-bucket") as absent:
        put(store, "k")
    assert not absent.value.can_pass
