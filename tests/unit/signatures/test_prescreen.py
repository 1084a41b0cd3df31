"""Do the neighbours of a candidate vote as they must, and does the shipped library know its own?"""

from __future__ import annotations

import json
from itertools import islice

import numpy as np
import pytest
from unit.signatures.known import signatures

from foretrain import storage
from foretrain.signatures import collection, prescreen, rebuild, seed, sentences
from foretrain.signatures.collection import Collection
from foretrain.signatures.embedding import WIDTH
from foretrain.signatures.index import Index
from foretrain.signatures.prescreen import Fitted, Known
from foretrain.signatures.record import HEALTHY

PLAIN = Fitted(1.0, 0.0, np.linspace(0.5, 0.9, 99))


def test_a_flat_index_finds_what_a_product_finds() -> None:
    held, asked = signatures(300).vectors, signatures(9, seed=1).vectors
    similarity, row = Index.of(held).nearest(asked, 7)
    product = asked @ held.T
    assert np.array_equal(row, np.argsort(-product, axis=1)[:, :7])
    assert np.allclose(similarity, -np.sort(-product, axis=1)[:, :7], atol=1e-6)
    assert Index.of(held[:3]).nearest(asked, 7)[1].shape == (9, 3)


def test_an_index_of_cells_finds_nearly_the_same() -> None:
    chance = np.random.default_rng(0)
    centres = chance.standard_normal((40, WIDTH))
    held = (centres[chance.integers(40, size=4000)] + 0.5 * chance.standard_normal((4000, WIDTH))).astype(np.float32)
    held /= np.linalg.norm(held, axis=1, keepdims=True)
    exact, cells = Index.of(held), Index.of(held, flat=1000)
    pairs = zip(exact.nearest(held[:100], 10)[1], cells.nearest(held[:100], 10)[1], strict=True)
    assert np.mean([len(set(a) & set(b)) / 10 for a, b in pairs]) > 0.95


def test_the_vote_is_of_the_nearest_and_the_prior_of_the_vote() -> None:
    sick, well = signatures(40, prefix="a"), signatures(40, seed=1, prefix="b", mechanism=HEALTHY)
    centre = np.eye(2, WIDTH, dtype=np.float32)
    for group, at in ((sick, centre[0]), (well, centre[1])):
        group.vectors[:] = at + 0.02 * group.vectors
        group.vectors[:] /= np.linalg.norm(group.vectors, axis=1, keepdims=True)
    known = Known(sick + well, Collection.empty(), PLAIN)
    found = known.look(centre[0])
    assert [share.mechanism for share in found.mechanisms] == ["copula"]
    assert found.prior == pytest.approx(0.995)
    assert found.generations == pytest.approx(4.5)
    assert not found.novel
    assert [m.similarity for m in found.matches] == sorted((m.similarity for m in found.matches), reverse=True)
    between = known.look((centre[0] + centre[1]) / np.float32(np.sqrt(2)))
    assert 0.2 < between.prior < 0.8
    far = known.look(-centre[0])
    assert far.novel
    assert sentences.sentence(far, 80).startswith("Nothing like this was seen")


def test_what_only_a_validation_judged_is_shown_and_does_not_vote() -> None:
    sick, own = signatures(40), signatures(5, seed=1, prefix="v", mechanism=None)
    found = Known(sick, own, PLAIN).look(own.vectors[2])
    assert found.matches[0].signature.id == "v2"
    assert found.matches[0].similarity == pytest.approx(1, abs=1e-5)
    alone = Known(sick, Collection.empty(), PLAIN).look(own.vectors[2])
    assert (found.prior, found.mechanisms, found.novelty) == (alone.prior, alone.mechanisms, alone.novelty)


def test_novelty_is_a_p_value() -> None:
    """Of exchangeable similarities, at most a share p has a p-value of p or less."""
    chance = np.random.default_rng(0)
    drawn = chance.normal(size=(400, 100))
    found = [Fitted(1, 0, np.sort(row[:99])).novelty(row[99]) for row in drawn]
    for p in (0.05, 0.2, 0.5):
        assert np.mean(np.asarray(found) <= p) <= p + 3 * np.sqrt(p * (1 - p) / 400)
    assert (PLAIN.novelty(-1), PLAIN.novelty(1)) == (0.01, 1.0)


def test_each_is_judged_without_its_dataset() -> None:
    held = signatures(60)
    similarity, row = prescreen.apart(held, 5)
    datasets = np.asarray([s.dataset for s in held.signatures])
    assert (datasets[row] != datasets[:, None]).all()
    assert np.allclose(similarity[3, 0], held.vectors[3] @ held.vectors[row[3, 0]], atol=1e-6)


def test_clusters_are_groups_that_lie_together() -> None:
    chance = np.random.default_rng(0)
    held = np.repeat(np.eye(3, WIDTH), 20, axis=0) + 0.01 * chance.standard_normal((60, WIDTH))
    found = prescreen.clusters(held.astype(np.float32))
    assert [len(set(found[k : k + 20])) for k in (0, 20, 40)] == [1, 1, 1]
    assert len(set(found)) == 3


def test_the_shipped_library_is_whole_and_says_what_was_fitted_on_it() -> None:
    held, fitted = seed.load()
    about = json.loads(storage.read(storage.join(seed.folder(), seed.FITTED)))["provenance"]
    mechanisms = {s.mechanism for s in held.signatures}
    assert len(mechanisms - {HEALTHY}) >= 8
    assert HEALTHY in mechanisms
    assert mechanisms == set(sentences.GENERATORS) | set(sentences.DAMAGES) == set(about["mechanisms"])
    assert about["signatures"] == len(held) == len({s.id for s in held.signatures})
    assert np.allclose(np.linalg.norm(held.vectors, axis=1), 1, atol=1e-5)
    again, vote = prescreen.fit(held)
    assert (again.slope, again.offset) == pytest.approx((fitted.slope, fitted.offset), abs=1e-2)
    assert np.allclose(again.nearest, fitted.nearest, atol=1e-3)
    collapsed = np.asarray([bool(s.collapsed) for s in held.signatures])
    sure = again.probability(vote) > 0.9
    assert collapsed[sure].mean() > 0.97


def test_a_part_of_the_shipped_library_is_made_again_to_the_same() -> None:
    held, _ = seed.load()
    kept = {
        s.id: (s.model_copy(update={"cluster": None}), v) for s, v in zip(held.signatures, held.vectors, strict=True)
    }
    for signature, vector in islice(rebuild.each(("narrow", 3)), 6):
        assert kept[signature.id][0] == signature
        assert np.allclose(kept[signature.id][1], vector, atol=1e-3)


def test_a_folder_that_is_no_library_is_a_mistake_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    from foretrain.errors import InternalError

    monkeypatch.setattr(seed, "folder", lambda: str(tmp_path))
    seed.load.cache_clear()
    with pytest.raises(InternalError, match="shipped signatures cannot be read"):
        seed.load()
    seed.load.cache_clear()


def test_rebuild_writes_a_library(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuild, "jobs", lambda *_: [("one", 0), ("two", 1)])
    parts = {0: signatures(40, prefix="a"), 1: signatures(40, seed=1, prefix="b", mechanism=HEALTHY)}
    monkeypatch.setattr(rebuild, "made", lambda job: parts[job[1]])
    rebuild.main(["--out", str(tmp_path), "--work", f"{tmp_path}/work"])
    held = collection.read(str(tmp_path))
    assert [s.id for s in held.signatures] == [s.id for k in (0, 1) for s in parts[k].signatures]
