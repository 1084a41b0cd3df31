"""Does a training that is killed at any moment end with the numbers of one that was not?"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from unit.cascade import killed

SCRIPT = Path(killed.__file__)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole")
    killed.attempt(folder, None)
    return (folder / "result").read_bytes()


@pytest.mark.parametrize(("how", "seed"), [("no", 1), ("truncated", 2), ("altered", 3)])
def test_killed_several_times(whole: bytes, how: str, seed: int, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), str(tmp_path), str(seed), "5", how]
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[2]), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    assert ended[:-1] == [-signal.SIGKILL] * 5
    assert ended[-1] == 0
    assert (tmp_path / "result").read_bytes() == whole
    began = [int(step) for step in re.findall(r"going on from step (\d+)", done.stderr)]
    assert len([step for step in began if step > 0]) >= 2, done.stderr
    damaged = re.findall(r"snapshot (\S+/tiny/\d+-\w+\.safetensors) is damaged", done.stderr)
    assert bool(damaged) == (how != "no")
