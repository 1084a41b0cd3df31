"""Do the text measures agree with counts by hand and with the eigenvalues that define the Vendi score?"""

import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from foretrain.diversity import sentence_encoder
from foretrain.diversity.semantic import Texts, compression_ratio, distinct, embedded, hashed, self_repetition, vendi
from foretrain.errors import ModelError

WORDS = st.lists(st.sampled_from("abc"), max_size=8).map(" ".join)


@given(st.lists(WORDS, max_size=8), st.integers(1, 4))
def test_distinct_runs_and_repetition_against_sets(documents: list[str], n: int) -> None:
    split = [document.split() for document in documents]
    runs = [[tuple(words[start : start + n]) for start in range(len(words) - n + 1)] for words in split]
    texts = Texts.of(documents)
    every = [run for each in runs for run in each]
    long = [set(each) for each in runs if each]
    if not every:
        assert np.isnan(distinct(texts, n))
        assert np.isnan(self_repetition(texts, n))
        return
    assert distinct(texts, n) == pytest.approx(len(set(every)) / len(every))
    shared = sum(any(run in other for other in long if other is not each for run in each) for each in long)
    assert self_repetition(texts, n) == pytest.approx(shared / len(long))


def test_words_and_marks_in_lower_case() -> None:
    texts = Texts.of(["Don't stop, Zoë!", "", "日本 語"])
    assert [texts.words[each] for each in texts.ids] == ["don", "'", "t", "stop", ",", "zoë", "!", "日本", "語"]
    assert texts.homes.tolist() == [0] * 7 + [2] * 2
    assert texts.take(np.array([2])).ids.size == 2


def test_compression_is_zlib_of_the_tokens() -> None:
    data = b"a a a a a a a a a a\nb\n"
    assert compression_ratio(Texts.of(["a " * 10, "B"])) == pytest.approx(len(data) / len(zlib.compress(data, 6)))
    assert np.isnan(compression_ratio(Texts.of(["", ""])))


def test_vendi_is_the_inverse_of_the_squared_eigenvalues() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 6))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    values = np.linalg.eigvalsh(unit @ unit.T / 40)
    assert vendi(3.0 * rows) == pytest.approx(1.0 / (values**2).sum())
    assert vendi(np.eye(9)) == pytest.approx(9.0)
    assert vendi(np.ones((9, 3))) == pytest.approx(1.0)
    assert vendi(csr_array(rows)) == pytest.approx(vendi(rows))
    # Rows of zeros are each unlike any other.
    assert vendi(np.zeros((5, 2))) == pytest.approx(5.0)


def test_hashed_texts_tell_topics_apart() -> None:
    topics = ["red apple and green pear", "the fast train was late", "a quiet sea at night"]
    texts = [f"{topic} {number}" for number in range(20) for topic in topics]
    assert 2.0 < vendi(hashed(texts)) < 8.0
    assert vendi(hashed(texts)) > vendi(hashed(texts[::3])) * 1.5
    points = embedded(hashed(texts), 0)
    near = (points @ points.T)[0].reshape(20, 3).mean(axis=0)
    assert near[0] > 2 * near[1:].max()


def test_an_encoder_without_its_library_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(ModelError, match=r"not installed\. Install foretrain\[text\]"):
        sentence_encoder("a-model")
