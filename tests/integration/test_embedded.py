"""With nothing set up: does a recorded run start its own server, keep its record, and call nobody?"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import Pair

# Runs in every Python process of the test, the embedded server included, before anything else.
GUARD = """
import os, sys

def guard(event, arguments):
    if event == "socket.connect":
        host = arguments[1][0] if isinstance(arguments[1], tuple) else ""
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (None, "", "localhost", "::1", "0.0.0.0") and not host.startswith("127."):
        with open(os.environ["CALLED"], "a") as file:
            file.write(f"{event} {host}\\n")

sys.addaudithook(guard)
with open(os.environ["CALLED"], "a"):
    pass
"""


@pytest.fixture
def guarded(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has set up nothing, with a guard on every connection."""
    (tmp_path / "guard").mkdir()
    (tmp_path / "guard" / "sitecustomize.py").write_text(GUARD)
    user = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "DO_NOT_TRACK", "CI"))
    }
    return user | {
        "PYTHONPATH": str(tmp_path / "guard"),
        "CALLED": str(tmp_path / "called"),
        "PREFECT_HOME": str(tmp_path / "home"),
        "HOME": str(tmp_path),
    }


def test_the_guard_sees_a_call(guarded: dict[str, str]) -> None:
    call = "import socket\ntry: socket.create_connection(('192.0.2.1', 9), 0.1)\nexcept OSError: pass"
    subprocess.run([sys.executable, "-c", call], env=guarded, check=True)
    assert "192.0.2.1" in Path(guarded["CALLED"]).read_text()


def test_a_recorded_run_is_kept_and_calls_nobody(pair: Pair, tmp_path: Path, guarded: dict[str, str]) -> None:
    foretrain = str(Path(sys.executable).with_name("foretrain"))
    words = [pair.candidate, "--original", pair.original, "--effort=quick", "--out", str(tmp_path / "out"), "--prefect"]
    child = subprocess.run(
        [foretrain, "validate", *words],
        env=guarded,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert child.returncode in {0, 1, 3}, child.stderr
    assert "Traceback" not in child.stderr
    assert Path(guarded["CALLED"]).read_text() == ""
    with sqlite3.connect(tmp_path / "home" / "prefect.db") as database:
        runs = database.execute("select name, state_type from flow_run").fetchall()
        tasks = database.execute("select count(*) from task_run where state_type = 'COMPLETED'").fetchone()
    assert runs == [("validate-candidate.csv", "COMPLETED")]
    assert tasks == (9,)
    database.close()


def test_without_recording_no_prefect_is_imported(pair: Pair, tmp_path: Path, guarded: dict[str, str]) -> None:
    script = (
        "import sys\nfrom foretrain_flows.command import main\n"
        "try: main()\nfinally: print('prefect' in sys.modules, file=sys.stderr)"
    )
    words = ["validate", pair.candidate, "--original", pair.original, "--effort=quick", "--out", str(tmp_path / "out")]
    child = subprocess.run(
        [sys.executable, "-c", script, *words], env=guarded, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert child.returncode in {0, 1, 3}, child.stderr
    assert child.stderr.splitlines()[-1] == "False"
    assert not (tmp_path / "home").exists()
    assert Path(guarded["CALLED"]).read_text() == ""


def test_interruption_says_what_is_kept_and_the_run_is_recorded_as_crashed(
    pair: Pair, tmp_path: Path, guarded: dict[str, str]
) -> None:
    script = (
        "import foretrain.profile, time\n"
        "from foretrain_flows.command import main\n"
        "foretrain.profile.profile = lambda **_: time.sleep(120)\n"
        "main()"
    )
    words = ["validate", pair.candidate, "--original", pair.original, "--out", "out", "--prefect"]
    child = subprocess.Popen(
        [sys.executable, "-c", script, *words],
        env=guarded,
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal's Ctrl-C reaches the whole group, the embedded server included
    )
    assert child.stderr is not None
    said = child.stderr.readline() + child.stderr.readline()
    time.sleep(1)
    os.killpg(child.pid, signal.SIGINT)
    rest = child.communicate(timeout=60)[1]
    assert "load candidate" in said
    assert rest.strip().splitlines() == [
        "Interrupted. Kept in out/checkpoints: load original, load candidate. The same command goes on from there."
    ]
    assert child.returncode == 130
    with sqlite3.connect(tmp_path / "home" / "prefect.db") as database:
        runs = database.execute("select name, state_type from flow_run").fetchall()
        tasks = dict(database.execute("select name, state_type from task_run").fetchall())
    database.close()
    assert runs == [("validate-candidate.csv", "CRASHED")]
    assert tasks["load candidate"] == "COMPLETED"
    assert "RUNNING" not in tasks.values()
