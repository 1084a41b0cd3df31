"""Does the stage say the same of the same tables, however they are written, and the right thing of unusual ones?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.signal import lfilter
from unit.collapse.tables import QUICK, frame, judged, narrowed, table

from foretrain.collapse.pairing import compare
from foretrain.collapse.record import Collapse
from foretrain.collapse.table import Target, pair
from foretrain.data.reference import Column, Kind
from foretrain.errors import DataError
from foretrain.settings import DataSettings

ORIGINAL = frame(400)
FRESH = frame(400, seed=1)
CANDIDATES = {"fresh": FRESH, "narrowed": narrowed(FRESH)}
VERDICTS = {"fresh": "approve", "narrowed": "reject"}
POINTS = 6.0
"""A score of another draw of halves lies within these."""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Collapse]:
    return {name: judged(tmp_path_factory.mktemp(name), made, ORIGINAL) for name, made in CANDIDATES.items()}


def alike(found: Collapse, wanted: Collapse) -> bool:
    return found.verdict == wanted.verdict and abs(found.score - wanted.score) <= POINTS


@pytest.mark.parametrize("name", list(CANDIDATES))
def test_a_fresh_sample_is_approved_and_a_collapsed_one_rejected(name: str, plain: dict[str, Collapse]) -> None:
    found = plain[name]
    assert found.verdict == VERDICTS[name]
    assert found.severity.class_ == {"fresh": "none", "narrowed": "severe"}[name]
    assert found.score == pytest.approx(100 * (1 - found.probability_of_collapse))
    assert found.score_interval[0] <= found.score <= found.score_interval[1]
    assert found.rows_compared == 200
    assert len(found.reasons) >= 3
    assert sum(d.measured for d in found.dimensions.values()) == 6
    assert Collapse.model_validate_json(found.model_dump_json(by_alias=True)) == found


# Exactly equal: the sample is ordered by the content of its rows, and columns by name.


@pytest.mark.parametrize("name", list(CANDIDATES))
def test_the_order_of_rows_changes_nothing(name: str, plain: dict[str, Collapse], tmp_path: Path) -> None:
    rows = [side.sample(frac=1, random_state=5).reset_index(drop=True) for side in (CANDIDATES[name], ORIGINAL)]
    assert judged(tmp_path, *rows) == plain[name]


def test_the_order_of_columns_changes_nothing(plain: dict[str, Collapse], tmp_path: Path) -> None:
    turned = FRESH.columns[::-1]
    assert judged(tmp_path / "one", FRESH[turned], ORIGINAL) == plain["fresh"]
    both = judged(tmp_path / "both", FRESH[turned], ORIGINAL[turned])
    # the heat map alone keeps the order that the original's columns have
    assert both.model_copy(update={"correlations": None}) == plain["fresh"].model_copy(update={"correlations": None})


def test_partitioning_changes_nothing(plain: dict[str, Collapse], tmp_path: Path) -> None:
    sides = []
    for name, rows in (("made", FRESH), ("real", ORIGINAL)):
        (tmp_path / name).mkdir()
        for part in range(4):
            some = pa.Table.from_pandas(rows.iloc[part::4], preserve_index=False)
            pq.write_table(some, tmp_path / name / f"{part}.parquet", row_group_size=17 + part)
        sides.append(tmp_path / name)
    assert judged(tmp_path, *sides) == plain["fresh"]


def test_a_run_repeats_itself(plain: dict[str, Collapse], tmp_path: Path) -> None:
    assert judged(tmp_path, CANDIDATES["narrowed"], ORIGINAL) == plain["narrowed"]


# Equal in verdict: other contents order the sample otherwise, so that other halves are drawn.


def rescaled(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(income=rows["income"] * 1.7e-5 - 3, spent=rows["spent"] * -250.0)


def renamed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(city=rows["city"].map({"Bern": "Zug", "Genf": "Aarau", "Basel": "Thun", "Chur": "Olten"}))


@pytest.mark.parametrize("change", [rescaled, renamed])
@pytest.mark.parametrize("name", list(CANDIDATES))
def test_units_and_names_of_categories_do_not_matter(
    change: Callable[[pd.DataFrame], pd.DataFrame], name: str, plain: dict[str, Collapse], tmp_path: Path
) -> None:
    assert alike(judged(tmp_path, change(CANDIDATES[name]), change(ORIGINAL)), plain[name])


@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_statistics_of_the_same_halves_do_not_depend_on_the_unit(shift: float) -> None:
    rng = np.random.default_rng(0)
    x, c = rng.normal(size=(240, 3)), rng.integers(0, 3, 240)
    x[:, 2] += x[:, 0]
    sides = [table(x[k::2], c[k::2], target=Target("regression", 2)) for k in (0, 1)]
    unit = np.asarray([0.125, 4.0, 64.0])
    one, other = (
        compare(*(side.with_columns(side.numbers * a + b, side.codes) for side in sides), 2, 0)
        for a, b in ((1.0, 0.0), (unit, shift))
    )
    # boosted trees set a threshold at zero, so that a shift moves their thresholds a little
    loose = np.asarray([0.02 if "trees" in name and shift else 1e-6 for name in one.names])
    assert (np.abs(other.candidate - one.candidate) <= loose).all()
    assert (np.abs(other.fresh - one.fresh) <= loose).all()


@pytest.mark.parametrize("exponent", [-900, -120, 120, 900])
def test_numbers_of_any_size_have_the_same_statistics(exponent: int) -> None:
    x = np.random.default_rng(0).normal(size=(200, 2)) @ [[1, 1], [0, 1]]
    column = [Column(name=name, kind=Kind.NUMERIC, source_type="") for name in "ab"]
    one, other = (
        compare(*pair(*(pa.table({"a": a, "b": b}) for a, b in (unit * x[:100].T, unit * x[100:].T)), column), 2, 0)
        for unit in (1.0, 2.0**exponent)
    )
    assert other.candidate == pytest.approx(one.candidate, abs=1e-6)
    assert other.whole == pytest.approx(one.whole, abs=1e-6)


@pytest.mark.parametrize("name", list(CANDIDATES))
def test_the_seed_does_not_decide(name: str, plain: dict[str, Collapse], tmp_path: Path) -> None:
    for seed in (1, 2):
        settings = QUICK.model_copy(update={"seed": seed})
        found = judged(tmp_path / str(seed), CANDIDATES[name], ORIGINAL, settings)
        assert alike(found, plain[name])
        assert found != plain[name]


@pytest.mark.parametrize("target", ["owner", "income"])
@pytest.mark.parametrize("name", list(CANDIDATES))
def test_the_verdict_stands_with_a_target(name: str, target: str, tmp_path: Path) -> None:
    found = judged(tmp_path, CANDIDATES[name], ORIGINAL, QUICK.model_copy(update={"target": target}))
    assert found.verdict == VERDICTS[name]
    assert found.dimensions["generalization_gap"].measured


# Unusual tables.


def test_without_an_original_nothing_is_approved(tmp_path: Path) -> None:
    found = {name: judged(tmp_path / name, made) for name, made in CANDIDATES.items()}
    for each in found.values():
        assert each.verdict in ("review", "reject")
        assert 0.25 <= each.probability_of_collapse <= 0.75
        assert each.columns == ()
        assert each.correlations is each.spectrum is None
        assert not any(d.measured for d in each.dimensions.values())
        assert any("No original" in note for note in each.notes)
    assert found["fresh"].probability_of_collapse < found["narrowed"].probability_of_collapse
    assert found["narrowed"].severity.damage == pytest.approx(0.9)  # of ten copies, nine repeat the first


@pytest.mark.parametrize(("made", "real"), [(10, 400), (400, 19), (19, 19)])
def test_too_few_rows_are_told_so(made: int, real: int, tmp_path: Path) -> None:
    found = judged(tmp_path, FRESH[:made], ORIGINAL[:real])
    assert found.verdict == "underpowered"
    assert found.rows_compared == 0
    assert not any(d.measured for d in found.dimensions.values())
    assert "20 rows" in found.sentence


def test_the_fewest_rows_are_compared(tmp_path: Path) -> None:
    assert judged(tmp_path, FRESH[:20], ORIGINAL[:20]).rows_compared == 10


def timed(rows: int, seed: int) -> pd.DataFrame:
    walk = lfilter([1.0], [1.0, -0.95], np.random.default_rng(seed).normal(size=rows))
    return pd.DataFrame({"day": pd.date_range("2020-01-01", periods=rows, freq="D"), "level": walk})


def test_an_order_in_time_that_is_lost_lowers_spectral_coherence(tmp_path: Path) -> None:
    real = timed(800, 0)
    shuffled = real.assign(level=np.random.default_rng(1).permutation(real["level"]))
    ordered = QUICK.model_copy(update={"time_column": "day"})
    scores = {}
    for name, made, settings in (
        ("kept", timed(800, 2), ordered),
        ("lost", shuffled, ordered),
        ("lost, not told", shuffled, QUICK),
    ):
        dimension = judged(tmp_path / name, made, real, settings).dimensions["spectral_coherence"]
        scores[name] = dimension.score or 0.0
        told = [e for e in dimension.evidence if "along time" in e.statistic]
        assert len(told) == (settings is ordered)
    assert scores["lost"] < 30 < 70 < min(scores["kept"], scores["lost, not told"])


def text(rows: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    words = np.asarray([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lnrst"])
    share = 1 / np.arange(1, len(words) + 1)
    return pd.DataFrame(
        {"note": [" ".join(rng.choice(words, rng.integers(8, 20), p=share / share.sum())) for _ in range(rows)]}
    )


def test_a_table_of_texts_alone(tmp_path: Path) -> None:
    settings = QUICK.model_copy(update={"data": DataSettings(kinds={"note": Kind.TEXT})})
    real = text(600, 0)
    fresh = judged(tmp_path / "fresh", text(600, 1), real, settings)
    repeated = judged(tmp_path / "repeated", text(60, 1).iloc[np.arange(600) % 60], real, settings)
    assert (fresh.verdict, repeated.verdict) == ("approve", "reject")
    assert fresh.columns[0].kind == "text"


def test_a_table_of_categories_alone(tmp_path: Path) -> None:
    def draw(seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        first = rng.choice(list("abcdef"), 300, p=[0.4, 0.2, 0.2, 0.1, 0.06, 0.04])
        other = {f"c{j}": np.where(rng.random(300) < 0.6, first, rng.permutation(first)) for j in range(4)}
        return pd.DataFrame({"c": first} | other)

    lost = draw(1).replace(dict.fromkeys("def", "a"))
    found = {name: judged(tmp_path / name, made, draw(0)) for name, made in (("fresh", draw(1)), ("lost", lost))}
    assert (found["fresh"].verdict, found["lost"].verdict) == ("approve", "reject")
    worst = found["lost"].columns[0]
    assert worst.lost_mass == pytest.approx(draw(0)[worst.name].isin(list("def")).mean())
    assert found["lost"].dimensions["entropy_stability"].score < found["fresh"].dimensions["entropy_stability"].score  # type: ignore[operator]


def test_three_hundred_columns(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mix, names = rng.normal(size=(4, 300)), [f"x{j}" for j in range(300)]
    made, real = (
        pd.DataFrame(rng.normal(size=(200, 4)) @ mix + rng.normal(size=(200, 300)), columns=names) for _ in range(2)
    )
    found = judged(tmp_path, made, real)
    assert found.verdict == "approve"
    assert len(found.columns) == 300
    assert any("256 of 300 columns" in note for note in found.notes)


def test_tables_that_do_not_vary(tmp_path: Path) -> None:
    constant = pd.DataFrame({"a": [1.0] * 60, "b": ["x"] * 60})
    varied = pd.DataFrame({"a": np.random.default_rng(0).normal(size=60), "b": ["x", "y"] * 30})
    assert judged(tmp_path / "same", constant, constant).verdict == "approve"
    assert judged(tmp_path / "collapsed", constant, varied).verdict == "reject"
    assert judged(tmp_path / "alone", constant).verdict != "approve"


def test_a_value_that_few_rows_have(tmp_path: Path) -> None:
    def draw(seed: int) -> pd.DataFrame:
        return pd.DataFrame({"a": np.random.default_rng(seed).normal(size=100), "b": [5.0, *[0.0] * 99]})

    found = judged(tmp_path, draw(1), draw(0))
    assert found.rows_compared == 50
    assert found.dimensions["distribution_fidelity"].measured
    assert not found.dimensions["correlation_preservation"].measured  # in most halves one column alone varies


def test_identifiers_alone_are_refused(tmp_path: Path) -> None:
    rows = pd.DataFrame({"key": [f"id-{k}" for k in range(60)]})
    settings = QUICK.model_copy(update={"data": DataSettings(kinds={"key": Kind.IDENTIFIER})})
    for original in (None, rows):
        with pytest.raises(DataError, match="at least one column to compare"):
            judged(tmp_path / str(original is None), rows, original, settings)
