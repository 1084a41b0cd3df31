"""A PostgreSQL server of the tests' own, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database on the loopback."""
    pytest.importorskip("psycopg")
    programs = [shutil.which(name) for name in ("initdb", "postgres")]
    if None in programs:
        pytest.skip("PostgreSQL is not installed")
    user = "postgres" if os.getuid() == 0 else None  # it refuses to run as root
    if user is not None:
        try:
            pwd.getpwnam(user)
        except KeyError:
            pytest.skip("there is no user to run PostgreSQL as")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        data = Path(folder, "data")
        if user is not None:
            shutil.chown(folder, user)
        initdb, server = programs
        subprocess.run(
            [str(initdb), "-D", data, "-A", "trust", "-U", "foretrain", "--no-sync"],
            check=True,
            capture_output=True,
            user=user,
            cwd=folder,
        )
        options = ["-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"]
        running = subprocess.Popen(
            [str(server), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd=folder
        )
        try:
            yield _ready(f"postgresql://foretrain@127.0.0.1:{port}/postgres", running)
        finally:
            running.send_signal(signal.SIGINT)  # ends at once, whoever is connected
            running.wait(20)


def _ready(url: str, running: subprocess.Popen[bytes]) -> str:
    import time

    import psycopg

    until = time.monotonic() + 60
    while time.monotonic() < until and running.poll() is None:
        try:
            psycopg.connect(url).close()
            return url
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not start")
