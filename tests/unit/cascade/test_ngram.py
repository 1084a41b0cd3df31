"""Does counting bytes give a proper distribution, and learn what a text repeats?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.cascade.test_children import written

from foretrain.cascade.generation.backoff import Backoff
from foretrain.cascade.problem import BYTES, Arm, Problem
from foretrain.cascade.rows.preparation import tokens
from foretrain.cascade.tiers.ngram import NGRAM
from foretrain.cascade.tiers.tier import Run, Trained

T = 32
PROBLEM = Problem("text", "next byte", None, shape=(T,))


def arm(texts: list[str]) -> Arm:
    cut = round(0.85 * len(texts))
    return Arm({"tokens": tokens(texts[:cut], T)}, {"tokens": tokens(texts[cut:], T)})


def fit(texts: list[str], held_out: list[str], seed: int = 0) -> Trained:
    return NGRAM.fit(PROBLEM, Run(0, "original"), arm(texts), {"tokens": tokens(held_out, T)}, {"context": 4}, seed)


def reference(texts: list[str], longest: int, before: list[int], token: int) -> float:
    """Witten and Bell, as they write it, one token at a time."""
    likely = 1.0 / BYTES
    for k in range(longest + 1):
        context = ([0] * k + before)[len(before) :] if k else []
        seen = []
        for text in texts:
            line = [0] * k + [byte + 1 for byte in text.encode()] + [0]
            seen += [line[i] for i in range(k, len(line)) if line[i - k : i] == context]
        if seen:
            kinds = len(set(seen))
            likely = (seen.count(token) + kinds * likely) / (len(seen) + kinds)
    return likely


TEXTS = st.lists(st.text("ab", max_size=6), min_size=1, max_size=5)


@given(TEXTS, st.text("abc", min_size=1, max_size=6), st.integers(0, 3))
def test_costs_are_those_of_witten_and_bell(texts: list[str], text: str, longest: int) -> None:
    model = Backoff.of(tokens(texts, 6), longest)
    costs = [*model.costs(tokens([text], 6))][-1][0]
    line = [byte + 1 for byte in text.encode()]
    wanted = [-np.log(reference(texts, longest, line[:i], token)) for i, token in enumerate([*line, 0])]
    assert costs[: len(line) + 1] == pytest.approx(wanted)
    assert not costs[len(line) + 1 :].any()


@given(TEXTS, st.text("ab", max_size=4))
def test_probabilities_of_all_tokens_sum_to_one(texts: list[str], before: str) -> None:
    model = Backoff.of(tokens(texts, 6), 3)
    place = len(before)
    every = np.repeat(tokens([before], 6), BYTES, axis=0)
    every[:, place] = np.arange(BYTES)
    costs = [*model.costs(every)][-1]
    assert np.exp(-costs[:, place]).sum() == pytest.approx(1.0)


def test_what_repeats_is_learned_and_copies_cost() -> None:
    texts, held = written(600, 0), written(300, 1)
    found = fit(texts, held)
    copied = fit([texts[k % 20] for k in range(600)], held)
    assert found.loss is not None
    assert copied.loss is not None
    assert found.loss.shape == (300,)
    assert found.loss.mean() < 0.9
    assert copied.loss.mean() > found.loss.mean() + 0.05
    assert [point.step for point in found.curve] == [1, 2, 3, 4, 5]
    assert found.curve[-1].validation < found.curve[0].validation
    assert (found.ending, found.right) == ("converged", None)


def test_the_context_is_tuned_and_the_seed_draws_rows() -> None:
    texts = written(600, 0)
    assert NGRAM.tune(PROBLEM, arm(texts), 0)["context"] >= 2
    noise = ["".join(np.random.default_rng(k).choice([*"abcdefgh"], 20)) for k in range(300)]
    assert NGRAM.tune(PROBLEM, arm(noise), 0)["context"] <= 1
    one, again, other = (fit(texts, texts, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.loss, again.loss)
    assert not np.array_equal(one.loss, other.loss)


def test_texts_without_letters_and_cut_texts() -> None:
    assert np.isfinite(fit(["", "a"] * 30, ["", "zz", "x" * 99]).loss).all()
