"""What do tests share? Two small tables, one real Prefect server, and a Google Cloud Storage of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from support import Pair

from foretrain_flows import environment

if TYPE_CHECKING:
    from gcp_storage_emulator.server import Server

environment.prepare()
# how long an example takes says how busy the machine is, not whether the code is right
hypothesis.settings.register_profile("foretrain", deadline=None)
hypothesis.settings.load_profile("foretrain")
os.environ |= {"PREFECT_LOGGING_LEVEL": "ERROR", "PREFECT_LOGGING_TO_API_ENABLED": "false", "HF_HUB_OFFLINE": "1"}
os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(Path.home() / ".cache" / "ms-playwright"))
os.environ["HOME"] = tempfile.mkdtemp(prefix="foretrain-tests-")  # nobody's history is added to


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """300 rows of mixed kinds; the candidate is a fresh sample of the same distribution."""
    import numpy as np
    import pandas as pd

    folder = tmp_path_factory.mktemp("pair")
    for name, seed in (("candidate", 1), ("original", 2)):
        chance = np.random.default_rng(seed)
        age = chance.integers(18, 90, 300)
        table = pd.DataFrame(
            {
                "age": age,
                "income": chance.lognormal(8 + age / 60, 0.5),
                "city": chance.choice(["Bern", "Genf", "Basel"], 300, p=[0.5, 0.3, 0.2]),
                "label": chance.random(300) < age / 120,
            }
        )
        table.to_csv(folder / f"{name}.csv", index=False)
    return Pair(str(folder / "candidate.csv"), str(folder / "original.csv"))


@pytest.fixture(scope="session")
def repeated(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """The same, but half of the candidate's rows repeat others: a candidate that can be mended."""
    import pandas as pd

    table = pd.read_csv(pair.candidate)
    path = tmp_path_factory.mktemp("repeated") / "candidate.csv"
    table.iloc[[*range(150)] * 2].to_csv(path, index=False)
    return Pair(str(path), pair.original)


@pytest.fixture(scope="session")
def prefect_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The API URL of a real Prefect server on the loopback, with all its services, on a database of its own."""
    port = _free_port()
    home = tmp_path_factory.mktemp("prefect")
    url = f"http://127.0.0.1:{port}/api"
    settings = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "1",
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
        "PREFECT_API_URL": url,
    }
    log = home / "server.log"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env=os.environ | settings, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait(server, f"{url}/health", log)
        yield url
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


@pytest.fixture
def prefect_api(prefect_server: str, tmp_path: Path) -> Iterator[str]:
    """The same, and this process talks to it."""
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings

    with temporary_settings({PREFECT_API_URL: prefect_server, PREFECT_HOME: tmp_path / "home"}):
        yield prefect_server


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[tuple[str, Server]]:
    """The URL of an emulated Google Cloud Storage in this process, and the emulator."""
    from gcp_storage_emulator.exceptions import NotFound
    from gcp_storage_emulator.handlers import objects
    from gcp_storage_emulator.server import create_server

    upload = objects._multipart_upload

    def once(request: Any, response: Any, storage: Any) -> None:
        """With the store's promise that of two writers who ask for "only if nothing is there" one is refused."""
        if request.query.get("ifGenerationMatch") == ["0"]:
            with suppress(NotFound):
                storage.get_file_obj(request.params["bucket_name"], request.data["meta"]["name"])
                response.status = HTTPStatus.PRECONDITION_FAILED
                return
        upload(request, response, storage)

    port = _free_port()
    with pytest.MonkeyPatch.context() as patch, create_server("127.0.0.1", port, in_memory=True) as server:
        patch.setattr(objects, "_multipart_upload", once)
        patch.setattr(server._api._httpd, "handle_error", lambda *_: None)  # clients may hang up early
        yield f"http://127.0.0.1:{port}", server


@pytest.fixture
def gcs(gcs_server: tuple[str, Server], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty bucket there, which `gs://` finds. Nothing beyond the loopback can be reached meanwhile."""
    import fsspec
    from gcsfs.extended_gcsfs import BucketType, ExtendedGcsFileSystem

    url, server = gcs_server
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
    monkeypatch.setitem(fsspec.config.conf, "gs", {"token": "anon"})  # else Google's metadata server is asked for one

    async def flat(*_: object) -> BucketType:
        return BucketType.NON_HIERARCHICAL

    # The one question that is asked by gRPC, which the emulator does not speak.
    monkeypatch.setattr(ExtendedGcsFileSystem, "_get_bucket_type", flat)
    plain = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        assert self.family == socket.AF_UNIX or address[0] in {"127.0.0.1", "::1"}, f"{address} is not the loopback"
        plain(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    ExtendedGcsFileSystem.clear_instance_cache()
    ExtendedGcsFileSystem().mkdir("lake")
    yield "gs://lake"
    server.wipe()
    ExtendedGcsFileSystem.clear_instance_cache()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _wait(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + 180
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"the Prefect server did not start:\n{log.read_text()[-2000:]}")
