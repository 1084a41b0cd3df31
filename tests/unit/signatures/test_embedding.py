"""Does an embedding say how a candidate departs, whatever the order and the names of rows and columns?"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from unit.collapse.tables import table

from foretrain.collapse.loops import damage
from foretrain.collapse.loops.simulated import Simulated
from foretrain.collapse.space import Space
from foretrain.collapse.statistics.side import Side
from foretrain.collapse.statistics.summary import Columns
from foretrain.collapse.table import Schema, Table, Target
from foretrain.signatures import departures, embedding
from foretrain.signatures.canonical import ordered
from foretrain.signatures.embedding import WIDTH, blocks, embed


def drawn(seed: int, rows: tuple[int, int] = (60, 80)) -> tuple[Table, Table]:
    model = Simulated(np.random.default_rng(seed), narrow=True)
    chance = np.random.default_rng(seed)
    a, b = (model.draw(count, chance) for count in rows)
    return a, b


def moved(a: Table, b: Table, chance: np.random.Generator) -> list[Table]:
    """Both tables with rows and columns in another order, and under other names."""
    numbers, codes = chance.permutation(a.numbers.shape[1]), chance.permutation(a.codes.shape[1])
    old = a.schema
    target = old.target
    if target is not None:
        order = numbers if target.task == "regression" else codes
        target = Target(target.task, int(np.flatnonzero(order == target.position)[0]))
    schema = Schema(
        tuple(f"n{j}" for j in chance.permutation(len(numbers))),
        tuple(old.whole[j] for j in numbers),
        tuple(f"k{j}" for j in range(len(codes))),
        tuple(old.levels[j] for j in codes),
        target,
    )
    return [Table(t.numbers[:, numbers], t.codes[:, codes], schema).take(chance.permutation(len(t))) for t in (a, b)]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), nulls=st.sampled_from([0.0, 0.2]), named=st.booleans())
@example(seed=599, nulls=0.0, named=False)  # two category columns whose levels are equally frequent
def test_order_and_names_do_not_count(seed: int, nulls: float, named: bool) -> None:
    chance = np.random.default_rng(seed)
    a, b = drawn(seed)
    if not named:
        a, b = (replace(t, schema=replace(t.schema, target=None)) for t in (a, b))
    hidden = np.where(chance.random(a.numbers.shape) < nulls, np.nan, a.numbers)
    a = a.with_columns(hidden, a.codes)
    vector = embed(a, b)
    assert vector.shape == (WIDTH,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(vector, embed(*moved(a, b, chance)))


@pytest.mark.parametrize("seed", range(20))
def test_columns_of_the_same_values_are_told_apart_by_their_rows(seed: int) -> None:
    chance = np.random.default_rng(seed)
    codes = np.stack([chance.permutation(np.arange(60) % 2) for _ in range(3)], axis=1)
    a, b = table(codes=codes), table(codes=codes[:20])
    for _ in range(5):
        here, there = ordered(b, a), ordered(*moved(b, a, chance))
        for one, other in zip(here, there, strict=True):
            assert np.array_equal(one.codes, other.codes)


def test_the_blocks_are_those_of_the_docstring_and_fill_it() -> None:
    listed = re.findall(r"^([a-z][a-z ]+?)  +(\d+)  ", embedding.__doc__ or "", re.MULTILINE)
    found = blocks(*drawn(3))
    assert [(name, str(len(block))) for name, block in found.items()] == listed
    assert sum(len(block) for block in found.values()) == WIDTH
    assert set(found) == set(embedding.WEIGHTS)


def test_a_fresh_sample_departs_less_than_a_damaged_one() -> None:
    chance = np.random.default_rng(0)
    model = Simulated(np.random.default_rng(5))
    original, fresh, other = (model.draw(400, chance) for _ in range(3))
    whole = [embed(t, original) for t in (fresh, other)]
    cut = [embed(damage.tail_cut(t, 0.3), original) for t in (fresh, other)]
    twice = [embed(damage.duplicates(t, 0.5, chance), original) for t in (fresh, other)]
    for same in (cut, twice):
        assert same[0] @ same[1] > max(float(a @ b) for a in same for b in whole)
    assert cut[0] @ cut[1] > max(float(a @ b) for a in cut for b in twice)
    assert blocks(damage.duplicates(fresh, 0.5, chance), original)["repeats"][0] > 1


def test_the_shape_is_by_how_much_wider_it_is() -> None:
    chance = np.random.default_rng(0)
    x = chance.standard_normal((4000, 2))
    sides = [table(x * np.asarray([2.0, 0.5])), table(x)]
    a, b = (Side.of(each, Space.of(sides[1], chance)) for each in sides)
    found = departures._shape(a, departures.Reference(b, None))
    depth = np.asarray(departures.DEPTHS)
    from scipy.stats import norm

    width = 2 * norm.ppf(1 - depth)  # of a standard normal between both depths
    assert np.allclose(found[:, 0], width, rtol=0.15, atol=0.05)
    assert np.allclose(found[:, 1], -width / 2, rtol=0.15, atol=0.05)


@given(hnp.arrays(float, st.tuples(st.integers(1, 40), st.just(3)), elements=st.floats(-1e6, 1e6) | st.just(np.nan)))
def test_depths_are_numpys_quantiles(x: np.ndarray) -> None:
    depths = np.asarray(departures.DEPTHS)
    found = departures._depths(Columns.of(x))
    for j, column in enumerate(x.T):
        known = column[~np.isnan(column)]
        if not len(known):
            assert np.isnan(found[:, j]).all()
        else:
            assert np.array_equal(found[:, j], np.quantile(known, np.concatenate([depths, 1 - depths])))


def test_pairs_target_and_axes_are_what_numpy_says() -> None:
    chance = np.random.default_rng(1)
    base = chance.standard_normal((300, 2, 3)) @ chance.standard_normal((3, 3))
    real, made = (table(base[:, k], target=Target("regression", 0)) for k in (0, 1))
    made = made.with_columns(made.numbers * 0.5, made.codes)
    space = Space.of(real, chance)
    a, b = Side.of(made, space), Side.of(real, space)
    found = departures.measure(a, departures.Reference(b, real.schema.target))
    upper = np.triu_indices(3, 1)
    za, zb = (np.arctanh(np.corrcoef(t.numbers, rowvar=False)[upper]) for t in (made, real))
    assert np.allclose(found["pairs"], [za - zb, np.abs(za) - np.abs(zb)], atol=1e-2)
    ties = [np.abs(np.corrcoef(t.numbers, rowvar=False)[0]) for t in (made, real)]
    assert np.allclose(found["target"][0], ties[0] - ties[1], atol=1e-6)
    value, axes = np.linalg.eigh(np.corrcoef(real.numbers, rowvar=False))
    along = np.diag(axes.T @ np.cov((made.numbers / real.numbers.std(axis=0, ddof=1)), rowvar=False) @ axes)
    assert found["axes"][[-1, 0]] == pytest.approx(np.log(along / value)[[0, -1]], abs=0.02)


@pytest.mark.parametrize("kind", ["constant", "nulls", "codes", "one", "wide"])
def test_odd_tables_have_an_embedding(kind: str) -> None:
    chance = np.random.default_rng(0)
    x = chance.standard_normal((2, 40, 3))
    if kind == "constant":
        x[:] = 1
    if kind == "nulls":
        x[:, :, 0] = np.nan
        x[0, :, 1] = np.nan
    pairs = {
        "codes": [table((), chance.integers(0, 3, (40, 2))) for _ in range(2)],
        "one": [table(chance.standard_normal(40)) for _ in range(2)],
        "wide": [table(chance.standard_normal((40, 150))) for _ in range(2)],
    }
    a, b = pairs.get(kind) or [table(side) for side in x]
    assert np.isfinite(embed(a, b)).all()
