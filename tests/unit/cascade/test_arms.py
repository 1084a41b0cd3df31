"""Do arms hold the rows that a user would train on, as many each, and none of those that judge?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from unit.cascade.studies import everything, same, settings, studied
from unit.collapse.tables import frame

from foretrain.cascade.problem import Arm, Study, length
from foretrain.cascade.tiers.tier import Run
from foretrain.cascade.tiers.trees import TREES
from foretrain.errors import DataError, SettingsError
from foretrain.settings import CascadeSettings, Effort, ProfileSettings, Settings


def rows_of(arm: Arm) -> np.ndarray:
    return np.concatenate([everything(arm.train), everything(arm.validation)])


def distinct(rows: np.ndarray) -> int:
    return len(np.unique(rows, axis=0))


def shared(a: np.ndarray, b: np.ndarray) -> int:
    """How many rows of the first occur in the second."""
    seen = set(map(tuple, b.tolist()))
    return sum(tuple(row) in seen for row in a.tolist())


def sizes(found: Study) -> set[tuple[int, int]]:
    return {(length(arm.train), length(arm.validation)) for arm in found.arms.values()}


def test_arms_are_as_long_and_their_original_shares_no_row_with_those_that_judge(tmp_path: Path) -> None:
    found = studied(tmp_path, frame(1500, 1), frame(1000), settings("owner"))
    assert list(found.arms) == ["original", "candidate", "child"]
    assert sizes(found) == {(680, 120)}
    assert length(found.held_out) == 200
    held = everything(found.held_out)
    assert shared(held, rows_of(found.arms["original"])) == 0
    assert found.problem.goal == "classification"
    assert found.problem.classes == 2
    assert found.generator == "sequential CART"
    assert any("candidate's 1,500 rows" in note for note in found.notes)
    assert np.array_equal(found.groups, np.arange(200))


def test_without_an_original_there_are_three_generations(tmp_path: Path) -> None:
    found = studied(tmp_path, frame(1000), None, settings("owner"))
    assert list(found.arms) == ["candidate", "child", "grandchild"]
    assert sizes(found) == {(680, 120)}
    assert shared(everything(found.held_out), rows_of(found.arms["candidate"])) == 0


@pytest.mark.parametrize("target", ["owner", "income", None])
def test_neither_order_nor_partitions_nor_columns_order_change_anything(tmp_path: Path, target: str | None) -> None:
    candidate, original = frame(700, 1), frame(600)
    plain = studied(tmp_path / "plain", candidate, original, settings(target))
    assert same(plain, studied(tmp_path / "again", candidate, original, settings(target)))
    shuffled = [side.sample(frac=1, random_state=3)[side.columns[::-1]] for side in (candidate, original)]
    assert same(plain, studied(tmp_path / "shuffled", *shuffled, settings(target)))
    folders = []
    for name, side in (("a", candidate), ("b", original)):
        folders.append(tmp_path / name)
        folders[-1].mkdir()
        side[:123].to_parquet(folders[-1] / "1.parquet")
        side[123:].to_parquet(folders[-1] / "2.parquet")
    assert same(plain, studied(tmp_path / "parts", *folders, settings(target)))
    assert not same(plain, studied(tmp_path / "other", candidate, original, settings(target, seed=1)))


@pytest.mark.parametrize(("effort", "rows"), [(Effort.QUICK, 2000), (Effort.STANDARD, 8000)])
def test_rows_by_effort_or_by_setting(tmp_path: Path, effort: Effort, rows: int) -> None:
    table = pd.DataFrame({"x": np.arange(12_000) % 10_007 + 0.5, "y": np.arange(12_000) % 3})
    for limit in (None, 500):
        wanted = Settings(effort=effort, target="y", cascade=CascadeSettings(rows=limit))
        found = studied(tmp_path / str(limit), table, table, wanted)
        assert {sum(pair) for pair in sizes(found)} == {limit or rows}
        assert length(found.held_out) == 2400


# Duplicates


def label(x: np.ndarray, chance: np.random.Generator) -> pd.DataFrame:
    y = chance.random(len(x)) < 1 / (1 + np.exp(-3 * (x[:, 0] * x[:, 1] + x[:, 2])))
    return pd.DataFrame(x, columns=[f"x{j}" for j in range(x.shape[1])]).assign(y=np.where(y, "yes", "no"))


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    chance = np.random.default_rng(1)
    return label(chance.normal(size=(16_000, 6)), chance)


def trees_loss(found: Study, arm: Arm) -> float:
    tuned = TREES.tune(found.problem, found.arms["original"], 0)
    loss = TREES.fit(found.problem, Run(0, "candidate"), arm, found.held_out, tuned, 0).loss
    assert loss is not None
    return float(loss.mean())


def test_a_small_arm_does_not_hide_duplicates(tmp_path: Path, real: pd.DataFrame) -> None:
    chance = np.random.default_rng(2)
    unique = label(chance.normal(size=(1500, 6)), chance)
    copied = unique.iloc[np.append(np.arange(1500), chance.integers(1500, size=14_500))]
    found = studied(tmp_path / "copies", copied, real, settings("y"))
    drawn = studied(tmp_path / "drawn", copied.sample(2000, random_state=0), real, settings("y"))
    fresh, whole, random = found.arms["original"], found.arms["candidate"], drawn.arms["candidate"]
    shares = [distinct(rows_of(arm)) / 2000 for arm in (whole, random)]
    losses = [trees_loss(found, arm) for arm in (fresh, whole, random)]
    print(f"distinct rows: whole {1500 / 16_000:.3f}, arm {shares[0]:.3f}, random draw {shares[1]:.3f}")
    print(f"loss of boosted trees: original {losses[0]:.3f}, arm {losses[1]:.3f}, random draw {losses[2]:.3f}")
    assert sizes(found) == {(1700, 300)}
    assert shares[0] == pytest.approx(1500 / 16_000, abs=0.01)
    assert shares[1] > 0.4
    assert losses[1] - losses[0] > 3 * (losses[2] - losses[0]) > 0


def test_copies_of_a_row_do_not_stand_on_both_sides(tmp_path: Path) -> None:
    table = frame(300).loc[np.arange(1200) % 300]
    found = studied(tmp_path, frame(900, 1), table, settings("income"))
    held, arm = everything(found.held_out), rows_of(found.arms["original"])
    assert shared(held, arm) == 0
    assert 200 < len(held) < 280
    assert distinct(held) == len(held) // 4
    assert len(np.unique(found.groups)) == distinct(held)
    # a user who trains on duplicates has them on both sides: there they must show
    original = found.arms["original"]
    assert shared(everything(original.validation), everything(original.train)) > 0.9 * length(original.validation)


def test_a_row_with_very_many_copies_gets_its_share(tmp_path: Path, real: pd.DataFrame) -> None:
    candidate = pd.concat([real[:11_200], real[:1].loc[np.zeros(4800, int)]])
    rows = rows_of(studied(tmp_path, candidate, real, settings("y")).arms["candidate"])
    counts = np.unique(rows, axis=0, return_counts=True)[1]
    assert counts.max() == pytest.approx(0.3 * 2000, abs=1)
    assert distinct(rows) == 1401


def test_rows_that_differ_in_identifiers_only_are_copies(tmp_path: Path) -> None:
    original, candidate = frame(900), frame(90, 1).loc[np.arange(900) % 90].reset_index(drop=True)
    for side in (original, candidate):
        side["id"] = [f"row-{k:05d}" for k in range(900)]
    found = studied(tmp_path, candidate, original, settings("owner", rows=300))
    assert distinct(rows_of(found.arms["candidate"])) == 30
    assert any("identifiers: id" in note for note in found.notes)
    assert found.problem.levels == (4,)


def passengers(rows: int, seed: int, ages: int) -> pd.DataFrame:
    """Columns of few values, as the passengers of the Titanic: rows repeat, and are no copies."""
    chance = np.random.default_rng(seed)
    rank, sex = chance.choice(["1st", "2nd", "3rd", "crew"], rows), chance.choice(["f", "m"], rows, p=[0.3, 0.7])
    lived = np.where(chance.random(rows) < np.where(sex == "f", 0.7, 0.2), "yes", "no")
    return pd.DataFrame({"rank": rank, "sex": sex, "age": chance.integers(ages, size=rows), "lived": lived})


def test_rows_that_repeat_by_nature_are_drawn_one_by_one(tmp_path: Path) -> None:
    found = studied(tmp_path, passengers(9000, 1, 2), passengers(9000, 2, 2), settings("lived"))
    assert any("hold few values" in note for note in found.notes)
    for rows in (everything(found.held_out), *(rows_of(found.arms[name]) for name in ("original", "candidate"))):
        assert distinct(rows) >= 30  # with all their copies there would be eight
    assert len(np.unique(found.groups)) == length(found.held_out)
    loss = trees_loss(found, found.arms["candidate"]) - trees_loss(found, found.arms["original"])
    assert loss == pytest.approx(0.0, abs=0.01)


def test_copies_beside_rows_that_repeat_by_nature_are_seen(tmp_path: Path) -> None:
    original, candidate = passengers(9000, 2, 80), passengers(300, 1, 80)
    arm = studied(tmp_path, candidate.loc[np.arange(9000) % 300], original, settings("lived")).arms["candidate"]
    assert distinct(rows_of(arm)) == pytest.approx(2000 * len(candidate.drop_duplicates()) / 9000, abs=8)


def test_held_out_rows_in_the_candidate_stay_there_and_are_counted(tmp_path: Path) -> None:
    original = frame(1000)
    found = studied(tmp_path, pd.concat([original[:500], frame(500, 1)]), original, settings("owner"))
    both = shared(everything(found.held_out), rows_of(found.arms["candidate"]))
    assert 50 < both <= 100
    noted = next(int(note.split()[0]) for note in found.notes if "held-out rows are in the candidate" in note)
    assert both <= noted < 1.6 * both


def test_a_sample_of_a_larger_dataset_keeps_its_share_of_copies(tmp_path: Path, real: pd.DataFrame) -> None:
    wanted = Settings(target="y", profile=ProfileSettings(sample_rows=1000), cascade=CascadeSettings(rows=600))
    found = studied(tmp_path, real[:4000].loc[np.arange(12_000) % 4000], real, wanted)
    assert distinct(rows_of(found.arms["candidate"])) == 200
    assert distinct(rows_of(found.arms["original"])) == 600


# What cannot be learned, and what is unusual


def test_a_hundred_rows_are_enough_and_fewer_are_refused(tmp_path: Path) -> None:
    found = studied(tmp_path, frame(100, 1), frame(100), settings("owner"))
    assert length(found.held_out) == 50
    assert sizes(found) == {(42, 8)}
    for rows in (99, 49):
        sides = (frame(200, 1), frame(rows)) if rows == 99 else (frame(rows, 1), frame(200))
        with pytest.raises(DataError, match=f"expected at least {rows + 1} rows to train models on, found {rows}"):
            studied(tmp_path / str(rows), *sides, settings("owner"))


@pytest.mark.parametrize(
    ("values", "message"),
    [("yes", "expected at least two classes"), (7, "expected at least two classes"), (1.5, "a target that varies")],
)
def test_a_target_of_one_value_is_refused_in_the_original(tmp_path: Path, values: Any, message: str) -> None:
    candidate, original = frame(300, 1).drop(columns="owner"), frame(300).drop(columns="owner")
    original["y"], candidate["y"] = values, [*[values] * 299, *[8 if values == 7 else values]]
    with pytest.raises(DataError, match=message):
        studied(tmp_path, candidate, original, settings("y"))


@pytest.mark.parametrize("target", ["owner", "income"])
def test_a_target_of_one_value_in_the_candidate_is_studied(tmp_path: Path, target: str) -> None:
    candidate = frame(300, 1)
    candidate[target] = candidate[target].iloc[0]
    found = studied(tmp_path, candidate, frame(300), settings(target))
    assert len(np.unique(found.arms["candidate"].train["goal"])) == 1
    assert len(np.unique(found.arms["original"].train["goal"])) > 1


def test_classes_that_the_original_lacks_are_left_out_and_arms_stay_as_long(tmp_path: Path) -> None:
    candidate, original = frame(400, 1), frame(400)
    candidate.loc[:99, "owner"] = "maybe"
    found = studied(tmp_path, candidate, original, settings("owner"))
    assert found.problem.classes == 2
    assert sizes(found) == {(255, 45)}
    assert any(note.startswith("100 rows whose class is not among the first arm's 2") for note in found.notes)


def test_rows_without_a_target_are_left_out(tmp_path: Path) -> None:
    original = frame(400)
    original.loc[:99, "income"] = np.nan
    original.loc[100, "income"] = np.inf
    found = studied(tmp_path, frame(400, 1), original, settings("income"))
    assert sizes(found) == {(204, 36)}
    assert length(found.held_out) == 59


def test_missing_values_and_unseen_categories(tmp_path: Path) -> None:
    candidate, original = frame(400, 1), frame(400)
    candidate["city"] = candidate["city"].replace("Bern", "Zug")
    candidate["spent"] = np.nan
    original.loc[:199, "city"] = None
    found = studied(tmp_path, candidate, original, settings("owner"))
    made, first = found.arms["candidate"].train, found.arms["original"].train
    assert found.problem.levels == (4,)
    assert (made["codes"] == 0).mean() == pytest.approx(0.5, abs=0.1)
    assert (first["codes"] == 0).mean() == pytest.approx(0.5, abs=0.1)
    assert made["nulls"].mean(axis=0).max() == 1.0
    assert not made["numbers"][made["nulls"] == 1].any()
    assert np.isfinite(everything(made)).all()


@pytest.mark.parametrize("target", [None, "when", "flag", "size", "many", "huge"])
@pytest.mark.parametrize("alone", [False, True])
def test_columns_of_every_kind_become_finite_numbers(tmp_path: Path, target: str | None, alone: bool) -> None:
    def table(seed: int) -> pd.DataFrame:
        chance, n = np.random.default_rng(seed), 260
        zero = np.where(chance.random(n) < 0.95, 0, chance.normal(size=n))
        return frame(n, seed).assign(
            when=pd.Timestamp("2020-01-01") + pd.to_timedelta(chance.integers(0, 1000, n), unit="D"),
            flag=chance.random(n) < 0.3,
            const=1.0,
            zero=zero,
            huge=chance.normal(size=n) * 1e200,
            vector=list(chance.normal(size=(n, 5)).astype(np.float32)),
            size=pd.Categorical(chance.choice(["s", "m", "l"], n), ["s", "m", "l"], ordered=True),
            many=[f"c{k}" for k in chance.integers(0, 100, n)],
        )

    found = studied(tmp_path, table(1), None if alone else table(2), settings(target))
    for rows in (found.held_out, *(side for arm in found.arms.values() for side in (arm.train, arm.validation))):
        made = everything(rows)
        assert np.isfinite(made).all()
        assert np.abs(rows["numbers"]).max() <= 6
    assert found.problem.numbers == 13 - (target in ("when", "size", "huge"))
    fewest, most = {"flag": (2, 2), "many": (40, 64)}.get(str(target), (0, 0))
    assert fewest <= found.problem.classes <= most
    assert np.isfinite(found.guess)


def test_a_single_column_is_filled_in_from_nothing(tmp_path: Path) -> None:
    found = studied(tmp_path, frame(300, 1)[["income"]], frame(300)[["income"]])
    assert found.problem.goal == "masked columns"
    assert found.held_out["masked"].all()
    assert found.guess == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("columns", [["id"], ["id", "owner"]])
def test_identifiers_alone_are_refused(tmp_path: Path, columns: list[str]) -> None:
    sides = [frame(300, seed).assign(id=[f"row-{k:05d}" for k in range(300)])[columns] for seed in (1, 0)]
    with pytest.raises(DataError, match="expected at least one column to learn from"):
        studied(tmp_path, *sides, settings("owner" if "owner" in columns else None))


def test_each_column_is_asked_about_as_often(tmp_path: Path) -> None:
    found = studied(tmp_path, frame(600, 1), frame(600))
    masked = found.held_out["masked"]
    assert (masked.sum(axis=1) == 1).all()
    asked = masked.sum(axis=0)
    assert (asked > 0).sum() == 4
    assert asked[asked > 0].min() > 0.9 * asked.max()
    assert np.bincount(found.groups).max() == 4
    assert found.judges == 120  # each row is asked about four times, or where a value is null three, and counts once
    assert 460 < length(found.held_out) <= 480


def test_a_text_target_is_an_input(tmp_path: Path) -> None:
    texts = [f"{'good' if k % 3 else 'bad'} word{k} and some {k * 7}" for k in range(300)]
    sides = [frame(300, seed).assign(said=texts) for seed in (1, 0)]
    found = studied(tmp_path, *sides, settings("said", kinds={"said": "text"}))
    assert found.problem.goal == "masked columns"
    assert found.problem.numbers == 3 + 10
    assert any("predicts text" in note for note in found.notes)


# Texts and images


def words(rows: int, seed: int) -> list[str]:
    chance = np.random.default_rng(seed)
    stock = ["the", "cat", "dog", "sees", "hears", "a", "small", "big", "house", "naïve"]
    return [" ".join(chance.choice(stock, chance.integers(3, 12))) for _ in range(rows)]


def test_texts_become_bytes(tmp_path: Path) -> None:
    sides = [pd.DataFrame({"note": ["x"] * 300, "text": words(300, seed)}) for seed in (1, 0)]
    found = studied(tmp_path, *sides, settings(kinds={"text": "text", "note": "text"}))
    assert found.problem.goal == "next byte"
    assert any("the longest, 'text'" in note for note in found.notes)
    known = {word.encode() for text in words(300, 0) for word in text.split()}
    (t,) = found.problem.shape
    assert 40 < t < 90
    row = next(row for row in found.held_out["tokens"] if row[-1] == 0)
    assert {*(row[row > 0] - 1).astype(np.uint8).tobytes().split()} <= known
    made = found.arms["child"].train["tokens"]
    assert made.shape == (204, t)
    assert made.max() <= 256


def test_a_text_with_a_target_is_a_table_unless_asked(tmp_path: Path) -> None:
    sides = [frame(300, seed).assign(said=words(300, seed)) for seed in (1, 0)]
    kinds = {"said": "text"}
    assert studied(tmp_path / "a", *sides, settings("owner", kinds=kinds)).problem.data == "table"
    assert studied(tmp_path / "b", *sides, settings("owner", kinds=kinds, data="text")).problem.data == "text"
    with pytest.raises(DataError, match="expected a text column"):
        studied(tmp_path / "c", *[side[["age", "city"]] for side in sides], settings(data="text"))
    with pytest.raises(SettingsError, match="copula makes no texts"):
        studied(tmp_path / "d", *sides, settings(kinds=kinds, generator="copula"))
    with pytest.raises(SettingsError, match="bytes makes no tables"):
        studied(tmp_path / "e", *sides, settings("owner", kinds=kinds, generator="bytes"))


def digits(at: slice) -> pd.DataFrame:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    rows = pd.DataFrame({"pixels": list(bunch.data[at].astype(np.float32)), "digit": bunch.target[at]})
    return rows.assign(ink=bunch.data[at].sum(axis=1))


@pytest.mark.parametrize(
    ("target", "goal"), [("digit", "classification"), ("ink", "regression"), (None, "masked pixels")]
)
def test_images_of_one_channel(tmp_path: Path, target: str | None, goal: str) -> None:
    columns = ["pixels", target] if target else ["pixels"]
    sides = [digits(at)[columns] for at in (slice(0, 800), slice(800, 1700))]
    found = studied(tmp_path, *sides, settings(target))
    assert (found.problem.data, found.problem.goal, found.problem.shape) == ("image", goal, (1, 8, 8))
    pixels = found.arms["original"].train["pixels"]
    assert pixels.shape[1:] == (1, 8, 8)
    assert pixels.std() == pytest.approx(1.0, abs=0.02)
    # the corners of the drawings are empty, their middle is not
    assert pixels[:, 0, :, 0].mean() < -0.5 < 0.5 < pixels[:, 0, 3:5, 3:5].mean()
    made = found.arms["child"].train["pixels"]
    assert made.mean(axis=0) == pytest.approx(pixels.mean(axis=0), abs=0.35)
    if target is None:
        hidden = found.held_out["hidden"]
        assert hidden.shape[1:] == (8, 8)
        assert set(hidden.sum(axis=(1, 2)).tolist()) == {8.0}


def test_colour_images_and_what_is_none(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    coarse = chance.normal(size=(300, 3, 4, 4)).repeat(3, axis=2).repeat(3, axis=3)
    smooth = (coarse + np.roll(coarse, 1, 2) + np.roll(coarse, 1, 3) + np.roll(coarse, (1, 1), (2, 3)))[:, :, :8, :8]
    walk = np.cumsum(chance.normal(size=(300, 200)), axis=1)
    walk = np.stack([np.convolve(row, np.ones(10), "valid")[:192] for row in np.diff(walk, 20)])
    shapes = {}
    for name, values in {
        "first": smooth.reshape(300, -1),
        "last": smooth.transpose(0, 2, 3, 1).reshape(300, -1),
        "noise": chance.normal(size=(300, 192)),
        "series": walk[:, :64],
    }.items():
        table = pd.DataFrame({"v": list(values.astype(np.float32))})
        found = studied(tmp_path / name, table[:150], table[150:])
        shapes[name] = found.problem.shape
        if name in ("first", "last"):
            pixels = rows_of(found.arms["original"]).reshape(-1, 3, 8, 8)
            known = smooth[150:].transpose(1, 0, 2, 3)
            known = (known - known.mean((1, 2, 3), keepdims=True)) / known.std((1, 2, 3), keepdims=True)
            known = known.transpose(1, 0, 2, 3).reshape(150, -1)
            nearest = ((pixels.reshape(len(pixels), 1, -1) - known[None]) ** 2).mean(-1).min(1)
            assert nearest.max() < 0.1
    assert shapes == {"first": (3, 8, 8), "last": (3, 8, 8), "noise": (), "series": ()}
    table = pd.DataFrame({"v": list(walk[:, :64].astype(np.float32)), "w": list(walk[:, :50].astype(np.float32))})
    assert studied(tmp_path / "asked", table[:150], table[150:], settings(data="image")).problem.shape == (1, 8, 8)
    with pytest.raises(DataError, match="expected a column of images"):
        studied(tmp_path / "none", table[["w"]][:150], table[["w"]][150:], settings(data="image"))
