"""Does each fix do what it says, on a sample and on a stream alike?"""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.recommendations.scenes import duplicated, frames, loaded, mixed, scene_of

from foretrain.errors import SettingsError
from foretrain.localization.copies import hashes
from foretrain.recommendations import scene as scenes
from foretrain.recommendations.apply import to_dataset, to_sample
from foretrain.recommendations.edit import Edit, Rows
from foretrain.recommendations.fixes import FIXES, Fix, action, restored
from foretrain.recommendations.fixes.deduplicate import Deduplicate
from foretrain.recommendations.fixes.drop_flagged import DropFlagged
from foretrain.recommendations.fixes.match_marginals import MatchMarginals
from foretrain.recommendations.fixes.mix_original import Accumulate, Collect, MixOriginal, best_weight
from foretrain.recommendations.fixes.regenerate import Regenerate
from foretrain.recommendations.fixes.relabel import Relabel
from foretrain.recommendations.fixes.resample import Resample
from foretrain.recommendations.fixes.restore_correlation import RestoreCorrelation
from foretrain.recommendations.fixes.restore_lost import RestoreLost
from foretrain.recommendations.record import Action
from foretrain.recommendations.scene import Scene

EVERY: dict[str, Fix] = {
    "deduplicate": Deduplicate(),
    "drop-flagged": DropFlagged(at=0.5),
    "relabel": Relabel(at=0.5),
    "restore-correlation": RestoreCorrelation(column="income", given=("age", "city")),
    "match-marginals": MatchMarginals(columns=("age", "income")),
    "resample": Resample(),
    "restore-lost": RestoreLost(categories=(("city", "Chur"),), tails=("income",)),
    "mix-original": MixOriginal(share=0.25, weighted=True),
    "accumulate": Accumulate(),
    "collect": Collect(rows=40),
    "regenerate": Regenerate(generator="trees"),
}
FLAGGED = {3: (0.99, "copy"), 10: (0.6, "unlikely_target"), 11: (0.95, "unlikely_target"), 40: (0.3, "copy")}


def damaged(rows: int = 300) -> pd.DataFrame:
    made = duplicated(mixed(rows, 1), 0.2, 2)
    made = made[made["city"] != "Chur"].reset_index(drop=True)
    return made.assign(income=made["income"].clip(upper=made["income"].quantile(0.8)))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scene_of(tmp_path_factory.mktemp("scene"), damaged(), mixed(400, 3), target="label", flagged=FLAGGED)


def applied(fix: Fix, scene: Scene) -> pd.DataFrame:
    return to_sample([fix.fit(scene)], scene).table.to_pandas()


def test_every_fix_is_known_and_comes_back_from_its_action() -> None:
    assert set(EVERY) == set(FIXES)
    for fix in EVERY.values():
        again = restored(Action.model_validate_json(action(fix).model_dump_json()))
        assert again == fix
        assert fix.title
        assert fix.does.endswith(".")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (Action(fix="pray"), "there is no fix pray. There are deduplicate"),
        (Action(fix="drop-flagged", parameters={"at": 2}), "fix drop-flagged: parameter at: "),
        (Action(fix="drop-flagged", parameters={"at": 0.5, "of": 1}), "parameter of: "),
    ],
)
def test_a_wrong_action_gets_one_line(given: Action, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        restored(given)


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 240), max_size=4), name=st.sampled_from(sorted(EVERY)))
def test_rows_come_out_the_same_however_they_are_cut_into_batches(scene: Scene, cuts: list[int], name: str) -> None:
    change = EVERY[name].fit(scene).change
    if change is None:
        return
    whole = scene.candidate
    ends = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    parts = [change(Rows(whole.table[a:b], whole.place[a:b])).table for a, b in pairwise(ends) if b > a]
    assert pa.concat_tables(parts).combine_chunks().equals(change(whole).table.combine_chunks())


@pytest.mark.parametrize("name", sorted(EVERY))
def test_a_small_dataset_is_mended_as_its_sample_was(name: str, tmp_path: Path) -> None:
    made, real = loaded(tmp_path, damaged(), mixed(400, 3))
    whole = scene_of(tmp_path, damaged(), mixed(400, 3), target="label", flagged=FLAGGED)
    edit = EVERY[name].fit(whole)
    streamed = pa.concat_tables(to_dataset([edit], whole, made, real))
    sampled = to_sample([edit], whole)
    assert streamed.num_rows == sampled.table.num_rows == sampled.rows
    assert np.array_equal(*(np.sort(hashes(t, whole.columns)) for t in (streamed, sampled.table)))


@pytest.mark.parametrize("name", sorted(EVERY))
def test_what_is_said_of_the_result_is_so(name: str, scene: Scene) -> None:
    made = to_sample([EVERY[name].fit(scene)], scene)
    real = set(hashes(scene.donors, scene.columns).tolist())
    held = set(hashes(scene.held, scene.columns).tolist())
    found = hashes(made.table, scene.columns)
    before = set(scene.contents.tolist())
    assert made.rows == made.table.num_rows
    if name != "regenerate":
        assert sum(int(h) in real - before for h in found) == made.real_rows
        assert made.rows_lost == len(scene.candidate) - (made.rows - made.real_rows)
    assert not {int(h) for h in found} & (held - real - before)


def test_donors_and_the_others_share_no_row_in_whatever_order_they_come(tmp_path: Path) -> None:
    original = duplicated(mixed(300, 5), 0.3, 6)
    one = scene_of(tmp_path / "a", mixed(50, 1), original)
    assert 0.35 < one.donors.num_rows / 300 < 0.65
    assert one.donors.num_rows == one.donor_rows
    a, b = (set(hashes(t, one.columns).tolist()) for t in (one.donors, one.held))
    assert not a & b


def test_a_sample_keeps_the_copies_of_a_row_together(tmp_path: Path) -> None:
    made = duplicated(mixed(2000, 1), 0.5, 2)
    some = scene_of(tmp_path, made, mixed(300, 3), most=400)
    assert 250 < len(some.candidate) < 600
    times = pd.Series(some.contents).value_counts()
    drawn = pd.Series(hashes(some.candidate.table, some.columns)).value_counts()
    assert (drawn == times[drawn.index]).all()
    assert np.array_equal(some.contents[some.candidate.place], hashes(some.candidate.table, some.columns))


def test_the_held_rows_of_an_original_have_donors_of_their_own(tmp_path: Path) -> None:
    first = scene_of(tmp_path / "a", mixed(50, 1), mixed(400, 3))
    second = scene_of(tmp_path / "b", mixed(50, 1), first.held.to_pandas())
    assert 0.3 < second.donors.num_rows / first.held.num_rows < 0.7


def test_repeated_rows_go_and_those_of_the_original_stay(tmp_path: Path) -> None:
    row = mixed(1, 9)
    original = frames([mixed(90, 3), *[row] * 10])  # a tenth of all rows is this one
    made = duplicated(mixed(150, 1), 0.4, 2)
    made = frames([made, *[row] * 50])
    left = applied(Deduplicate(), scene_of(tmp_path, made, original))
    again = left.merge(row, how="inner", on=list(row.columns))
    assert len(again) == 20  # a tenth of the 200 rows
    others = left.drop(again.index, errors="ignore")
    assert len(left) - len(again) == len(made.iloc[:150].drop_duplicates())
    assert len(others)


def test_flagged_rows_go_by_confidence_and_mechanism(scene: Scene) -> None:
    for fix, gone in (
        (DropFlagged(at=0.5), {3, 10, 11}),
        (DropFlagged(at=0.9), {3, 11}),
        (DropFlagged(at=0.2, mechanisms=("copy",)), {3, 40}),
    ):
        change = fix.fit(scene).change
        assert change is not None
        assert set(scene.candidate.place) - set(change(scene.candidate).place) == gone


def test_wrong_targets_are_put_right(tmp_path: Path) -> None:
    made = mixed(200, 1).assign(label=lambda t: t["income"] > 8000)
    original = mixed(600, 3).assign(label=lambda t: t["income"] > 8000)
    wrong = np.flatnonzero(np.abs(np.log(made["income"] / 8000)) > 0.3)[:20]
    bad = made.copy()
    bad.loc[wrong, "label"] = ~bad.loc[wrong, "label"]
    flagged = {int(place): (0.9, "unlikely_target") for place in wrong}
    found = applied(Relabel(at=0.5), scene_of(tmp_path, bad, original, target="label", flagged=flagged))
    assert (found["label"] == made["label"]).all()


@pytest.mark.parametrize("target", ["income", "age", "city", None])
def test_targets_of_other_kinds_keep_their_type(target: str | None, tmp_path: Path) -> None:
    flagged = {3: (0.9, "unlikely_target"), 7: (0.9, "unlikely_target")}
    made = mixed(120, 1)
    found = applied(Relabel(at=0.5), scene_of(tmp_path, made, mixed(200, 3), target=target, flagged=flagged))
    changed = (found != made).any(axis=1)
    assert set(np.flatnonzero(changed)) <= {3, 7}
    if target is not None:
        assert found[target].dtype == made[target].dtype or found[target].dtype == object
        assert list(found.columns[(found != made).any()]) in ([target], [])


def test_thinning_restores_the_shares_and_repeats_nothing(tmp_path: Path) -> None:
    original, made = mixed(4000, 3), mixed(4000, 1)
    chance = np.random.default_rng(0)
    rich = made["city"] == "Bern"
    many = frames([made, made[rich].assign(income=lambda t: t["income"] * chance.uniform(0.99, 1.01, len(t)))])
    found = applied(Resample(least_kept=0.3), scene_of(tmp_path, many, original))
    assert abs((found["city"] == "Bern").mean() - 0.5) < 0.03 < abs((many["city"] == "Bern").mean() - 0.5)
    assert len(found) >= 0.28 * len(many)
    assert not found.duplicated().any()


def test_lost_categories_and_tails_come_back_by_their_share(tmp_path: Path) -> None:
    original = mixed(2000, 3)
    made = mixed(1000, 1)
    made = made[(made["city"] != "Chur") & (made["income"] < original["income"].quantile(0.9))].reset_index(drop=True)
    scene = scene_of(tmp_path, made, original)
    fix = RestoreLost(categories=(("city", "Chur"),), tails=("income",))
    found = applied(fix, scene)
    assert abs((found["city"] == "Chur").mean() - 0.05) < 0.02
    assert abs((found["income"] > made["income"].max()).mean() - 0.1) < 0.03
    added = found.iloc[len(made) :]
    assert ((added["city"] == "Chur") | (added["income"] > made["income"].max())).all()


@given(ratio=st.floats(1e-6, 1e6))
def test_the_best_weight_is_where_theory_has_it(ratio: float) -> None:
    weight = best_weight(ratio)
    assert 0 < weight <= 1
    assert weight**2 == pytest.approx(ratio * (1 - weight), rel=1e-3, abs=1e-9)


def test_the_golden_ratio() -> None:
    assert best_weight(1.0) == pytest.approx((math.sqrt(5) - 1) / 2)


def test_real_rows_come_in_by_the_share_and_synthetic_ones_are_thinned_to_theirs(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, mixed(1000, 1), mixed(2500, 3))
    plain = to_sample([MixOriginal(share=0.25).fit(scene)], scene)
    assert plain.real_rows / plain.rows == pytest.approx(0.25, abs=0.001)
    thinned = to_sample([MixOriginal(share=0.25, weighted=True).fit(scene)], scene)
    weight = best_weight(1 / 3)
    assert thinned.real_rows == plain.real_rows
    assert (thinned.rows - thinned.real_rows) / 1000 == pytest.approx(weight, abs=0.05)
    # all rows weigh the same now, and real ones by as much as they should
    share = thinned.real_rows / thinned.rows
    assert share == pytest.approx(weight, abs=0.05)


def test_a_sample_keeps_the_proportion_of_real_rows(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, mixed(6000, 1), mixed(6000, 3), most=500)
    found = to_sample([Accumulate().fit(scene)], scene)
    share = found.real_rows / found.rows
    assert share == pytest.approx(scene.donor_rows / (6000 + scene.donor_rows), abs=0.01)
    real = set(hashes(scene.donors, scene.columns).tolist())
    sampled = sum(int(h) in real for h in hashes(found.table, scene.columns)) / found.table.num_rows
    assert sampled == pytest.approx(share, abs=0.05)


def test_marginals_become_the_originals_and_ranks_stay(tmp_path: Path) -> None:
    original = mixed(3000, 3)
    made = mixed(2000, 1).assign(income=lambda t: t["income"] ** 0.5, age=lambda t: 40 + t["age"] // 4)
    scene = scene_of(tmp_path, made, original)
    found = applied(MatchMarginals(columns=("income", "age")), scene)
    for column in ("income", "age"):
        ends = found[column].groupby(made[column].to_numpy()).agg(["min", "max"])
        assert (ends["min"].to_numpy()[1:] >= ends["max"].to_numpy()[:-1]).all()
    donors = scene.donors.to_pandas()
    for q in (0.02, 0.1, 0.5, 0.9, 0.98):
        assert found["income"].quantile(q) == pytest.approx(donors["income"].quantile(q), rel=0.02)
    assert found["age"].dtype == np.int64
    for q in (0.01, 0.3, 0.6, 0.99):
        assert abs(found["age"].quantile(q) - donors["age"].quantile(q)) <= 1


def test_nulls_stay_where_they_are(tmp_path: Path) -> None:
    made = mixed(300, 1)
    made.loc[::7, "income"] = np.nan
    found = applied(MatchMarginals(columns=("income",)), scene_of(tmp_path, made, mixed(300, 3)))
    assert found["income"].isna().equals(made["income"].isna())


def test_a_broken_correlation_comes_back(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    original, made = mixed(4000, 3), mixed(3000, 1)
    made["income"] = chance.permutation(made["income"])
    assert abs(np.corrcoef(made["age"], np.log(made["income"]))[0, 1]) < 0.1
    found = applied(RestoreCorrelation(column="income", given=("age",)), scene_of(tmp_path, made, original))
    real = np.corrcoef(original["age"], np.log(original["income"]))[0, 1]
    assert np.corrcoef(found["age"], np.log(found["income"]))[0, 1] == pytest.approx(real, abs=0.06)
    assert (found.drop(columns="income") == made.drop(columns="income")).all().all()


def test_a_generated_dataset_has_the_originals_kinds_and_shape(tmp_path: Path) -> None:
    original, made = mixed(1500, 3), mixed(400, 1)
    original.loc[::9, "income"] = np.nan
    names = {"id": [f"r{k:05d}" for k in range(1500)]}, {"id": [f"m{k:05d}" for k in range(400)]}
    scene = scene_of(tmp_path, made.assign(**names[1]), original.assign(**names[0]), target="label")
    for generator in ("trees", "copula"):
        found = applied(Regenerate(generator=generator), scene)  # type: ignore[arg-type]
        assert len(found) == 400
        assert set(found["city"]) <= {"Bern", "Genf", "Basel", "Chur"}
        assert found["age"].between(18, 90).all()
        assert found["id"].is_unique
        assert found["income"].isna().mean() == pytest.approx(1 / 9, abs=0.06)
        assert str(found["since"].dtype).startswith("datetime64")
        assert abs((found["city"] == "Bern").mean() - 0.5) < 0.1


def test_chance_depends_on_the_place_alone() -> None:
    rows = Rows(pa.table({"a": np.arange(5000)}), np.arange(5000))
    one = rows.chance(1, "x")
    assert np.array_equal(one[100:200], Rows(rows.table[100:200], rows.place[100:200]).chance(1, "x"))
    assert not np.array_equal(one, rows.chance(2, "x"))
    assert not np.array_equal(one, rows.chance(1, "y"))
    assert abs(one.mean() - 0.5) < 0.02
    assert 0 <= one.min() < 0.01 < 0.99 < one.max() < 1


def test_an_edit_that_does_nothing_changes_nothing(scene: Scene) -> None:
    found = to_sample([Edit()], scene)
    assert found.table.equals(scene.candidate.table)
    assert (found.rows_lost, found.rows_changed, found.real_rows) == (0, 0, 0)


def test_texts_and_vectors_pass_through(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)

    def frame(rows: int) -> pd.DataFrame:
        said = [" ".join(chance.choice(["so", "it", "goes", "on", "and", "ever"], 9)) for _ in range(rows)]
        return pd.DataFrame({"said": said, "v": list(chance.random((rows, 3))), "x": chance.random(rows)})

    scene = scene_of(tmp_path, frame(200), frame(300))
    assert scenes.MOST_TEXTS < scenes.MOST_ROWS
    for fix in (Deduplicate(), Resample(), MixOriginal(share=0.2), MatchMarginals(columns=("x",))):
        found = applied(fix, scene)
        assert list(found.columns) == ["said", "v", "x"]
        assert len(found)
