"""Do settings come from the right place, and does a wrong one get one helpful line?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretrain.errors import SettingsError
from foretrain.settings import Effort, Settings, effective, leaves, variable


def toml(folder: Path, text: str) -> Path:
    file = folder / "foretrain.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_nothing_set_is_the_default() -> None:
    found = effective(environment={"PATH": "/bin"})
    assert (found.settings, found.origins) == (Settings(), {})


def test_arguments_before_environment_before_file(tmp_path: Path) -> None:
    file = toml(tmp_path, "seed = 1\neffort = 'quick'\ntarget = 'a'\n[profile]\nsample_rows = 2000\nquantile_k = 100\n")
    environment = {"FORETRAIN_SEED": "2", "FORETRAIN_EFFORT": "thorough", "FORETRAIN_PROFILE__SAMPLE_ROWS": "3000"}
    found = effective(file, {"seed": 3, "target": None}, environment)
    assert (found.settings.seed, found.settings.effort, found.settings.target) == (3, Effort.THOROUGH, "a")
    assert (found.settings.profile.sample_rows, found.settings.profile.quantile_k) == (3000, 100)
    assert found.origins == {
        "seed": "argument",
        "effort": "environment",
        "target": "file",
        "profile.sample_rows": "environment",
        "profile.quantile_k": "file",
    }


def test_a_table_of_settings_is_json_in_the_environment() -> None:
    found = effective(environment={"FORETRAIN_DATA__KINDS": '{"Zip Code": "categorical"}'})
    assert found.settings.data.kinds == {"Zip Code": "categorical"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("sede = 1", "there is no setting sede. Did you mean seed?"),
        ("[profile]\nsample_row = 1", "no setting profile.sample_row. Did you mean profile.sample_rows?"),
        ("sample_rows = 1", "no setting sample_rows. Did you mean profile.sample_rows?"),
        ("[verdict]\nzzzzz = 1", "no setting verdict.zzzzz. There is verdict.reject_at, verdict.review_at"),
        ("profile = 3", "profile is a section, not a setting"),
        ("seed = -1", "setting seed: Input should be greater than or equal to 0, not -1"),
        ("effort = 'slow'", "setting effort: Input should be 'quick', 'standard' or 'thorough', not 'slow'"),
        ("[data.kinds]\nage = 'nummeric'", "setting data.kinds.age: Input should be 'numeric'"),
        ("seed = ", "the configuration is not TOML"),
    ],
)
def test_a_wrong_file_gets_one_line_that_names_it(tmp_path: Path, text: str, line: str) -> None:
    file = toml(tmp_path, text)
    with pytest.raises(SettingsError) as wrong:
        effective(file, environment={})
    assert line in str(wrong.value)
    assert str(wrong.value).startswith(str(file))
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("FORETRAIN_SEDE", "1", "there is no setting FORETRAIN_SEDE. Did you mean FORETRAIN_SEED?"),
        ("FORETRAIN_SAMPLE_ROWS", "1", "Did you mean FORETRAIN_PROFILE__SAMPLE_ROWS?"),
        ("FORETRAIN_SEED", "many", "FORETRAIN_SEED: setting seed: Input should be a valid integer"),
        ("FORETRAIN_DATA__KINDS", "{", "FORETRAIN_DATA__KINDS: expected a JSON object"),
    ],
)
def test_a_wrong_variable_gets_one_line_that_names_it(name: str, value: str, line: str) -> None:
    with pytest.raises(SettingsError) as wrong:
        effective(environment={name: value})
    assert line in str(wrong.value)


def test_a_missing_file_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        effective(tmp_path / "none.toml", environment={})


def test_every_setting_has_a_sentence_and_a_variable_of_its_own() -> None:
    found = dict(leaves())
    assert {"seed", "data.kinds", "verdict.reject_at"} <= set(found)
    assert [name for name, field in found.items() if not (field.description or "").endswith(".")] == []
    assert len({variable(name) for name in found}) == len(found)


def test_settings_survive_json() -> None:
    changed = Settings(seed=5, effort=Effort.QUICK, target="ü")
    assert Settings.model_validate_json(changed.model_dump_json()) == changed


@given(names=st.sets(st.sampled_from(sorted(Settings.model_fields))))
def test_a_stage_sees_only_what_it_reads(names: set[str]) -> None:
    changed = Settings.model_validate(
        {
            "seed": 1,
            "effort": "quick",
            "target": "t",
            "time_column": "c",
            "checkpoints": "p",
            "data": {"format": "csv"},
            "profile": {"sample_rows": 5000},
            "diversity": {"encoder": "m"},
            "signatures": {"record": True},
            "prescreen": {"skip_above": 1.0},
            "cascade": {"mode": "off"},
            "dispatch": {"pool": None},
            "verdict": {"review_at": 0.1},
            "localization": {"flag_at": 0.9},
            "recommendations": {"trials": 3},
        }
    )
    seen, default = changed.only(tuple(names)), Settings()
    for name in Settings.model_fields:
        assert getattr(seen, name) == getattr(changed if name in names else default, name)
        assert getattr(changed, name) != getattr(default, name)
