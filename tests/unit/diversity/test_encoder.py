"""Does a sentence-transformers model of one's own see what texts mean, where words alone do not?

The model is a small one, made here: words that mean the same have the same vector, and a text is the mean of its words.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from unit.profile.stored import stored

from foretrain.data.reference import Column, Kind
from foretrain.diversity import Measure, measure, sentence_encoder
from foretrain.errors import ModelError
from foretrain.settings import DiversitySettings, Settings

MEANINGS, SYNONYMS, ROWS = 40, 12, 300
KNOWN = [Column(name="note", kind=Kind.TEXT, source_type="")]


def word(meaning: int, synonym: int) -> str:
    return f"word{meaning}x{synonym}"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    words = {"[UNK]": 0} | {word(at // SYNONYMS, at % SYNONYMS): at + 1 for at in range(MEANINGS * SYNONYMS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    meanings = np.random.default_rng(0).normal(size=(MEANINGS, 64)).astype(np.float32)
    vectors = np.concatenate([np.zeros((1, 64), np.float32), meanings.repeat(SYNONYMS, axis=0)])
    folder = tmp_path_factory.mktemp("model")
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_weights=vectors)]).save(str(folder))
    return folder


def texts(said: np.ndarray, seed: int) -> list[str]:
    """One text a row of meanings, each meaning in one of its words by chance."""
    synonyms = np.random.default_rng(seed).integers(0, SYNONYMS, said.shape)
    return [" ".join(map(word, *row)) for row in zip(said.tolist(), synonyms.tolist(), strict=True)]


def varied(seed: int) -> list[str]:
    return texts(np.random.default_rng(seed).integers(0, MEANINGS, (ROWS, 5)), seed)


ORIGINAL, VARIED = varied(1), varied(2)
PARAPHRASED = texts(np.random.default_rng(3).integers(0, MEANINGS, (4, 5))[np.arange(ROWS) % 4], 3)
REPEATED = [VARIED[at % 4] for at in range(ROWS)]


def found(notes: list[str], root: Path, encoder: Path | None, seed: int = 0) -> dict[str, Measure]:
    settings = Settings(seed=seed, diversity=DiversitySettings(encoder=str(encoder) if encoder else None))
    candidate, original = (
        stored(pa.table({"note": side}), KNOWN, root / name, settings)
        for name, side in (("candidate", notes), ("original", ORIGINAL))
    )
    return {each.name: each for each in measure(candidate, original, settings).semantic}


def test_the_encoder_reads_a_text_by_its_words(model: Path) -> None:
    encode = sentence_encoder(str(model))
    vectors = encode([word(3, 0), word(3, 1).upper(), word(4, 0), f"{word(3, 0)} {word(4, 0)}"])
    assert vectors.shape == (4, 64)
    assert vectors.dtype == float
    assert vectors[0] == pytest.approx(vectors[1])
    assert vectors[3] == pytest.approx((vectors[0] + vectors[2]) / 2)


def test_repeats_and_paraphrases_are_less_diverse_than_varied_texts(model: Path, tmp_path: Path) -> None:
    assert len(set(PARAPHRASED)) == ROWS
    same = found(VARIED, tmp_path / "varied", model)["vendi"]
    assert same.fresh is not None
    assert same.fresh[0] <= same.candidate <= same.fresh[1]
    for name, notes in (("paraphrased", PARAPHRASED), ("repeated", REPEATED)):
        less = found(notes, tmp_path / name, model)
        assert less["vendi"].candidate < 0.3 * same.fresh[0]
        # Four things are said, and a draw is half a table.
        assert less["vendi"].candidate == pytest.approx(4 / (ROWS / 2), rel=0.3)
        assert less["text_coverage"].candidate < 0.5 * less["text_coverage"].fresh[0]
    # What it is for: by their words alone, paraphrases are as different as texts that say different things.
    assert found(PARAPHRASED, tmp_path / "words", None)["vendi"].candidate > same.fresh[0]


def test_the_same_seed_gives_the_same_result(model: Path, tmp_path: Path) -> None:
    one = found(VARIED, tmp_path / "one", model)
    assert found(VARIED, tmp_path / "other", model) == one
    assert found(VARIED, tmp_path / "third", model, seed=5) != one


@pytest.mark.parametrize("damaged", ["model.safetensors", "tokenizer.json", "modules.json"])
def test_a_damaged_model_is_one_clear_line(damaged: str, model: Path) -> None:
    file = model / damaged
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    try:
        with pytest.raises(ModelError, match="could not be loaded") as caught:
            sentence_encoder(str(model))
    finally:
        file.write_bytes(whole)
    assert "\n" not in str(caught.value)
    assert str(model) in str(caught.value)


def test_a_model_that_is_nowhere_is_one_clear_line() -> None:
    for name in ("/no/such/model", "nobody/no-such-model"):
        with pytest.raises(ModelError, match=f"'{name}' could not be loaded") as caught:
            sentence_encoder(name)
        assert "\n" not in str(caught.value)
