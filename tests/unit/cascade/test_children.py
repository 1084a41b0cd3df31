"""Do generations of children drift as theory says that refits on their own samples must?"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import psi
from unit.collapse.tables import table

from foretrain.cascade.generation.backoff import Backoff
from foretrain.cascade.generation.child import TITLES, choose, draw, draw_texts
from foretrain.cascade.rows.preparation import tokens
from foretrain.collapse.loops.tree import Trees
from foretrain.collapse.table import Table, Target
from foretrain.errors import SettingsError
from foretrain.seeds import stream


def generations(rows: Table, generator: str, count: int, chance: np.random.Generator) -> list[Table]:
    """The rows, their child, its child, ..."""
    line = [rows]
    for _ in range(count):
        line.append(draw(line[-1], generator, len(rows), chance))
    return line


def close(values: np.ndarray, wanted: float, errors: float = 4.0) -> bool:
    """Whether a mean over independent runs is what theory says, within some standard errors."""
    return bool(abs(values.mean() - wanted) <= errors * values.std() / np.sqrt(values.size))


# Gaussian, M rows, d columns: log-variance falls by psi((M-1)/2) - ln((M-1)/2) a generation, log det by a sum of these.

M, D, REFITS, RUNS = 30, 3, 6, 700


@pytest.fixture(scope="module")
def covariances() -> np.ndarray:
    """Covariances of the first and the last generation, (runs, 2, columns, columns)."""
    out = []
    for run in range(RUNS):
        chance = stream(0, "gaussian", run)
        line = generations(table(chance.normal(size=(M, D))), "gaussian", REFITS, chance)
        out.append([np.cov(rows.numbers, rowvar=False) for rows in (line[0], line[-1])])
    return np.asarray(out)


def test_log_variance_falls(covariances: np.ndarray) -> None:
    fall = np.diff(np.log(np.diagonal(covariances, axis1=2, axis2=3)), axis=1)
    wanted = REFITS * (psi((M - 1) / 2) - np.log((M - 1) / 2))
    assert close(fall, wanted)
    assert not close(fall, 0.0, 8)
    assert wanted == pytest.approx(-REFITS / (M - 1), rel=0.03)


def test_the_mean_variance_stays_while_its_median_falls(covariances: np.ndarray) -> None:
    ratio = np.divide(*np.moveaxis(np.diagonal(covariances, axis1=2, axis2=3), 1, 0)[::-1])
    assert close(ratio, 1.0)
    assert np.median(ratio) < 0.9


def test_log_determinant_falls_faster(covariances: np.ndarray) -> None:
    fall = np.diff(np.linalg.slogdet(covariances)[1], axis=1)
    wanted = REFITS * (sum(psi((M - i) / 2) for i in range(1, D + 1)) - D * np.log((M - 1) / 2))
    assert close(fall, wanted)
    assert not close(fall, D * REFITS * (psi((M - 1) / 2) - np.log((M - 1) / 2)), 6)


# Categories, Zipf frequencies: a tree on one column draws values with replacement (Wright and Fisher).


def zipf(rows: int) -> Table:
    share = 1 / np.arange(1, rows + 1)
    count = np.maximum(1, np.floor(rows * share / share.sum()).astype(int))
    return table(codes=np.repeat(np.arange(rows), count)[:rows])


def test_heterozygosity_and_support_of_categories_fall() -> None:
    rows, refits, runs = 200, 12, 200
    first = zipf(rows)
    p = np.bincount(first.codes[:, 0], minlength=rows) / rows
    gini, support = [], []
    for run in range(runs):
        line = generations(first, "trees", refits, stream(0, "alleles", run))
        shares = np.bincount(line[-1].codes[:, 0]) / rows
        gini.append(1 - (shares**2).sum())
        support.append(len(np.unique(line[1].codes)))
    assert close(np.asarray(gini), (1 - (p**2).sum()) * (1 - 1 / rows) ** refits)
    assert close(np.asarray(support), (1 - (1 - p) ** rows).sum())
    assert not close(np.asarray(gini), 1 - (p**2).sum(), 6)


# Least squares: y = x b + noise through a Gaussian of all columns.


def test_noise_shrinks_and_coefficients_wander_in_least_squares() -> None:
    """Residual variance keeps (N-1-d)/(N-1) a refit; each refit moves b by noise over an inverse Wishart of x."""
    n, d, refits, runs = 60, 4, 4, 800
    slopes = np.asarray([1.0, -0.5, 0.25, 2.0])
    noise, error = [], []
    for run in range(runs):
        chance = stream(0, "least squares", run)
        x = chance.normal(size=(n, d))
        rows = table(np.column_stack([x, x @ slopes + chance.normal(size=n)]))
        last = generations(rows, "gaussian", refits, chance)[-1].numbers
        spread = np.cov(last, rowvar=False)
        found = np.linalg.solve(spread[:d, :d], spread[:d, d])
        noise.append(spread[d, d] - spread[:d, d] @ found)
        error.append(((found - slopes) ** 2).sum())
    kept = (n - 1 - d) / (n - 1)
    assert close(np.asarray(noise), kept ** (refits + 1))
    widened = (n - 1) / (n - d - 2)
    wanted = sum(d / (n - d - 2) * (kept * widened) ** k for k in range(refits + 1))
    assert close(np.asarray(error), wanted)
    assert not close(np.asarray(error), d / (n - d - 2), 6)
    assert wanted == pytest.approx((refits + 1) * d / (n - d - 1), rel=0.1)


# A kernel density estimate inflates: v' = (1 - 1/N)(v + h^2).


def test_a_kernel_inflates_variance() -> None:
    n, refits, runs = 150, 6, 400
    h = (4 / 3) ** 0.2 * n**-0.2  # Silverman, in deviations
    ratio = []
    for run in range(runs):
        chance = stream(0, "kernel", run)
        first = table(chance.normal(size=(n, 1)))
        ratio.append(generations(first, "kernel", refits, chance)[-1].numbers.var() / first.numbers.var())
    assert close(np.asarray(ratio), ((1 - 1 / n) * (1 + h**2)) ** refits)
    assert np.mean(ratio) > 1.5


# The generators of one kind of data each


@pytest.mark.parametrize(
    ("data", "wanted", "found"),
    [
        ("table", "auto", "trees"),
        ("text", "auto", "bytes"),
        ("image", "auto", "components"),
        ("image", "trees", "trees"),
    ],
)
def test_each_kind_of_data_has_its_generator(data: str, wanted: str, found: str) -> None:
    assert choose(data, wanted) == found  # type: ignore[arg-type]
    assert found in TITLES


@pytest.mark.parametrize(("data", "wanted"), [("table", "bytes"), ("text", "trees"), ("image", "bytes")])
def test_a_generator_of_other_data_is_refused(data: str, wanted: str) -> None:
    with pytest.raises(SettingsError, match=f"{wanted} makes no {data}s"):
        choose(data, wanted)  # type: ignore[arg-type]


@pytest.mark.parametrize("generator", ["trees", "copula", "gaussian", "mixture", "kernel", "components"])
def test_children_of_tables_hold_the_same_columns(generator: str) -> None:
    chance = np.random.default_rng(0)
    x = chance.normal(size=(200, 3))
    x[:, 1], x[:, 2] = np.nan, np.rint(x[:, 2])
    x[:20, 0] = np.nan
    rows = table(x, np.column_stack([chance.integers(0, 3, 200), np.full(200, -1)]), target=Target("classification", 0))
    rows = replace(rows, schema=replace(rows.schema, levels=(3, 1)))
    first, again = (draw(rows, generator, 150, stream(1, "child")) for _ in range(2))
    assert len(first) == 150
    assert np.array_equal(first.numbers, again.numbers, equal_nan=True)
    assert np.array_equal(first.codes, again.codes)
    assert np.isnan(first.numbers[:, 1]).all()
    assert (first.codes[:, 1] == -1).all()
    assert set(first.codes[:, 0]) == {0, 1, 2}


def test_components_keep_a_class_and_its_shape() -> None:
    chance = np.random.default_rng(0)
    label = chance.integers(0, 2, 3000)
    axes = chance.normal(size=(2, 3, 40))
    x = 5.0 + label[:, None] + np.einsum("nk,nkd->nd", chance.normal(size=(3000, 3)), axes[label])
    rows = table(x, label, target=Target("classification", 0))
    made = draw(rows, "components", 3000, chance)
    assert made.codes.mean() == pytest.approx(label.mean(), abs=0.04)
    for k in (0, 1):
        was, now = (np.cov(t.numbers[t.codes[:, 0] == k], rowvar=False) for t in (rows, made))
        assert np.linalg.norm(now - was) < 0.15 * np.linalg.norm(was)
        assert np.linalg.matrix_rank(now, tol=0.3) == 3


def test_wide_tables_keep_what_their_target_is_told_from() -> None:
    chance = np.random.default_rng(0)
    x = chance.normal(size=(1500, 60))
    goal = x[:, 17] + x[:, 50] > 0
    rows = table(np.column_stack([x, x[:, :30] + 0.5 * x[:, 30:]]), goal, target=Target("classification", 0))
    model = Trees(quick=True)
    model.fit(rows, chance)
    made = model.draw(1500, chance)
    tied = [np.corrcoef(made.numbers[:, j], made.numbers[:, 60 + j])[0, 1] for j in range(30)]
    assert np.mean(tied) > 0.7
    told = made.codes[:, 0] == (made.numbers[:, 17] + made.numbers[:, 50] > 0)
    assert told.mean() > 0.75


# Texts


def written(rows: int, seed: int) -> list[str]:
    chance = np.random.default_rng(seed)
    return [" ".join(chance.choice(["the", "cat", "sees", "a", "dog"], chance.integers(1, 8))) for _ in range(rows)]


def test_texts_are_drawn_from_what_was_counted() -> None:
    texts = written(2000, 0)
    made = draw_texts(tokens(texts, 40), 2000, np.random.default_rng(0))
    assert made.shape == (2000, 40)
    ended = (made > 0).sum(axis=1)
    assert all(not row[k:].any() for row, k in zip(made, ended, strict=True))
    back = [(row[row > 0] - 1).astype(np.uint8).tobytes().decode(errors="replace") for row in made]
    was, now = (Counter(word for text in side for word in text.split()) for side in (texts, back))
    known = sum(now[word] for word in was) / now.total()
    assert known > 0.97
    for word in was:
        assert now[word] / now.total() == pytest.approx(was[word] / was.total(), abs=0.03)
    assert ended.mean() == pytest.approx(np.mean([len(text) for text in texts]), rel=0.05)


def test_bytes_follow_each_other_as_often_as_the_model_says() -> None:
    """The draw is from the model whose costs are read: the mean cost of its own texts is its entropy."""
    model = Backoff.of(tokens(written(300, 0), 30), 2)
    drawn = model.draw(20_000, 30, np.random.default_rng(1))
    first = np.bincount(drawn[:, 0], minlength=257) / 20_000
    every = np.zeros((257, 1), np.int64)
    every[:, 0] = np.arange(257)
    cost = [*model.costs(every)][-1][:, 0]
    assert np.exp(-cost).sum() == pytest.approx(1.0)
    assert first == pytest.approx(np.exp(-cost), abs=0.015)
