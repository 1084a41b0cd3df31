"""Do the self-consuming loops drift as theory says they must?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pytest
import torch
from scipy.special import psi
from scipy.stats import ks_2samp
from unit.collapse.tables import table

from foretrain.collapse.loops.copula import Copula
from foretrain.collapse.loops.gaussian import Gaussian, GaussianMixture
from foretrain.collapse.loops.generator import Axes, Generator, Nulls, complete
from foretrain.collapse.loops.kernel import Kernel
from foretrain.collapse.loops.recipes import GENERATORS, collapsed, consume, healthy
from foretrain.collapse.loops.simulated import Simulated
from foretrain.collapse.loops.tree import Trees
from foretrain.collapse.table import Table
from foretrain.seeds import stream

ROWS, REFITS, RUNS = 20, 8, 400


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Threads of a network this small wait for each other longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def last(rows: Table, generator: Callable[[], Generator], generations: int, chance: np.random.Generator) -> Table:
    return next(islice(consume(rows, generator, generations, chance), generations - 1, None))


@pytest.fixture(scope="module")
def gaussian_runs() -> np.ndarray:
    """Covariances of three columns before and after some refits of a Gaussian, (runs, 2, 3, 3)."""
    out = []
    for run in range(RUNS):
        chance = stream(0, "refits", run)
        first = table(chance.normal(size=(ROWS, 3)))
        out.append([np.cov(t.numbers, rowvar=False) for t in (first, last(first, Gaussian, REFITS, chance))])
    return np.asarray(out)


def test_log_variance_falls_at_every_refit(gaussian_runs: np.ndarray) -> None:
    """E ln s^2 = n [psi((M-1)/2) - ln((M-1)/2)]: chi-square factors multiply."""
    gap = np.diff(np.log(np.diagonal(gaussian_runs, axis1=2, axis2=3)), axis=1)[:, 0]
    wanted = REFITS * (psi((ROWS - 1) / 2) - np.log((ROWS - 1) / 2))
    error = gap.std() / np.sqrt(gap.size)
    assert gap.mean() == pytest.approx(wanted, abs=4 * error)
    assert abs(wanted) > 8 * error  # the test can tell it from no drift


def test_the_mean_variance_stays_while_the_median_falls(gaussian_runs: np.ndarray) -> None:
    ratio = np.divide(*np.moveaxis(np.diagonal(gaussian_runs, axis1=2, axis2=3), 1, 0)[::-1])
    assert ratio.mean() == pytest.approx(1.0, abs=4 * ratio.std() / np.sqrt(ratio.size))
    assert np.median(ratio) < 0.75


def test_log_determinant_falls_with_the_square_of_dimensions(gaussian_runs: np.ndarray) -> None:
    """E ln det = n [sum_i psi((M-i)/2) - d ln((M-1)/2)]."""
    gap = np.diff(np.linalg.slogdet(gaussian_runs)[1], axis=1)[:, 0]
    wanted = REFITS * (sum(psi((ROWS - i) / 2) for i in (1, 2, 3)) - 3 * np.log((ROWS - 1) / 2))
    assert gap.mean() == pytest.approx(wanted, abs=4 * gap.std() / np.sqrt(RUNS))


@pytest.mark.parametrize("generator", [Trees, Copula])
def test_categories_drift_like_alleles(generator: Callable[[], Generator]) -> None:
    """Wright and Fisher: E(1 - sum p^2) falls by 1 - 1/M, and M draws see sum 1 - (1-p)^M categories."""
    rows, generations, runs = 150, 10, 60
    share = 1 / np.arange(1, 151)
    first = table(
        codes=np.repeat(np.arange(150), np.maximum(1, np.rint(rows * share / share.sum()).astype(int)))[:rows]
    )
    p = np.bincount(first.codes[:, 0]) / rows
    gini, seen = [], []
    for run in range(runs):
        tables = list(consume(first, generator, generations, stream(0, "alleles", run)))
        seen.append(len(np.unique(tables[0].codes)))
        gini.append(1 - ((np.bincount(tables[-1].codes[:, 0]) / rows) ** 2).sum())
    wanted = (1 - (p**2).sum()) * (1 - 1 / rows) ** generations
    assert np.mean(gini) == pytest.approx(wanted, abs=4 * np.std(gini) / np.sqrt(runs))
    assert np.mean(seen) == pytest.approx((1 - (1 - p) ** rows).sum(), abs=4 * np.std(seen) / np.sqrt(runs))


def test_a_kernel_inflates_variance() -> None:
    """A refit draws from variance v (1 + h^2) and its sample has 1 - 1/N of that."""
    rows, generations, h, runs = 100, 10, 0.3, 150
    ratio = []
    for run in range(runs):
        chance = stream(0, "kernel", run)
        first = table(chance.normal(size=(rows, 3)))
        ratio.append(
            last(first, lambda: Kernel(h), generations, chance).numbers.var(axis=0) / first.numbers.var(axis=0)
        )
    wanted = ((1 - 1 / rows) * (1 + h**2)) ** generations
    assert wanted > 2
    assert np.mean(ratio) == pytest.approx(wanted, abs=4 * np.std(ratio) / np.sqrt(3 * runs))


def test_biased_sampling_shrinks_by_its_square() -> None:
    """Pulled to the mean by l after every refit, E s^2 = l^(2n)."""
    rows, generations, runs = 100, 6, 150
    ratio = []
    for run in range(runs):
        chance = stream(0, "biased", run)
        first = table(chance.normal(size=(rows, 2)))
        made = list(consume(first, Gaussian, generations, chance, temperature=0.9))[-1]
        ratio.append(made.numbers.var(axis=0, ddof=1) / first.numbers.var(axis=0, ddof=1))
    assert np.mean(ratio) == pytest.approx(0.9 ** (2 * generations), abs=4 * np.std(ratio) / np.sqrt(2 * runs))


def mixed(rows: int = 300, seed: int = 0) -> Table:
    """Numbers tied to each other, a whole one, and two categories, with gaps."""
    rng = np.random.default_rng(seed)
    x = rng.normal(5, 2, (rows, 2))
    x[:, 1] += x[:, 0]
    c = np.column_stack([(x[:, 0] > 5) * 1, rng.choice(3, rows, p=[0.6, 0.3, 0.1])])
    x[rng.random(rows) < 0.1, 1] = np.nan
    c[rng.random(rows) < 0.1, 1] = -1
    return table(x, c)


@pytest.mark.parametrize("name", list(GENERATORS))
def test_one_generation_is_much_like_the_table(name: str) -> None:
    rows = mixed()
    made = next(consume(rows, GENERATORS[name], 1, np.random.default_rng(1), rows=600))
    assert len(made) == 600
    assert made.schema is rows.schema
    assert np.nanmean(made.numbers, axis=0) == pytest.approx(np.nanmean(rows.numbers, axis=0), abs=1.0)
    assert np.nanstd(made.numbers, axis=0) == pytest.approx(np.nanstd(rows.numbers, axis=0), rel=0.4)
    assert np.isnan(made.numbers).mean(axis=0) == pytest.approx([0.0, 0.1], abs=0.05)
    full = ~np.isnan(made.numbers[:, 1])
    assert np.corrcoef(made.numbers[full], rowvar=False)[0, 1] == pytest.approx(0.7, abs=0.25)
    assert made.codes.min() == -1
    assert made.codes.max() < 3
    shares = np.bincount(made.codes[:, 1] + 1, minlength=4) / 600
    assert shares == pytest.approx([0.1, 0.54, 0.27, 0.09], abs=0.13)


@pytest.mark.parametrize("name", list(GENERATORS))
def test_a_generator_draws_by_the_seed_alone(name: str) -> None:
    drawn = []
    for seed in (1, 1, 2):
        model, chance = GENERATORS[name](), np.random.default_rng(seed)
        model.fit(mixed(80), chance)
        drawn.append(np.hstack([(t := model.draw(50, chance)).numbers, t.codes]))
    assert np.array_equal(drawn[0], drawn[1], equal_nan=True)
    assert not np.array_equal(drawn[0], drawn[2], equal_nan=True)


@pytest.mark.parametrize("name", list(GENERATORS))
def test_whole_numbers_stay_whole(name: str) -> None:
    rows = table(np.random.default_rng(0).integers(0, 9, (100, 2)), whole=True)
    made = next(consume(rows, GENERATORS[name], 1, np.random.default_rng(1)))
    assert (made.numbers == np.rint(made.numbers)).all()


def test_a_mixture_finds_its_components() -> None:
    rng = np.random.default_rng(0)
    rows = table(np.concatenate([rng.normal(-5, 0.5, (150, 1)), rng.normal(5, 0.5, (150, 1))]))
    model = GaussianMixture(2)
    model.fit(rows, rng)
    made = model.draw(400, rng).numbers
    assert (np.abs(np.abs(made) - 5) < 2.5).mean() > 0.98
    assert (made > 0).mean() == pytest.approx(0.5, abs=0.1)


def test_gaps_are_filled_and_put_back() -> None:
    rows = mixed(2000)
    full = complete(rows)
    assert not np.isnan(full.numbers).any()
    assert full.codes.min() == 0
    gap = np.isnan(rows.numbers[:, 1])
    assert set(full.numbers[gap, 1]) == {np.nanmedian(rows.numbers[:, 1])}
    back = Nulls(rows).put_back(full, np.random.default_rng(0))
    assert np.isnan(back.numbers).mean(axis=0) == pytest.approx([0, 0.1], abs=0.03)
    assert (back.codes < 0).mean(axis=0) == pytest.approx([0, 0.1], abs=0.03)


def test_axes_lead_there_and_back() -> None:
    full = complete(mixed())
    axes = Axes(full)
    back = axes.back(axes.forward(full), full)
    assert back.numbers == pytest.approx(full.numbers)
    assert (back.codes == full.codes).all()


def test_the_recipes_are_made_by_the_seed_alone() -> None:
    rows = mixed(160)
    made = [
        [*healthy(rows.take(slice(0, 80)), rows.take(slice(80, None)), np.random.default_rng(seed))] for seed in (3, 3)
    ]
    assert [m.mechanism for m in made[0]] == [m.mechanism for m in made[1]]
    for one, other in zip(*made, strict=True):
        assert one.healthy
        assert one.strength == other.strength
        assert np.array_equal(one.table.numbers, other.table.numbers, equal_nan=True), one.mechanism
        assert (one.table.codes == other.table.codes).all(), one.mechanism


def test_collapsed_candidates_come_from_every_mechanism(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(GENERATORS, "autoencoder")  # tested alone above; it takes a second
    rows = mixed(120)
    found = [*collapsed(rows.take(slice(0, 60)), rows.take(slice(60, None)), np.random.default_rng(0))]
    assert not any(made.healthy for made in found)
    mechanisms = {made.mechanism.removesuffix("_biased") for made in found}
    direct = {"duplicates", "near_copies", "mode_drop", "tail_cut", "temperature", "correlation_break", "label_noise"}
    assert mechanisms == direct | {"rare_loss"} | {f"loop_{name}" for name in GENERATORS}


def test_a_simulated_table_is_drawn_from_one_model() -> None:
    for seed in range(8):
        model, again = Simulated(np.random.default_rng(seed)), Simulated(np.random.default_rng(seed))
        one, other = (m.draw(400, np.random.default_rng(9)) for m in (model, again))
        assert one.schema == other.schema
        assert np.array_equal(one.numbers, other.numbers)
        assert (one.codes == other.codes).all()
        assert one.schema.target is not None
        assert (one.codes.max(axis=0, initial=0) < np.asarray(one.schema.levels or (1,))).all()
        fresh = model.draw(400, np.random.default_rng(10))
        far = [ks_2samp(a, b).statistic for a, b in zip(one.numbers.T, fresh.numbers.T, strict=True)]
        assert max(far, default=0.0) < 2.23 * np.sqrt(2 / 400)  # one in ten thousand by chance
