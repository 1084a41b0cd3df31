"""Are rows prepared by the first arm alone, so that a wider, narrower or stranger arm stays so?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import norm
from sklearn.preprocessing import quantile_transform
from unit.collapse.tables import like, table

from foretrain.cascade.losses import losses
from foretrain.cascade.problem import BYTES, Problem, Rows
from foretrain.cascade.rows import masking
from foretrain.cascade.rows.guess import guess
from foretrain.cascade.rows.preparation import FAR, Normal, Scale, Tables, tokens, width
from foretrain.collapse.table import Target

FINITE = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: round(x, 3))


def test_a_continuous_column_becomes_normal() -> None:
    values = np.random.default_rng(0).lognormal(size=20_000)
    made = Normal.of(values)(values)
    assert made.mean() == pytest.approx(0.0, abs=1e-3)
    assert made.std() == pytest.approx(1.0, abs=1e-3)
    known = quantile_transform(values[:, None], n_quantiles=1000, output_distribution="normal", subsample=None)[:, 0]
    inner = np.abs(known) < 3
    assert made[inner] == pytest.approx(known[inner], abs=0.03)


def test_equal_values_get_the_middle_of_their_ranks() -> None:
    values = np.repeat([0.0, 1.0, 2.0], [50, 30, 20])
    score = norm.ppf([0.25, 0.65, 0.9])
    made = Normal.of(values)(np.asarray([0.0, 1.0, 2.0]))
    mean = np.average(score, weights=[5, 3, 2])
    spread = np.sqrt(np.average((score - mean) ** 2, weights=[5, 3, 2]))
    assert made == pytest.approx((score - mean) / spread)


def test_wider_data_stays_wider() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 5000)
    shape = Normal.of(values)
    far = shape(np.asarray([values.max() + k for k in (0.0, 1.0, 2.0, 1e9)]))
    assert np.diff(far[:3]) == pytest.approx(0.5, abs=0.1)
    assert far[3] == FAR
    assert shape(3 + 1.5 * (values - 3)).std() == pytest.approx(1.5, abs=0.05)
    assert shape(3 + 0.5 * (values - 3)).std() == pytest.approx(0.5, abs=0.02)


@given(arrays(np.float64, st.integers(1, 40), elements=FINITE), arrays(np.float64, 10, elements=FINITE))
def test_scores_are_bounded_and_keep_the_order(values: np.ndarray, others: np.ndarray) -> None:
    made = Normal.of(values)(np.sort(np.concatenate([values, others])))
    assert np.isfinite(made).all()
    assert (np.abs(made) <= FAR).all()
    assert (np.diff(made) >= -1e-9).all()


def test_a_constant_column_is_zero_and_what_departs_from_it_is_not() -> None:
    shape = Normal.of(np.full(100, 5.0))
    assert shape(np.asarray([5.0, 6.0, -1e9, np.nan])) == pytest.approx([0.0, 0.2, -FAR, np.nan], nan_ok=True)
    assert not Normal.of(np.full(3, np.nan))(np.asarray([1.0, 2.0])).any()


def test_levels_are_those_of_the_first_arm() -> None:
    first = table([[1.0], [2.0], [np.nan], [4.0]], [[0, 0], [0, 0], [1, -1], [2, 0]])
    rows = Tables.of(first).rows(like(first, [[np.nan], [9.0]], [[3, 0], [-1, 1]]))
    assert rows["codes"].tolist() == [[0, 1], [0, 0]]
    assert rows["nulls"].tolist() == [[1.0], [0.0]]
    assert rows["numbers"][0, 0] == 0.0
    assert rows["numbers"][1, 0] > 1.0
    assert Tables.of(first).problem(first, None) == Problem("table", "masked columns", None, 1, (3, 1))
    assert {name: values.dtype.name for name, values in rows.items()} == {
        "numbers": "float32",
        "nulls": "float32",
        "codes": "int64",
    }


def test_rare_levels_are_read_as_unseen() -> None:
    many = table(codes=np.minimum(np.arange(400), 99))
    assert Tables.of(many).levels == (64,)
    assert set(Tables.of(many).rows(many)["codes"][:, 0]) == set(range(65))


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_target_is_no_input(task: str) -> None:
    chance = np.random.default_rng(0)
    rows = table(chance.normal(size=(50, 2)), chance.integers(0, 3, (50, 2)), target=Target(task, 1))  # type: ignore[arg-type]
    made = Tables.of(rows)
    problem = made.problem(rows, "y")
    assert made.rows(rows)["numbers"].shape == (50, problem.numbers)
    assert made.rows(rows)["codes"].shape == (50, len(problem.levels))
    goal = made.rows(rows)["goal"]
    if task == "classification":
        assert (problem.numbers, problem.levels, problem.classes) == (2, (3,), 3)
        assert goal.tolist() == rows.codes[:, 1].tolist()
    else:
        assert (problem.numbers, problem.levels, problem.classes) == (1, (3, 3), 0)
        assert goal.dtype == np.float32
        assert goal.std() == pytest.approx(1.0, abs=1e-5)


@given(st.lists(st.text(max_size=12), min_size=1, max_size=8))
def test_texts_come_back_from_their_bytes(texts: list[str]) -> None:
    t = width(np.asarray([len(text.encode()) for text in texts]))
    assert 1 <= t <= 256
    for text, row in zip(texts, tokens(texts, 48), strict=True):
        assert (row[row > 0] - 1).astype(np.uint8).tobytes() == text.encode()
        assert not row[len(text.encode()) :].any()
    assert tokens(["abc"], 2).tolist() == [[98, 99]]


def test_images_are_scaled_by_channel() -> None:
    images = np.random.default_rng(0).normal([[[5.0]], [[-3.0]], [[0.0]]], [[[2.0]], [[1.0]], [[0.0]]], (200, 3, 4, 4))
    made = Scale.of(images)(images)
    assert made.mean((0, 2, 3)) == pytest.approx(0.0, abs=1e-5)
    assert made.std((0, 2, 3)) == pytest.approx([1.0, 1.0, 0.0], abs=1e-3)
    assert Scale.of(images)(images * 100).max() == FAR


# The constant guess has the losses that nets have whose output is that constant


def constant(problem: Problem, rows: Rows, output: np.ndarray) -> float:
    batch = {name: torch.from_numpy(np.ascontiguousarray(values))[None] for name, values in rows.items()}
    places = [problem.shape[0] + 1] if problem.data == "text" else []
    shape = [1, len(rows[next(iter(rows))]), *places, problem.outputs]
    return float(losses(problem, torch.from_numpy(output).float().expand(shape), batch).mean())


def frequencies(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.log(np.bincount(labels.ravel(), minlength=classes) + 1.0)


def test_the_guess_of_a_class_and_of_a_number() -> None:
    chance = np.random.default_rng(0)
    problem = Problem("table", "classification", "y", classes=4)
    train, held = ({"goal": chance.integers(0, 3, n)} for n in (90, 50))
    assert guess(problem, train, held) == pytest.approx(
        constant(problem, held, frequencies(train["goal"], 4)), rel=1e-5
    )
    problem = Problem("table", "regression", "y")
    train, held = ({"goal": chance.normal(1.0, 1.0, n).astype(np.float32)} for n in (90, 50))
    assert guess(problem, train, held) == pytest.approx(constant(problem, held, train["goal"].mean()[None]), rel=1e-5)


def test_the_guess_of_masked_columns() -> None:
    chance = np.random.default_rng(0)
    x, c = chance.normal(2.0, 1.0, (300, 2)), chance.integers(0, 3, (300, 2))
    x[chance.random(x.shape) < 0.2] = np.nan
    first = table(x, c)
    made = Tables.of(first)
    problem, train = made.problem(first, None), made.rows(first)
    held, which = masking.hide_columns(first, made.rows(first.take(slice(0, 100))))
    assert set(which) <= set(range(100))
    assert not ((held["masked"][:, :2] > 0) & (held["nulls"] > 0)).any()
    means = [train["numbers"][train["nulls"][:, j] == 0, j].mean() for j in range(2)]
    output = np.concatenate([means, *(frequencies(train["codes"][:, j], 4) for j in range(2))])
    assert guess(problem, train, held) == pytest.approx(constant(problem, held, output), rel=1e-5)


def test_the_guess_of_bytes_and_of_pixels() -> None:
    chance = np.random.default_rng(0)
    problem = Problem("text", "next byte", None, shape=(9,))
    train, held = ({"tokens": tokens(["ab" * k for k in chance.integers(0, 6, n)], 9)} for n in (80, 40))
    seen = np.concatenate([train["tokens"][train["tokens"] > 0], np.zeros(80, np.int64)])
    assert guess(problem, train, held) == pytest.approx(constant(problem, held, frequencies(seen, BYTES)), rel=1e-5)
    problem = Problem("image", "masked pixels", None, shape=(3, 5, 5))
    train = {"pixels": chance.normal(1.0, 1.0, (60, 3, 5, 5)).astype(np.float32)}
    held = masking.hide_pixels(train["pixels"].astype(np.float64), {"pixels": train["pixels"][:20] + 1})
    assert held["hidden"].sum(axis=(1, 2)).tolist() == [2.0] * 20
    assert guess(problem, train, held) == pytest.approx(
        constant(problem, held, train["pixels"].mean(axis=0).ravel()), rel=1e-5
    )
