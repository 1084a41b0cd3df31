"""Are gains kept, told apart and learned from?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeRegressor
from unit.recommendations import found
from unit.recommendations.found import recommendation, recommendations
from unit.signatures.conftest import postgres  # noqa: F401 - a fixture

from foretrain.collapse.forest import Forest
from foretrain.errors import DataError, SettingsError
from foretrain.recommendations import history, prediction, rank
from foretrain.recommendations.fixes import FIXES
from foretrain.recommendations.fixes.mix_original import MixOriginal
from foretrain.recommendations.history import History
from foretrain.recommendations.prediction import FEWEST, FEWEST_RUNS, Prior
from foretrain.settings import Settings, SignatureSettings


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> SignatureSettings:
    database = request.getfixturevalue("postgres") if request.param == "postgres" else None
    return SignatureSettings(folder=str(tmp_path / "own"), database=database)


def test_what_was_measured_and_reported_is_kept(settings: SignatureSettings, request: pytest.FixtureRequest) -> None:
    run = f"{abs(hash(request.node.name)) % 16**12:012x}"
    kept_now = recommendations(run, [("deduplicate", 40.0), ("accumulate", None)])
    kept = History(settings)
    known = kept.runs()
    assert kept.add(kept_now) == 2
    assert kept.add(kept_now) == 0
    assert kept.runs() == known + 1
    before, measured = kept.report(run, "deduplicate", 71.0)
    assert (before, measured) == (pytest.approx(10.0), 40.0)
    gains = kept.gains()
    mine = [k for k, of in enumerate(gains.runs) if of == run]
    assert [gains.points[k] for k in mine] == [pytest.approx(61.0)]  # the report counts, the untried does not
    assert gains.numbers[mine[0]]["deduplicate"] == 1.0
    with pytest.raises(
        DataError, match=r"has no recommendation pray. It has (deduplicate, accumulate|accumulate, deduplicate)"
    ):
        kept.report(run, "pray", 3.0)
    with pytest.raises(DataError, match="there is no run 000000000000"):
        kept.report("0" * 12, "deduplicate", 3.0)


def test_many_may_write_at_once(tmp_path: Path) -> None:
    running = [  # half of the runs are written by two
        subprocess.Popen([sys.executable, found.__file__, str(tmp_path), str(5 * k)], stderr=subprocess.PIPE)
        for k in range(4)
    ]
    errors = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0] * 4, b"".join(errors).decode()
    kept = History(SignatureSettings(folder=str(tmp_path)))
    assert kept.runs() == 25
    assert len(kept.gains().points) == 25


def test_a_history_is_read_again_when_it_has_doubled(tmp_path: Path) -> None:
    settings = Settings.model_validate({"signatures": {"folder": str(tmp_path)}})
    assert history.state(settings) == "0"
    kept, seen = History(settings.signatures), []
    for k in range(205):
        kept.add(recommendations(f"{k:012x}", [("deduplicate", float(k))]))
        seen.append(history.read_runs(settings))
    assert sorted(set(seen)) == [0, 50, 100, 200]
    assert seen.index(100) == 99
    assert list(kept.gains(50).points) == list(range(50))
    nowhere = Settings.model_validate({"signatures": {"folder": "s3://bucket/x"}})
    assert history.state(nowhere) == "0"
    with pytest.raises(SettingsError):
        history.remember(recommendations("0" * 12, []), nowhere)


def _prior(value: float = 0.0) -> Prior:
    leaf = Forest(*(np.asarray(v) for v in ([-1], [0.0], [0], [0], [value], [0])))
    return Prior(("damage", "repeats", "strength"), leaf, 10.0, 20.0, 100)


def test_a_thin_history_is_not_learned_from_and_a_long_one_is() -> None:
    chance = np.random.default_rng(0)
    rows = [{"damage": float(d), "repeats": float(r)} for d, r in chance.random((FEWEST, 2))]
    gains = np.asarray([60 * row["repeats"] for row in rows])
    runs = [str(k % (FEWEST_RUNS + 5)) for k in range(FEWEST)]
    assert prediction.learned(rows[:-1], gains[:-1], runs[:-1], _prior()) is None
    assert prediction.learned(rows, gains, ["one"] * FEWEST, _prior()) is None
    forest = prediction.learned(rows, gains, runs, _prior(30.0))
    assert forest is not None
    assert forest.error < 5 < forest.prior_error
    assert forest.predict([{"repeats": 0.9, "damage": 0.5}])[0] == pytest.approx(54, abs=6)
    noise = prediction.learned(rows, chance.normal(size=FEWEST), runs, _prior(0.0))
    assert noise is not None
    assert noise.error > noise.prior_error  # and so the prior stays


def test_the_path_through_the_tree_leads_to_what_it_expects() -> None:
    prior = prediction.prior()
    assert prior.gains > 500
    assert prior.error < 0.8 * prior.spread
    chance = np.random.default_rng(1)
    for _ in range(50):
        numbers = {name: float(chance.random()) for name in prior.names}
        path = prior.path(numbers)
        assert 1 <= len(path) <= 10
        assert all(said.startswith("it is ") or "at most" in said or "above" in said for said in path)
    known = set(prediction.TITLES) | set(FIXES)
    assert set(prior.names) == known


def test_a_tree_is_stored_as_it_was_grown() -> None:
    chance = np.random.default_rng(0)
    x, y = chance.random((300, 3)), chance.random(300)
    grown = DecisionTreeRegressor(max_leaf_nodes=9, random_state=0).fit(x, y)

    class One:
        estimators_ = (grown,)

    prior = Prior(("a", "b", "c"), Forest.of(One()), 0.0, 0.0, 300)
    rows = [dict(zip("abc", row, strict=True)) for row in x.tolist()]
    assert np.allclose(prior.predict(rows), grown.predict(x), atol=1e-6)


@given(points=st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=12))
def test_the_front_is_undominated_and_dominates_the_rest(points: list[tuple[int, int, int]]) -> None:
    aims = np.asarray(points, dtype=float)
    front = rank.undominated(aims)
    assert any(front)
    for k, inside in enumerate(front):
        better = [j for j in range(len(aims)) if (aims[j] >= aims[k]).all() and (aims[j] > aims[k]).any()]
        assert inside == (not better)
        assert inside or any(front[j] for j in better)


def test_the_cheapest_that_is_approved_is_best_and_an_unsure_one_never_is() -> None:
    made = [
        recommendation("dear", 80.0, money=50.0, after=90.0, verdict="approve"),
        recommendation("cheap", 70.0, money=2.0, after=80.0, verdict="approve"),
        recommendation("lucky", 85.0, money=0.0, after=95.0, verdict="approve", confidence=0.6),
        recommendation("small", 20.0, money=0.0, after=30.0, verdict="reject"),
        recommendation("worse", -5.0, money=0.0, after=5.0, verdict="reject"),
        recommendation("untried", None, predicted=99.0),
    ]
    ranked = rank.ranked(made)
    assert [each.id for each in ranked if each.front] == ["lucky", "dear", "cheap", "small"]
    assert ranked[-1].id == "untried"
    best = rank.best(ranked)
    assert best is not None
    assert best.id == "cheap"
    left = [each for each in made if each.measured is None or each.measured.verdict != "approve"]
    best = rank.best(left)
    assert best is not None
    assert best.id == "small"
    assert rank.best(made[4:]) is None


def test_what_a_gain_is_expected_from() -> None:
    numbers = prediction.row({"damage": 0.5}, [MixOriginal(share=0.25)])
    assert (numbers["damage"], numbers["mix-original"], numbers["accumulate"], numbers["strength"]) == (0.5, 1, 0, 0.25)
