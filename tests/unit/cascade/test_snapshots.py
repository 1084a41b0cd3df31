"""Does a snapshot come back whole, or the one before it?"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from foretrain.cascade.training.snapshots import Snapshot, Snapshots
from foretrain.errors import StorageError
from foretrain.storage import filesystem


@pytest.fixture(params=["folder", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "snapshots") if request.param == "folder" else f"memory://{tmp_path.name}-{id(tmp_path)}"


def put(root: str, step: int, name: str = "mlp") -> None:
    Snapshots(root).save(name, step, {"weights": np.full((2, 3), step, dtype=np.float32)}, {"live": [step]})


def files(root: str) -> list[str]:
    fs, path, _ = filesystem(root)
    return sorted(each for each in fs.find(path) if each.endswith(".safetensors"))


def step(found: Snapshot | None) -> int | None:
    if found is None:
        return None
    assert (found.arrays["weights"] == found.step).all()
    assert found.about["live"] == [found.step]
    return found.step


names = st.text(min_size=1, max_size=5).filter(lambda name: name != "$array")
finite = st.floats(allow_nan=False, allow_infinity=False)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(names, each, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    number=st.integers(0, 10**9),
    about=st.dictionaries(names, json, max_size=4),
    values=st.dictionaries(
        names,
        arrays.arrays(st.sampled_from([np.float32, np.int64, np.float64]), arrays.array_shapes(min_dims=0, min_side=0)),
        max_size=3,
    ),
)
def test_what_was_saved_comes_back(root: str, number: int, about: Any, values: Any) -> None:
    here = Snapshots(root)
    here.clear()
    here.save("a/b", number, values, about)
    found = Snapshots(root).latest("a/b")
    assert found is not None
    assert (found.step, dict(found.about), set(found.arrays)) == (number, about, set(values))
    for name, value in values.items():
        np.testing.assert_array_equal(found.arrays[name], value)
        assert found.arrays[name].dtype == value.dtype


def test_the_last_two_are_kept_a_name(root: str) -> None:
    assert Snapshots(root).latest("mlp") is None
    for number in (5, 40, 300):
        put(root, number)
    put(root, 7, "resonance")
    assert [path.rpartition("/")[2][:12] for path in files(root)] == ["000000000040", "000000000300", "000000000007"]
    assert step(Snapshots(root).latest("mlp")) == 300
    assert step(Snapshots(root).latest("resonance")) == 7
    Snapshots(root).clear()
    assert files(root) == []
    assert Snapshots(root).latest("mlp") is None
    Snapshots(root).clear()


def test_in_an_object_store(gcs: str) -> None:
    root = f"{gcs}/deep/snapshots"
    assert Snapshots(root).latest("mlp") is None
    for number in (5, 40, 300):
        put(root, number)
    assert [path.rpartition("/")[2][:12] for path in files(root)] == ["000000000040", "000000000300"]
    filesystem(root)[0].pipe_file(files(root)[-1], b"damaged")
    assert step(Snapshots(root).latest("mlp")) == 40
    Snapshots(root).clear()
    assert files(root) == []


DAMAGES = {
    "truncated": lambda whole: whole[: len(whole) // 2],
    "empty": lambda whole: b"",
    "longer": lambda whole: whole + b"x",
    "altered": lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_named_and_the_one_before_is_used(
    root: str, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(root, 1)
    put(root, 2)
    fs = filesystem(root)[0]
    last = files(root)[-1]
    fs.pipe_file(last, DAMAGES[damage](fs.cat_file(last)))
    with caplog.at_level(logging.WARNING):
        assert step(Snapshots(root).latest("mlp")) == 1
    assert last in caplog.text
    assert "damaged" in caplog.text
    put(root, 3)
    assert len(files(root)) == 2  # the damaged one does not push out a whole one
    for path in files(root):
        fs.pipe_file(path, b"")
    assert Snapshots(root).latest("mlp") is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_goes_unnoticed(tmp_path: Path, data: st.DataObject) -> None:
    root = str(tmp_path / "bits")
    put(root, 1)
    (path,) = map(Path, files(root))
    content = bytearray(path.read_bytes())
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    assert Snapshots(root).latest("mlp") is None


def test_it_counts_how_often_a_process_went_on(root: str) -> None:
    first = Snapshots(root)
    assert first.latest("mlp") is None
    first.save("mlp", 1, {}, {})
    assert first.resumed == 0
    for count in (1, 2, 3):
        again = Snapshots(root)
        assert again.latest("mlp") is not None
        assert again.latest("mlp") is not None
        assert again.latest("resonance") is None
        assert again.resumed == count


def test_a_training_does_not_hang_on_its_snapshots(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    here = Snapshots(str(blocked / "snapshots"))
    with caplog.at_level(logging.WARNING):
        here.save("mlp", 1, {}, {})
    assert "mlp/000000000001" in caplog.text
    assert "cannot be written" in caplog.text


def test_storage_that_does_not_answer_is_no_missing_snapshot(root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(root, 1)
    here = Snapshots(root)

    def refuse(*_: object, **__: object) -> None:
        raise ConnectionResetError("reset by peer")

    monkeypatch.setattr(here._fs, "cat_file", refuse)
    with pytest.raises(StorageError):
        here.latest("mlp")
    monkeypatch.undo()
    assert files(root)
