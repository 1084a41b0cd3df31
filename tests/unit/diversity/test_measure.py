"""Does the stage see what was done to a table, and nothing where nothing was done?"""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from unit.profile.stored import stored
from unit.profile.tables import columns, mixed

from foretrain.data.reference import Column, Kind
from foretrain.diversity import Diversity, Measure, measure
from foretrain.settings import Effort, ProfileSettings, Settings

ORIGINAL = mixed(1200)
OTHER = mixed(1200, seed=1)


def compare(
    candidate: pa.Table, root: Path, original: pa.Table | None = ORIGINAL, settings: Settings | None = None
) -> Diversity:
    settings = settings or Settings()
    known = [each for each in columns() if each.name in candidate.column_names]
    theirs = stored(original, known, root / "original", settings) if original is not None else None
    return measure(stored(candidate, known, root / "candidate", settings), theirs, settings)


def by_name(found: Diversity) -> dict[str, Measure]:
    measures = (*found.statistical, *found.structural, *found.rare, *found.semantic)
    assert len({each.name for each in measures}) == len(measures)
    return {each.name: each for each in measures}


def below(each: Measure) -> bool:
    assert each.fresh is not None
    return each.candidate < each.fresh[0]


def above(each: Measure) -> bool:
    assert each.fresh is not None
    return each.candidate > each.fresh[1]


def test_a_fresh_sample_lies_within_the_bands(tmp_path: Path) -> None:
    found = compare(OTHER, tmp_path)
    outside = [each.name for each in by_name(found).values() if below(each) or above(each)]
    assert len(outside) <= 4  # of 24, one in ten by chance
    assert found.duplicate_rows == 0.0
    assert found.copies_of_original == 0.0
    assert Diversity.model_validate_json(found.model_dump_json()) == found


def test_copies_are_seen(tmp_path: Path) -> None:
    found = compare(pa.concat_tables([ORIGINAL.slice(0, 600), OTHER.slice(0, 300), OTHER.slice(0, 300)]), tmp_path)
    measures = by_name(found)
    assert found.duplicate_rows == pytest.approx(0.25)
    assert found.copies_of_original == pytest.approx(0.5)
    assert above(measures["near_duplicates"])
    assert above(measures["near_copies"])
    assert below(measures["distance_inside"])


def test_lost_and_invented_values_are_named(tmp_path: Path) -> None:
    old = OTHER["colour"].combine_chunks()
    colours = pc.replace_with_mask(old, pc.equal(old, "colour 3").fill_null(False), "mauve")
    found = compare(OTHER.set_column(3, "colour", colours), tmp_path)
    alone = {(each.values, each.kind) for each in found.rare_values if len(each.columns) == 1}
    assert alone == {(("colour 3",), "lost"), (("mauve",), "invented")}
    assert not any("mauve" in each.values for each in found.rare_values if len(each.columns) == 2)
    assert above(by_name(found)["lost_values"])
    assert above(by_name(found)["invented_pairs"])
    assert by_name(found)["lost_values"].columns == ("colour",)


def test_a_narrowed_table_is_less_diverse(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    few = pa.array(rng.integers(0, 30, 1200))
    measures = by_name(compare(OTHER.take(few), tmp_path))
    for name in ("support", "hill_1", "numeric_hill_1", "effective_rank", "distance_inside", "vendi", "distinct_3"):
        assert below(measures[name]), name
    for name in ("cluster_coverage", "neighbour_coverage", "rare_values"):
        assert below(measures[name]), name
    for name in ("near_duplicates", "compression_ratio", "self_repetition", "lost_pairs"):
        assert above(measures[name]), name


def test_alone(tmp_path: Path) -> None:
    found = compare(OTHER, tmp_path, original=None)
    assert found.copies_of_original is None
    assert found.rare == ()
    assert all(each.original is None and each.fresh is None for each in by_name(found).values())
    assert {"hill_1", "coverage", "effective_rank", "distance_inside", "vendi"} <= by_name(found).keys()


@pytest.mark.parametrize("change", ["rows", "columns", "partition"])
def test_order_and_partitioning_change_nothing(change: str, tmp_path: Path) -> None:
    turned = {
        "rows": OTHER.take(pa.array(np.random.default_rng(0).permutation(len(OTHER)))),
        "columns": OTHER.select(OTHER.column_names[::-1]),
        "partition": pa.concat_tables([OTHER.slice(0, 7), OTHER.slice(7)]),
    }[change]
    one, other = compare(OTHER, tmp_path / "one"), compare(turned, tmp_path / "other")
    left, right = by_name(one), by_name(other)
    assert left.keys() == right.keys()
    for name, each in left.items():
        assert each.candidate == pytest.approx(right[name].candidate, rel=1e-5), name
        assert each.fresh == pytest.approx(right[name].fresh, rel=1e-5), name
    assert one.rare_values == other.rare_values


def test_units_and_names_of_categories_change_no_finding(tmp_path: Path) -> None:
    def changed(table: pa.Table) -> pa.Table:
        size = pc.add(pc.multiply(table["size"], 2.5), -100.0)
        return table.set_column(0, "size", size).set_column(
            3, "colour", pc.replace_substring(table["colour"], "colour", "hue")
        )

    # Another content draws other rows: the findings agree within the band, and the counts exactly.
    one, other = compare(OTHER, tmp_path / "one"), compare(changed(OTHER), tmp_path / "other", changed(ORIGINAL))
    left, right = by_name(one), by_name(other)
    for name in ("support", "hill_1", "hill_2", "hapax", "coverage"):
        assert left[name].candidate == right[name].candidate
    for name, each in left.items():
        fresh = each.fresh
        assert fresh is not None
        assert abs(each.candidate - right[name].candidate) <= (fresh[1] - fresh[0]) + 1e-12, name
    assert one.duplicate_rows == other.duplicate_rows


def test_the_same_seed_gives_the_same_result(tmp_path: Path) -> None:
    one, other = compare(OTHER, tmp_path / "one"), compare(OTHER, tmp_path / "other")
    assert one == other
    assert compare(OTHER, tmp_path / "third", settings=Settings(seed=5)) != one


def test_large_tables_are_sampled_and_say_so(tmp_path: Path) -> None:
    settings = Settings(effort=Effort.QUICK, profile=ProfileSettings(sample_rows=1000))
    found = compare(mixed(3000, seed=1), tmp_path, mixed(3000), settings)
    assert any("sample" in note for note in found.notes)
    assert by_name(found).keys() == by_name(compare(OTHER, tmp_path / "small")).keys()


@pytest.mark.parametrize("rows", [1, 2, 3, 15, 40])
def test_few_rows_are_no_crash(rows: int, tmp_path: Path) -> None:
    compare(OTHER.slice(0, rows), tmp_path)
    compare(OTHER.slice(0, rows), tmp_path / "both", ORIGINAL.slice(0, rows))
    compare(OTHER.slice(0, rows), tmp_path / "alone", None)


def test_hopeless_columns_are_no_crash(tmp_path: Path) -> None:
    table = pa.table(
        {
            "size": pa.array([None] * 50, pa.float64()),
            "colour": pa.array(["same"] * 50),
            "note": pa.array(["", None] * 25),
            "count": pa.array([3] * 50, pa.int64()),
        }
    )
    for original in (table, None):
        found = compare(table, tmp_path / str(original is None), original)
        assert any("note" in note for note in found.notes)
        assert by_name(found)["support"].candidate == 1.0


def test_an_encoder_of_ones_own(tmp_path: Path) -> None:
    known = [Column(name="note", kind=Kind.TEXT, source_type="")]
    table = OTHER.select(["note"])
    one = stored(table, known, tmp_path / "a")
    found = measure(one, None, Settings(), encoder=lambda texts: np.ones((len(texts), 2)))
    vendi = next(each for each in found.semantic if each.name == "vendi")
    assert vendi.candidate == pytest.approx(1.0 / min(500, len(table)))
