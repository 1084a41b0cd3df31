"""Does every example in the README and the docs run?"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support import Pair
from unit.docs.reference import PAGES, ROOT

from foretrain.settings import effective
from foretrain_flows import command

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
VERDICTS = {0, 1, 3}
ASSIGNMENT = re.compile(r"[A-Z_]+=")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of each example on a page, in order."""
    return [(found[1], found[2]) for found in FENCE.finditer(page.read_text(encoding="utf-8"))]


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command of a shell example."""
    for line in text.replace("\\\n", " ").splitlines():
        if words := shlex.split(line, comments=True):
            yield words


@pytest.fixture
def folder(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the files that the examples name."""
    for name, file in (("synthetic", pair.candidate), ("real", pair.original)):
        table = pd.read_csv(file)
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        table.to_parquet(tmp_path / f"{name}.parquet", index=False)
    made = pd.read_csv(pair.candidate)
    made.iloc[[*range(150)] * 2].to_parquet(tmp_path / "repeated.parquet", index=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))  # where a library of signatures would be
    for name in [name for name in os.environ if name.startswith("FORETRAIN_")]:
        monkeypatch.delenv(name)
    return tmp_path


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One command of a shell example: our own ones as written, others as far as they may be run here."""
    with pytest.MonkeyPatch.context() as patch:
        while ASSIGNMENT.match(words[0]):
            patch.setenv(*words.pop(0).split("=", 1))
        match words:
            case ["foretrain", *_]:
                target = None
                if ">" in words:
                    target = Path(words[words.index(">") + 1])
                    words = words[: words.index(">")]
                patch.setattr(sys, "argv", words)
                with pytest.raises(SystemExit) as ended:
                    command.main()
                said = capsys.readouterr()
                assert ended.value.code in (VERDICTS if words[1] in {"validate", "inspect", "fix"} else {0}), said.err
                assert said.out
                if target is not None:
                    target.write_text(said.out, encoding="utf-8")
            case ["make", goal]:
                assert re.search(rf"^{goal}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            case ["python", "-m", module, *rest]:
                assert_known(["-m", module], rest)
            case ["python", script, *rest]:
                assert_known([str(ROOT / script)], rest)
            case _:
                pytest.fail(f"nobody tests {shlex.join(words)!r}")


def assert_known(program: list[str], arguments: list[str]) -> None:
    """The program knows its flags and names the paths it is given; what takes hours is not run."""
    asked = subprocess.run([sys.executable, *program, "--help"], capture_output=True, text=True, check=False)
    assert asked.returncode == 0, asked.stderr
    for flag in (argument for argument in arguments if argument.startswith("-")):
        assert re.search(rf"{flag}\b", asked.stdout), f"{program} knows no {flag}"
    for path in (argument for argument in arguments if argument.startswith("tests/")):
        assert (ROOT / path).exists(), path


@pytest.mark.usefixtures("folder", "prefect_api")
@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_examples_of_a_page_run_one_after_the_other(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known: dict[str, Any] = {}
    for language, text in blocks(page):
        match language:
            case "sh":
                for words in commands(text):
                    run(words, capsys)
            case "python":
                exec(compile(text, page.name, "exec"), known)
                said = capsys.readouterr().out
                for promised in re.findall(r"print\(.*\)  # (.+)", text):
                    assert promised in said
            case "toml":
                effective(arguments=tomllib.loads(text), environment={})
            case _:
                assert language == "", f"nobody tests {language}"


def test_an_example_that_does_not_run_is_noticed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("foretrain validate none.csv", "foretrain validate --sede 3", "make none", "rm -rf out"):
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            run(shlex.split(line), capsys)
    with pytest.raises(AssertionError):
        run(["python", "tests/benchmarks/speed.py", "--none"], capsys)


def test_examples_without_a_language_show_folders_only() -> None:
    shown = [text for page in PAGES for language, text in blocks(page) if language == ""]
    for line in "".join(shown).splitlines():
        name = line.split()[0]
        assert any((ROOT / place / name).is_dir() for place in ("", "lib/foretrain")), name
