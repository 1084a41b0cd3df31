"""Does a library lose nothing, with many writers, and refuse what is torn or of another version?"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool
from unit.signatures import known
from unit.signatures.known import same, signatures

from foretrain.errors import DataError, ForetrainError, SettingsError, StorageError
from foretrain.settings import SignatureSettings
from foretrain.signatures import collection, embedding
from foretrain.signatures.collection import Collection
from foretrain.signatures.library import Library


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/signatures.db"
        return
    url = request.getfixturevalue("postgres")
    yield url
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("drop table signatures, files"))


@pytest.fixture
def library(database: str, tmp_path: Path) -> Library:
    return Library(database, str(tmp_path / "vectors"))


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "vectors").glob("*"))


def test_what_is_added_is_read_back(library: Library) -> None:
    first, second = signatures(7), signatures(3, seed=1, prefix="t", mechanism=None)
    assert len(library.read()) == 0
    empty = library.state()
    assert (library.add(first), library.add(second)) == (7, 3)
    assert library.state() != empty
    assert same(library.read(), first + second)
    assert {version for _, version in library.signatures().values()} == {embedding.VERSION}


def test_what_is_there_stays_unless_it_is_newer(library: Library, tmp_path: Path) -> None:
    old, new = signatures(4), signatures(5, seed=1)
    library.add(old)
    assert library.add(new) == 1
    assert same(library.read(), old + new.pick([4]))
    assert library.add(new, newer=True) == 0
    assert same(library.read(), new)
    assert len(files(tmp_path)) == 1


def test_files_are_put_together_and_forgotten(library: Library, tmp_path: Path) -> None:
    whole = signatures(6)
    for row in range(6):
        library.add(whole.pick([row]))
    assert len(files(tmp_path)) == 6
    library.replace(library.read())
    assert same(library.read(), whole)
    assert len(files(tmp_path)) == 1
    library.forget({f"s{k}" for k in range(6)})
    assert (len(library.read()), files(tmp_path)) == (0, [])


def test_processes_that_write_at_once_lose_nothing(database: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "vectors")
    running = [
        subprocess.Popen([sys.executable, known.__file__, database, folder, str(k)], stderr=subprocess.PIPE)
        for k in range(4)
    ]
    errors = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * 4, b"".join(errors).decode()
    wanted = signatures(1, prefix="everybody")
    for k in range(4):
        wanted = wanted + signatures(20, seed=k, prefix=f"{k}-")
    library = Library(database, folder)
    assert same(library.read(), wanted)
    assert len(files(tmp_path)) == 81


@pytest.mark.parametrize("harm", ["torn", "altered", "missing"])
def test_a_damaged_file_is_found_named_and_can_be_forgotten(library: Library, tmp_path: Path, harm: str) -> None:
    library.add(signatures(3))
    (file,) = files(tmp_path)
    library.add(signatures(2, seed=1, prefix="t"))
    content = file.read_bytes()
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes(content[:-1] if harm == "torn" else content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ForetrainError) as error:
        library.read()
    assert str(error.value).startswith(str(file))
    assert set(library.unreadable()) == {"s0", "s1", "s2"}
    assert same(library.read(frozenset(library.unreadable())), signatures(2, seed=1, prefix="t"))
    library.forget(set(library.unreadable()))
    assert same(library.read(), signatures(2, seed=1, prefix="t"))


def test_another_embedding_version_is_refused_in_one_line(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    library.add(signatures(3))
    monkeypatch.setattr(collection, "VERSION", embedding.VERSION + 1)
    with pytest.raises(DataError, match=r"version 1, and this Foretrain compares version 2.*foretrain signatures re"):
        library.read()
    assert set(library.unreadable()) == {"s0", "s1", "s2"}


def test_half_an_addition_leaves_nothing(library: Library, tmp_path: Path) -> None:
    library.add(signatures(3))
    broken = signatures(2, prefix="t")
    broken = Collection(
        (broken.signatures[0], broken.signatures[1].model_copy(update={"damage": None})), broken.vectors
    )
    with pytest.raises(IntegrityError):
        library.add(broken)
    assert same(library.read(), signatures(3))
    assert len(files(tmp_path)) == 1


def test_a_folder_of_signatures_is_read_back_and_checked(tmp_path: Path) -> None:
    made = signatures(5)
    collection.write(str(tmp_path), made)
    assert same(collection.read(str(tmp_path)), made)
    (tmp_path / "vectors.safetensors").write_bytes((tmp_path / "vectors.safetensors").read_bytes()[:-1])
    with pytest.raises(DataError, match=r"vectors.safetensors: the content .* is not what was written"):
        collection.read(str(tmp_path))
    (tmp_path / "signatures.json").write_text('{"version": 1}')
    with pytest.raises(DataError, match=r"signatures.json: this is no list of signatures: digest"):
        collection.read(str(tmp_path))


@pytest.mark.parametrize(
    ("database", "line"),
    [("no url", "signatures.database is no URL"), ("mysql://x", "expected sqlite:// or postgresql://, found mysql://")],
)
def test_a_wrong_url_gets_one_line(database: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=line):
        Library(database, str(tmp_path))


def test_a_database_that_does_not_answer_gets_one_line_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StorageError) as error:
        Library("postgresql://me:secret@127.0.0.1:1/none", str(tmp_path))
    assert "secret" not in str(error.value)
    assert re.search("does not answer: ", str(error.value))


def test_the_default_is_a_file_in_the_folder(tmp_path: Path) -> None:
    settings = SignatureSettings(folder=str(tmp_path / "new"))
    assert not Library.exists(settings)
    Library.of(settings).add(signatures(2))
    assert Library.exists(settings)
    assert (tmp_path / "new" / "signatures.db").is_file()
    with pytest.raises(SettingsError, match=r"Set signatures.database"):
        Library.of(SignatureSettings(folder="s3://bucket/signatures"))
