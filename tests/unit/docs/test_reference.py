"""Do the documentation's tables, numbers, names and links say what the code says?"""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import pytest
from unit.docs.reference import PAGES, ROOT, SECTION, WRITERS, written

from foretrain.collapse import verdict
from foretrain.collapse.alone import CAP
from foretrain.collapse.loops import harm, real, recipes
from foretrain.collapse.pairing import HALF
from foretrain.collapse.rows import MOST_COLUMNS
from foretrain.pipeline import STAGES
from foretrain.settings import Settings, leaves

NAMES = [page.name for page in PAGES]
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
README, CALIBRATION = TEXTS["README.md"], TEXTS["calibration.md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


@pytest.mark.parametrize("name", NAMES)
def test_what_the_code_writes_is_up_to_date(name: str) -> None:
    assert written(TEXTS[name]) == TEXTS[name], "call: python tests/unit/docs/reference.py"


def test_every_writer_is_used() -> None:
    assert {found[2] for text in TEXTS.values() for found in SECTION.finditer(text)} == set(WRITERS)


def test_the_reference_names_every_setting_and_the_table_every_stage() -> None:
    listed = re.findall(r"^\| `([\w.]+)` \|", TEXTS["settings.md"].split("## Every setting")[1], re.MULTILINE)
    assert listed[: len(dict(leaves()))] == list(dict(leaves()))
    stages = re.findall(r"^\| `([\w.]+)` \|", TEXTS["running.md"], re.MULTILINE)
    assert stages == [stage.name for stage in STAGES]


@pytest.mark.parametrize("name", NAMES)
def test_numbers_beside_a_setting_are_its_default(name: str) -> None:
    defaults = Settings().model_dump()
    for number, section, setting in re.findall(r"([\d.,]*\d)(?: different rows)? \(`(\w+)\.(\w+)`\)", TEXTS[name]):
        assert float(number.replace(",", "")) == defaults[section][setting], setting


@pytest.mark.parametrize("name", NAMES)
def test_settings_that_are_named_exist(name: str) -> None:
    known = dict(leaves())
    for setting in re.findall(
        r"`((?:data|profile|diversity|signatures|prescreen|cascade|dispatch|verdict)\.[a-z_]+)", TEXTS[name]
    ):
        assert setting in known


@pytest.mark.parametrize("name", NAMES)
def test_files_that_are_named_exist(name: str) -> None:
    for path in re.findall(r"`((?:lib|tasks|flows|tests|docs|deployments)/[\w./-]+)`", TEXTS[name]):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_relative_to(ROOT), target
        assert there.exists(), target
        if anchor:
            heads = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}, target


def test_every_page_can_be_reached_from_the_readme() -> None:
    assert {page.name for page in PAGES[1:]} <= {Path(target).name for target in LINK.findall(README)}


def test_words_about_constants_are_true() -> None:
    mild, medium, severe = verdict.SEVERITY_CUTS
    assert f"From {mild} it is\n  called mild, from {medium} medium, from {severe} severe" in README
    assert len(real.CALIBRATION) == 11
    assert "eleven real" in README
    assert "eleven real" in CALIBRATION
    assert len(recipes.GENERATORS) == 6
    assert "six generators" in README
    assert "six generators" in CALIBRATION
    assert f"Halves have at most {HALF} rows" in CALIBRATION
    assert f"{harm.CERTAIN} standard deviations beyond fresh samples" in CALIBRATION
    assert f"Of more than {MOST_COLUMNS}\n  columns" in README
    for text in (README, CALIBRATION):
        assert "between {} and {}".format(*CAP) in text


def test_the_figures_have_their_places() -> None:
    for name in ("detection", "effort", "speed"):
        assert len(re.findall(rf"<!-- figures: {name} -->\n.+?<!-- /figures -->", README, re.DOTALL)) == 1


def test_the_readme_is_short_and_its_picture_wide_enough_to_read() -> None:
    assert len(README.splitlines()) <= 250
    head = (ROOT / "docs/images/report.png").read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">I", head[16:20]) == (1440,)


def test_keys_of_the_output_that_are_named_are_in_the_schema() -> None:
    schema = json.loads((ROOT / "docs/validation.schema.json").read_text(encoding="utf-8"))
    named = re.findall(r"found\.(\w+)", README) + re.findall(r"`(failures)` in\s`validation.json`", TEXTS["running.md"])
    assert set(named) <= set(schema["properties"])
    assert {"verdict", "failures"} <= set(named)
