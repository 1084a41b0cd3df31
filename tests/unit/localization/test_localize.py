"""Are planted rows found, good ones left alone, and is the answer the same however the table is stored?"""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import average_precision_score
from unit.collapse.tables import profiled

from foretrain.checkpoint import LocalFolder
from foretrain.localization import Localization, localize
from foretrain.localization.record import Mechanism
from foretrain.settings import LocalizationSettings, Settings

ROWS = 400
SETTINGS = Settings(target="owner")


def frame(seed: int, rows: int = ROWS) -> pd.DataFrame:
    """Numbers that go together, a category, a label that follows from them."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    income = 1000 + 50 * age + rng.normal(0, 60, rows)
    city = np.where(age < 40, "Bern", np.where(age < 65, "Genf", "Basel"))
    owner = np.where(income + rng.normal(0, 60, rows) > 3600, "yes", "no")
    return pd.DataFrame({"age": age, "income": income, "spent": rng.gamma(2, 100, rows), "city": city, "owner": owner})


def found(root: Path, candidate: Any, original: Any = None, settings: Settings = SETTINGS) -> Localization:
    return localize(*profiled(root, candidate, original, settings), settings, LocalFolder(root / "localization"))


def planted() -> tuple[pd.DataFrame, dict[Mechanism, list[int]]]:
    rows = frame(1)
    at: dict[Mechanism, list[int]] = {
        "out_of_range": list(range(10, 18)),
        "copy": list(range(40, 60)),
        "unlikely_target": list(range(100, 120)),
        "unlikely_combination": list(range(200, 215)),
    }
    rows.loc[at["out_of_range"], "spent"] = 9e5
    rows.loc[at["copy"]] = rows.loc[[39] * 20].to_numpy()
    wrong = rows.index.isin(at["unlikely_target"])
    rows.loc[wrong, "owner"] = np.where(rows.loc[wrong, "owner"] == "yes", "no", "yes")
    rows.loc[at["unlikely_combination"], "age"] = 107 - rows.loc[at["unlikely_combination"], "age"]
    return rows.astype(frame(1).dtypes.to_dict()), at


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> tuple[Localization, dict[Mechanism, list[int]]]:
    rows, at = planted()
    return found(tmp_path_factory.mktemp("case"), rows, frame(0)), at


def test_planted_rows_are_found_with_their_mechanism(case: tuple[Localization, dict[Mechanism, list[int]]]) -> None:
    said, at = case
    table = pq.read_table(said.table).to_pandas()
    assert sorted(table.row) == list(range(ROWS))
    assert table.confidence.is_monotonic_decreasing
    assert np.array_equal(table.confidence, table[["looks_synthetic", "does_harm"]].max(axis=1))
    assert (table.looks_synthetic[table.row.isin(at["copy"])] > table.does_harm[table.row.isin(at["copy"])]).all()
    harmful = table.row.isin(at["out_of_range"])
    assert (table.does_harm[harmful] > table.looks_synthetic[harmful]).all()
    bad = table.row.isin(list(chain(*at.values())))
    assert average_precision_score(bad, table.confidence) > 0.85
    assert said.abstained is None
    assert said.flagged_rows[:1] == (said.top[0].row,)
    by_row = {row.row: row for row in said.top}
    for mechanism, rows in at.items():
        named = [by_row[row].mechanism for row in rows if row in by_row]
        assert len(named) >= (2 if mechanism == "unlikely_combination" else len(rows) / 3), mechanism
        if mechanism != "unlikely_combination":
            assert named.count(mechanism) > 0.7 * len(named), mechanism
    assert set(said.by_mechanism) >= {"out_of_range", "copy"}


def test_sentences_groups_and_importance_say_why(case: tuple[Localization, dict[Mechanism, list[int]]]) -> None:
    said, at = case
    by_row = {row.row: row for row in said.top}
    assert by_row[45].sentence == "21 rows share this exact combination of values."
    assert by_row[12].sentence.startswith("spent is 900000, ")
    assert [blame.column for blame in by_row[12].columns] == ["spent"]
    copied = next(group for group in said.groups if group.mechanism == "copy")
    assert (copied.rows, copied.sentence) == (21, "21 copies of one row.")
    assert [group.rows for group in said.groups] == sorted((group.rows for group in said.groups), reverse=True)
    assert sum(group.rows for group in said.groups) == said.flagged == sum(said.by_mechanism.values())
    assert sum(part.share for part in said.importance) == pytest.approx(1)
    assert said.flagged_of_original is not None
    assert said.flagged_of_original < 0.04
    assert abs(said.expected_bad - sum(map(len, at.values()))) < 35
    assert Localization.model_validate_json(said.model_dump_json()) == said


def test_on_a_fresh_sample_it_abstains_and_says_so(tmp_path: Path) -> None:
    for seed in range(2, 6):
        said = found(tmp_path / str(seed), frame(seed), frame(0))
        assert said.abstained is not None, seed
        assert (said.flagged, said.flagged_rows, said.top, said.groups) == (0, (), (), ())
        assert said.auc == pytest.approx(0.5, abs=0.06)
        assert "area under the ROC curve 0." in said.abstained


def test_row_numbers_and_confidence_do_not_depend_on_parts_or_on_the_order_of_columns(tmp_path: Path) -> None:
    rows, _ = planted()
    parts = tmp_path / "parts"
    parts.mkdir()
    for k in range(4):
        rows[100 * k : 100 * (k + 1)].to_parquet(parts / f"part-{k}.parquet", index=False)
    mixed = rows[["owner", "spent", "age", "city", "income"]]
    tables = [
        pq.read_table(found(tmp_path / name, source, frame(0)).table).to_pandas()
        for name, source in (("whole", rows), ("parted", str(parts)), ("mixed", mixed))
    ]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other)


def test_the_order_of_rows_moves_the_numbers_and_nothing_else(tmp_path: Path) -> None:
    rows, _ = planted()
    here = pq.read_table(found(tmp_path / "here", rows, frame(0)).table).to_pandas()
    there = pq.read_table(found(tmp_path / "there", rows[::-1].reset_index(drop=True), frame(0)).table).to_pandas()
    there["row"] = ROWS - 1 - there.row
    assert np.allclose(here.sort_values("row").confidence, there.sort_values("row").confidence)


def test_without_an_original_only_copies_can_be_told(tmp_path: Path) -> None:
    rows, at = planted()
    said = found(tmp_path, rows)
    assert set(said.by_mechanism) == {"copy"}
    assert set(said.flagged_rows) == {39, *at["copy"]}
    assert (said.auc, said.flagged_of_original) == (None, None)
    assert any("Without an original" in note for note in said.notes)


def test_rows_of_the_original_are_called_copies_of_it(tmp_path: Path) -> None:
    original, rows = frame(0), frame(1)
    rows[:40] = original[:40]
    said = found(tmp_path, rows.astype(original.dtypes.to_dict()), original)
    assert set(said.flagged_rows) >= set(range(40))
    assert said.groups[0].sentence == "Rows that occur exactly so in the original."


def odd(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    """The rows with a column that is hard to read, or without any that can be."""
    match what:
        case "nearly empty":
            return rows.assign(nothing=np.where(rows.index == 3, 1.5, np.nan))
        case "constant":
            return rows.assign(always="same", one=1)
        case "text":
            words = ["a short note", "a rather longer note of many words, as people write", "note"]
            return rows.assign(note=[f"{words[k % 3]} number {k}" for k in range(len(rows))])
        case "gaps":
            return rows.mask(np.random.default_rng(1).random(rows.shape) < 0.2)
        case "infinite":
            return rows.assign(income=rows.income.where(rows.index % 50 != 0, np.inf))
        case "few":
            return rows[:12]
        case "one column":
            return rows[["spent"]]
        case _:
            return rows[["city"]]


@pytest.mark.parametrize(
    "what", ["nearly empty", "constant", "text", "gaps", "infinite", "few", "one column", "one category"]
)
def test_odd_tables_are_read_and_not_flagged_without_a_cause(what: str, tmp_path: Path) -> None:
    settings = Settings()
    said = found(tmp_path, odd(frame(1), what), odd(frame(0), what), settings)
    assert said.flagged <= 2
    assert said.table_rows == said.rows
    json.loads(said.model_dump_json())


def test_a_column_that_is_gone_is_out_of_range_in_every_row(tmp_path: Path) -> None:
    said = found(tmp_path, frame(1).assign(spent=np.nan), frame(0))
    assert said.flagged == ROWS
    assert said.by_mechanism == {"out_of_range": ROWS}
    assert said.top[0].sentence.startswith("spent is missing, ")
    assert said.importance[0].column == "spent"


def test_the_threshold_is_the_users(tmp_path: Path) -> None:
    rows, _ = planted()
    counts = [
        found(tmp_path / str(at), rows, frame(0), Settings(localization=LocalizationSettings(flag_at=at))).flagged
        for at in (0.9, 0.2)
    ]
    assert 0 < counts[0] < counts[1]


def test_large_tables_are_scored_whole_from_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings.model_validate({"profile": {"sample_rows": 1000}, "target": "owner"})
    monkeypatch.setattr("foretrain.localization.stage.BATCH_ROWS", 1024)
    rows = frame(1, 4000)
    rows.loc[3990:, "spent"] = 9e5
    said = found(tmp_path, rows, frame(0, 4000), settings)
    assert set(said.flagged_rows[:10]) == set(range(3990, 4000))
    assert said.flagged < 40
    assert any("sample" in note for note in said.notes)
